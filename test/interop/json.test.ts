/**
 * `--json` of our tool on real clusters of two nodes, ours and Debian's: every document is valid against the schema of
 * its command, and every exit status is the one without --json.
 */
import { expect, test } from "bun:test";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { COMMANDS } from "../../src/cli/commands.ts";
import { documentSchema } from "../../src/cli/json_schema.ts";
import { DIST } from "../support/executables.ts";
import { stockInstalled, type TestCluster, withCluster } from "../support/local_cluster.ts";
import { PROJECT } from "../support/source_tree.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 120_000;

const ADDRESS = "127.0.0.201";
/** More than a pipe holds, in arguments that are not too long. */
const LARGE_RECORDS = 6;
const LARGE_BYTES = 100_000;

const PREPARATION: readonly string[] = [
  "attach v.tdb",
  "writekey v.tdb key value",
  "writekey v.tdb 0x00ff 0xff00",
  "attach p.tdb persistent",
  "pstore p.tdb key value",
  "backupdb v.tdb DIRECTORY/backup",
  `addip ${ADDRESS}/8 lo`,
  `addtickle 10.9.9.9:50001 ${ADDRESS}:445`,
];

/** DIRECTORY is the cluster's. */
const LINES: readonly string[] = [
  "version",
  "status",
  "-v status",
  "uptime",
  "-n 1 ping",
  "runstate",
  "runstate init",
  "getvar monitorinterval",
  "listvars",
  "statistics",
  "-n 1 stats",
  "ip",
  "-v ip all",
  `ipinfo ${ADDRESS}`,
  "ifaces",
  "process-exists 1",
  "process-exists 99999999",
  "-n 1 getdbmap",
  "getdbstatus p.tdb",
  "catdb v.tdb",
  "catdb p.tdb",
  "cattdb v.tdb",
  "getcapabilities",
  "pnn",
  "lvs leader",
  "lvs list",
  "lvs status",
  "natgw leader",
  "natgw list",
  "natgw status",
  "getdebug",
  "dumpmemory",
  "rddumpmemory",
  "getpid",
  "gettickles 127.0.0.201",
  "listnodes",
  "reloadnodes",
  "dumpdbbackup DIRECTORY/backup",
  "leader",
  "getreclock",
  "pfetch p.tdb key",
  "pfetch p.tdb absent",
  "tfetch DIRECTORY/node.0/db/persistent/p.tdb.0 key",
  "readkey v.tdb key",
  "checktcpport 0",
  "getdbseqnum p.tdb",
  "nodestatus all",
  "dbstatistics v.tdb",
  "scriptstatus",
  "event status legacy monitor",
  "event script list legacy",
  "schema ip",
  // What changes something comes last.
  "setvar MonitorInterval 15",
  "setdebug INFO",
  "-n 1 disable",
  "-n 1 disable",
  "-n 1 enable",
  "-n 1 stop",
  "-n 1 continue",
  "unban",
  "ipreallocate",
  `addip ${ADDRESS}/8 lo`,
  `delip ${ADDRESS}`,
  "wipedb v.tdb",
];

/** Commands whose documents no line shows, with the reason. */
const NOT_SHOWN = new Map([
  ["drain", "as disable: nobody has a client to move"],
  ["ban", "as disable, and the wait until it is over is long"],
  ["reload", "a stock node cannot; a unit test, and test/interop/process/real_reload.test.ts"],
  ["doctor", "doctor.test.ts"],
  ["wait", "new_commands.test.ts, and its unit tests"],
  ["top", "new_commands.test.ts, and its unit tests"],
  ["db", "new_commands.test.ts"],
  ["snapshot", "new_commands.test.ts, and its unit tests"],
  ["node", "a stock node refuses; nodes_list.test.ts, and its unit tests"],
  ["why", "journal_tool.test.ts, which has journals"],
  ["journal", "journal_tool.test.ts"],
  ["state", "journal_tool.test.ts"],
]);

const words = (line: string, cluster: TestCluster) =>
  line.replaceAll("DIRECTORY", cluster.local.directory.path).split(" ");

/** What the scripts of the groups need, and one event script. */
function addFiles(cluster: TestCluster): void {
  const addresses = cluster.local.description.nodes.map(({ address }) => `${address}\n`).join("");
  for (const pnn of cluster.pnns) {
    const base = cluster.base(pnn);
    for (const name of ["natgw_nodes", "lvs_nodes"]) writeFileSync(join(base, name), addresses);
    if (!existsSync(join(base, "functions"))) {
      copyFileSync(join(PROJECT, "scripts/events/functions"), join(base, "functions"));
    }
    for (const folder of ["events", "share/events"]) {
      mkdirSync(join(base, folder, "legacy"), { recursive: true });
    }
    const script = join(base, "events/legacy/00.test.script");
    writeFileSync(script, "#!/bin/sh\necho said\n", { mode: 0o755 });
  }
}

function nameOf(line: string): string {
  return line.replace(/^(-v |-n \d )/, "").split(" ")[0] ?? "";
}

async function showAll(cluster: TestCluster): Promise<void> {
  for (const line of PREPARATION) {
    const { code, stderr } = await cluster.ctdb(0, ...words(line, cluster));
    expect([line, code, stderr]).toEqual([line, 0, ""]);
  }
  for (const line of LINES) {
    const { code, stdout, stderr } = await cluster.ctdb(0, "--json", ...words(line, cluster));
    if (!stdout.startsWith("{")) throw new Error(`ctdb ${line} (${code}): ${stdout}${stderr}`);
    const document: unknown = JSON.parse(stdout);
    const checked = v.safeParse(documentSchema(nameOf(line)) as v.GenericSchema, document);
    expect([line, checked.issues ?? []]).toEqual([line, []]);
    const text = await cluster.ctdb(0, ...words(line, cluster));
    expect([line, code]).toEqual([line, text.code]);
  }
}

/** A reader that leaves has what it wanted. */
async function leaveEarly(cluster: TestCluster): Promise<void> {
  const value = "x".repeat(LARGE_BYTES);
  for (let i = 0; i < LARGE_RECORDS; i++) {
    const { code } = await cluster.ctdb(0, "writekey", "v.tdb", `large${i}`, value);
    expect(code).toBe(0);
  }
  for (const option of ["", "--json "]) {
    const dump = `${join(DIST, "ctdb")} ${option}catdb v.tdb`;
    const script = `{ ${dump}; echo "status $?" >&2; } | head -c 1 >/dev/null`;
    const { stderr } = await cluster.run(0, ["/bin/sh", "-c", script]);
    expect([option, stderr]).toEqual([option, "status 1\n"]);
  }
}

async function show(stock: readonly number[]): Promise<void> {
  await withCluster({ nodes: 2, stock, startNothing: true }, async (cluster) => {
    addFiles(cluster);
    await cluster.start();
    await cluster.waitReady();
    await showAll(cluster);
    await leaveEarly(cluster);
  });
}

interop(
  "Every document is valid, and a pipe that is closed early ends a dump quietly, on our nodes and on Debian's",
  async () => {
    await Promise.all([show([]), show([0, 1])]);
  },
  LIMIT_MS,
);

test("A real cluster shows every document but those that have a reason", () => {
  const shown = new Set([...LINES, ...PREPARATION].map(nameOf));
  const missing = COMMANDS.filter(({ json }) => json !== "acted")
    .map(({ name }) => name)
    .filter((name) => !shown.has(name));
  expect(missing).toEqual([...NOT_SHOWN.keys()]);
});
