/**
 * Commands that Samba's tool does not have, on a real cluster with a node of Samba's: waiting, watching, snapshots,
 * databases written anew under traffic, and questions on a terminal.
 */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { DIST } from "../support/executables.ts";
import { stockInstalled, type TestCluster, withCluster } from "../support/local_cluster.ts";

const interop = test.skipIf(!stockInstalled());
const LIMIT_MS = 120_000;
const OURS = join(DIST, "ctdb");
const STOCK = 2;
const KEYS = 200;

async function run(cluster: TestCluster, pnn: number, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await cluster.ctdb(pnn, ...args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout;
}

interop(
  "wait, top, setvar --all, snapshots and db repack work with our nodes and Samba's",
  async () => {
    await withCluster({ nodes: 3, stock: [STOCK], startNothing: true }, async (cluster) => {
      // What starts a node ends what is left in its directory: the own node's tool begins after it.
      await cluster.start(0, STOCK);
      const waiting = [0, STOCK].map((pnn) =>
        run(cluster, pnn, "wait", "healthy", "--timeout", "90"),
      );
      await cluster.start(1);
      for (const said of await Promise.all(waiting)) expect(said).toStartWith("healthy after ");
      await conditions(cluster);
      await watched(cluster);
      await variables(cluster);
      await snapshots(cluster);
      await repacked(cluster);
      await asked(cluster);
    });
  },
  LIMIT_MS,
);

async function conditions(cluster: TestCluster): Promise<void> {
  for (const pnn of [0, STOCK]) {
    for (const words of [["recovered"], ["leader"], ["ips", "assigned"], ["node", "1", "ok"]]) {
      await run(cluster, pnn, "wait", ...words);
    }
  }
  const waiting = [0, STOCK].map((pnn) => run(cluster, pnn, "wait", "node", "1", "disabled"));
  await run(cluster, 1, "disable");
  await Promise.all(waiting);
  const late = await cluster.ctdb(STOCK, "wait", "healthy", "--timeout", "1");
  expect(late.stderr).toContain("node 1 is DISABLED");
  expect(late.code).toBe(75);
  await run(cluster, 1, "enable");
  await run(cluster, STOCK, "wait", "healthy");
}

async function watched(cluster: TestCluster): Promise<void> {
  for (const pnn of [0, STOCK]) {
    const lines = (await run(cluster, pnn, "top", "0.5", "--iterations=2", "--json")).trimEnd();
    const { nodes } = JSON.parse(lines.split("\n")[1] ?? "");
    expect(nodes.map(({ silent }: { silent: boolean }) => silent)).toEqual([false, false, false]);
    expect(nodes[0].longest_turn_ms).toBeGreaterThan(0);
    expect(nodes[STOCK].longest_turn_ms).toBe(null);
    expect(nodes[STOCK].calls_per_second).not.toBe(null);
  }
}

async function variables(cluster: TestCluster): Promise<void> {
  const said = await run(cluster, 0, "setvar", "KeepaliveLimit", "7", "--all");
  expect(said).toBe([0, 1, 2].map((pnn) => `Node ${pnn}: KeepaliveLimit = 7\n`).join(""));
  await run(cluster, 0, "-n", "1", "setvar", "KeepaliveLimit", "6");
  const list = await run(cluster, STOCK, "listvars", "--all");
  expect(list).toMatch(/^KeepaliveLimit +\s= 7 \(node 0\), 6 \(node 1\), 7 \(node 2\)$/m);
}

async function snapshots(cluster: TestCluster): Promise<void> {
  const directory = join(cluster.local.directory.path, "snapshots");
  const snapshot = (...args: string[]) =>
    cluster.ctdb(0, "snapshot", ...args, "--directory", directory);
  await run(cluster, 0, "attach", "kept.tdb", "persistent");
  await run(cluster, 0, "pstore", "kept.tdb", "first", "1");
  const made = JSON.parse((await snapshot("create", "--json")).stdout);
  const { name } = made.snapshot;
  expect(made.snapshot.databases).toContain("kept.tdb");
  await run(cluster, 1, "pstore", "kept.tdb", "second", "2");
  const dry = await snapshot("restore", name, "--dry-run");
  // The sequence number is a record, too.
  expect(dry.stdout).toBe("kept.tdb: 0 added, 1 changed, 1 removed\n");
  const restored = await snapshot("restore", "latest");
  expect({ code: restored.code, err: restored.stderr }).toEqual({ code: 0, err: "" });
  const after = await snapshot("restore", name, "--dry-run");
  expect(after.stdout).toMatch(/^kept.tdb: 0 added, [01] changed, 0 removed\n$/);
  for (const pnn of cluster.pnns) {
    expect((await cluster.stockCtdb(pnn, "pfetch", "kept.tdb", "second")).stdout).toBe("\n");
    expect((await cluster.stockCtdb(pnn, "pfetch", "kept.tdb", "first")).stdout).toBe("1\n");
  }
  const file = join(directory, name, "kept.tdb.backup");
  expect((await cluster.stockCtdb(STOCK, "restoredb", file)).code).toBe(0);
  expect((await snapshot("verify", "all")).stdout).toBe(`${name} is sound\n`);
  const pruned = await snapshot("prune", "--keep", "0");
  expect(pruned.stdout).toBe("Nothing to remove\n");
}

/** What was acknowledged while the database was written anew is there afterwards, on all nodes. */
async function repacked(cluster: TestCluster): Promise<void> {
  const keys = Array.from({ length: KEYS }, (_, i) => `key ${i}`);
  const lines = (value: string) => keys.map((key) => `"${key}" "${value}"\n`).join("");
  for (const value of ["v".repeat(300), "", "w".repeat(200)]) {
    const input = join(cluster.local.directory.path, "input");
    await Bun.write(input, lines(value));
    await run(cluster, 0, "ptrans", "kept.tdb", input);
  }
  let isOver = false;
  const acknowledged: string[] = [];
  const writer = async (pnn: number) => {
    for (let i = 0; i < 500 && !isOver; i++) {
      const key = `written ${pnn} ${i}`;
      const { code } = await cluster.ctdb(pnn, "pstore", "kept.tdb", key, "x");
      if (code === 0) acknowledged.push(key);
    }
  };
  const writers = [writer(1), writer(STOCK)];
  for (let i = 0; i < 3; i++) {
    const facts = JSON.parse(await run(cluster, i % 2, "db", "repack", "kept.tdb", "--json"));
    expect(facts.method).toBe("database");
    expect(facts.after.free_pieces).toBeLessThanOrEqual(facts.before.free_pieces);
  }
  isOver = true;
  await Promise.all(writers);
  expect(acknowledged.length).toBeGreaterThan(0);
  for (const pnn of cluster.pnns) {
    const dump = (await cluster.stockCtdb(pnn, "cattdb", "kept.tdb")).stdout;
    const there = new Set([...dump.matchAll(/^key\(\d+\) = "(.*)"$/gm)].map(([, key]) => key));
    expect(keys.concat(acknowledged).filter((key) => !there.has(key))).toEqual([]);
  }
  await run(cluster, 0, "attach", "volatile.tdb");
  await run(cluster, 1, "attach", "volatile.tdb");
  await run(cluster, 1, "writekey", "volatile.tdb", "a", "b");
  expect(await run(cluster, 0, "db", "repack", "volatile.tdb")).toContain("by a recovery");
  await run(cluster, 0, "wait", "healthy");
  expect(await run(cluster, 0, "readkey", "volatile.tdb", "a")).toContain("[b]");
}

/** Runs on a terminal and types `keys` once `prompt` stands there. */
async function onTerminal(
  cluster: TestCluster,
  prompt: string,
  keys: string,
  ...args: readonly string[]
): Promise<{ readonly screen: string; readonly code: number }> {
  const program = `
import os, pty, sys, select, time
prompt, keys, argv = sys.argv[1].encode(), sys.argv[2].encode(), sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(argv[0], argv)
said, end = b"", time.monotonic() + 20
while time.monotonic() < end:
    if not select.select([fd], [], [], 0.2)[0]:
        continue
    try:
        more = os.read(fd, 65536)
    except OSError:
        break
    if not more:
        break
    said += more
    if prompt and prompt in said:
        prompt = b""
        os.write(fd, keys)
else:
    os.kill(pid, 9)
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
  const argv = ["/usr/bin/python3", "-c", program, prompt, keys, OURS, ...args];
  const { stdout, code } = await cluster.run(0, argv);
  return { screen: stdout, code };
}

async function asked(cluster: TestCluster): Promise<void> {
  const wipe = ["wipedb", "kept.tdb"];
  const no = await onTerminal(cluster, "[y/N]", "n\n", ...wipe);
  expect(no.screen).toContain("On all nodes every record of database kept.tdb is removed.");
  expect(no.screen).toContain("Not done");
  expect(no.code).toBe(1);
  expect((await onTerminal(cluster, "[y/N]", "\x04", ...wipe)).code).toBe(1);
  const yes = await onTerminal(cluster, "[y/N]", "y\n", ...wipe);
  expect(yes.screen).toContain("Database kept.tdb wiped");
  expect(yes.code).toBe(0);
  const quick = await onTerminal(cluster, "", "", ...wipe, "--yes");
  expect(quick.screen).not.toContain("[y/N]");
  for (const key of ["q", "\x03"]) {
    const watched = await onTerminal(cluster, "NODE", key, "top", "0.3");
    expect(watched.code).toBe(0);
    expect(watched.screen).toStartWith("\x1b[?1049h");
    expect(watched.screen).toEndWith("\x1b[?25h\x1b[?1049l");
  }
}
