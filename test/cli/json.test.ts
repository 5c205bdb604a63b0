/** `--json`: each document against its schema, errors as documents, statuses of their own. */
import { expect, test } from "bun:test";
import * as v from "valibot";
import { committedSchemas, generatedSchemas } from "../../build/schemas.ts";
import { COMMANDS } from "../../src/cli/commands.ts";
import { documentSchema } from "../../src/cli/json_schema.ts";
import { FACTS } from "../../src/cli/schemas/table.ts";
import { EMPTY } from "../../src/wire/codec.ts";
import { NODE_FLAGS } from "../../src/wire/constants.ts";
import { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { ManualTime } from "../support/manual_time.ts";
import { DISABLED, documentsWorld, KEY } from "./documents_world.ts";
import { daemon, nodeAt, runCtdb, type ToolWorld } from "./tool_harness.ts";

/** Command lines of every command that has a document, and what the node's flags are before. */
const LINES: readonly (readonly [line: string, flags?: number])[] = [
  ["version"],
  ["status"],
  ["uptime"],
  ["ping"],
  ["runstate"],
  ["runstate running"],
  ["runstate init"],
  ["getvar monitorinterval"],
  ["getvar monitorinterval --all"],
  ["listvars"],
  ["listvars --all"],
  ["reload"],
  ["statistics"],
  ["stats"],
  ["ip"],
  ["ip all"],
  ["-v ip"],
  ["-v ip all"],
  ["ipinfo 10.0.0.31"],
  ["ifaces"],
  ["process-exists 1"],
  ["process-exists 2"],
  ["getdbmap"],
  ["getdbstatus p.tdb"],
  ["catdb v.tdb"],
  ["cattdb v.tdb"],
  ["getcapabilities"],
  ["pnn"],
  ["lvs leader"],
  ["lvs list"],
  ["lvs status"],
  ["getdebug"],
  ["dumpmemory"],
  ["rddumpmemory"],
  ["getpid"],
  ["disable", DISABLED],
  ["enable"],
  ["stop", NODE_FLAGS.STOPPED],
  ["continue"],
  ["ban 5", NODE_FLAGS.BANNED],
  ["unban"],
  ["doctor"],
  ["drain", DISABLED],
  ["gettickles 10.0.0.31"],
  ["listnodes"],
  ["reloadnodes"],
  ["addip 10.0.0.31/24 eth0"],
  ["delip 10.0.0.31"],
  ["dumpdbbackup /backup"],
  ["leader"],
  ["event status legacy monitor"],
  ["event status legacy startup"],
  ["event script list legacy"],
  ["event run 30 legacy monitor"],
  ["scriptstatus"],
  ["scriptstatus startup"],
  ["natgw leader"],
  ["natgw list"],
  ["natgw status"],
  ["getreclock"],
  ["pfetch p.tdb k"],
  ["pfetch p.tdb absent"],
  ["tfetch /db/1 k"],
  ["readkey v.tdb k"],
  ["checktcpport 445"],
  ["checktcpport 446"],
  ["getdbseqnum p.tdb"],
  ["nodestatus all"],
  ["nodestatus", DISABLED],
  ["dbstatistics v.tdb"],
  ["schema ip"],
  ["wait node 0 connected"],
  ["top --once"],
  ["db repack p.tdb --dry-run"],
  ["node add 10.0.0.9"],
  ["node repair"],
  ["snapshot list"],
  ["why node 2 banned"],
  ["journal"],
  ["state --at 03:12"],
];

/** `line` is not split at more than blanks. */
async function run(world: ToolWorld, line: string) {
  return await runCtdb(world, ...line.split(" "));
}

/** What the command line gives, valid against the schema of its command. */
async function valid(world: ToolWorld, line: string, name = nameIn(line)) {
  const outcome = await run(world, `--json ${line}`);
  if (outcome.out === "") throw new Error(`ctdb ${line} has no document: ${outcome.err}`);
  const document: unknown = JSON.parse(outcome.out);
  expect([line, v.parse(documentSchema(name) as v.GenericSchema, document)]).toEqual([
    line,
    document,
  ]);
  return { ...outcome, document: document as Record<string, unknown> };
}

function nameIn(line: string): string {
  return line.split(" ").find((word) => !word.startsWith("-")) ?? "";
}

test("Every command that gives facts has a schema, and every schema a command", () => {
  const giving = COMMANDS.filter(({ json }) => json === "facts").map(({ name }) => name);
  expect(Object.keys(FACTS).sort()).toEqual([...giving].sort());
});

test("The committed schemas are the ones of the sources: build/schemas.ts --rewrite", () => {
  expect([...committedSchemas()]).toEqual([...generatedSchemas()].sort());
});

test("Every command with a document gives one of its schema, and ends as without --json", async () => {
  const shown = new Set<string>();
  for (const [line, flags] of LINES) {
    const world = async () => {
      const made = documentsWorld(flags);
      if (line.includes("/backup")) await run(made, "backupdb v.tdb /backup");
      return made;
    };
    const text = await run(await world(), line);
    const { status } = await valid(await world(), line);
    expect([line, status]).toEqual([line, text.status]);
    shown.add(nameIn(line));
  }
  const all = COMMANDS.filter(({ json }) => json !== "acted").map(({ name }) => name);
  expect([...shown].sort()).toEqual([...all].sort());
});

test("A document names its schema's version; a command that only acts tells what it did on which node", async () => {
  const pnn = await runCtdb({ ctdbd: new FakeCtdbd() }, "pnn", "--json");
  expect([pnn.err, pnn.out]).toEqual(["", '{\n  "schema_version": 1,\n  "pnn": 0\n}\n']);
  const set = await valid(documentsWorld(), "-n 1 setvar MonitorInterval 20", "setvar");
  expect([set.status, set.err, set.document]).toEqual([
    0,
    "",
    { schema_version: 1, node: 1, messages: [] },
  ]);
  const backedUp = await valid(documentsWorld(), "backupdb v.tdb /backup");
  expect(backedUp.document["messages"]).toEqual(["Database backed up to /backup"]);
  const already = await valid(documentsWorld(), "enable");
  expect([already.document["changed"], JSON.parse(already.err)]).toEqual([
    false,
    { schema_version: 1, warnings: ["Node 0 is not disabled"] },
  ]);
});

test("Values have their types: 64 bits, bytes and records as hex, times in seconds", async () => {
  const { document: cat } = await valid(documentsWorld(), "catdb v.tdb");
  const flags = { flags_raw: 0x10000, flags: ["MIGRATED_WITH_DATA"] };
  const meta = { dmaster: 0, rsn: "0x0000000100000002", ...flags };
  expect(cat["records"]).toEqual([
    { key_hex: "6b", key_text: KEY, data_hex: "41", data_text: "A", ...meta },
    { key_hex: "c3bf00", data_hex: "ff00", ...meta },
  ]);
  expect([cat["count"], cat["complete"], cat["database"]]).toEqual([
    2,
    true,
    { id: "0x00000001", name: "v.tdb" },
  ]);
  const { document: number } = await valid(documentsWorld(), "getdbseqnum p.tdb");
  expect(number["sequence_number"]).toBe("0x00000001fffffffe");
  const { document: uptime } = await valid(documentsWorld(), "uptime");
  expect([uptime["current_time"], uptime["last_recovery_seconds"]]).toEqual([1000.5, 1.25]);
  const { document: missing } = await valid(documentsWorld(), "pfetch p.tdb absent");
  expect(missing["record"]).toEqual({
    key_hex: "616273656e74",
    key_text: "absent",
    data_hex: "",
    data_text: "",
  });
});

test("A list without items is one, and a traverse that fails leaves a document that says so", async () => {
  const empty = documentsWorld();
  empty.ctdbd?.on("TRAVERSE_START_EXT", ({ srvid }) => {
    const end = new Uint8Array(16);
    end[0] = end.length;
    setImmediate(() => empty.ctdbd?.sendMessage(srvid, end));
    return {};
  });
  expect((await valid(empty, "catdb v.tdb")).document).toMatchObject({ records: [], count: 0 });
  const refused = documentsWorld();
  refused.ctdbd?.on("TRAVERSE_START_EXT", () => ({ status: -1, data: EMPTY as never }));
  const failed = await valid(refused, "catdb v.tdb").catch((error: unknown) => error);
  expect(failed).toMatchObject({ document: { records: [], complete: false } });
});

/** The document on standard error, valid. */
function errorOf({ err }: { readonly err: string }) {
  const document: unknown = JSON.parse(err);
  return v.parse(documentSchema("error") as v.GenericSchema, document) as {
    readonly error: { readonly kind: string; readonly status: number; readonly messages: string[] };
  };
}

test("Errors are documents on standard error, with statuses for usage and no daemon", async () => {
  const unknown = await run({}, "--json pnm");
  expect([unknown.status, unknown.out]).toEqual([64, ""]);
  expect(JSON.parse(unknown.err)).toEqual({
    schema_version: 1,
    error: {
      command: null,
      kind: "usage",
      status: 64,
      messages: ["Unknown command 'pnm'", "Did you mean 'pnn'?"],
    },
  });
  for (const line of ["--json --frobnicate pnn", "-j -n x pnn", "--json getvar", "--json -X pnn"]) {
    const wrong = await run(documentsWorld(), line);
    expect([line, wrong.status, wrong.out]).toEqual([line, 64, ""]);
    expect(errorOf(wrong).error.kind).toBe("usage");
  }
  const alone = await run({}, "--json pnn");
  expect([alone.status, alone.out]).toEqual([69, ""]);
  expect(errorOf(alone).error.kind).toBe("no daemon");
  expect(errorOf(alone).error.messages).toContain("Is this node part of CTDB cluster?");
});

test("A timeout has a status of its own; other failures keep theirs, and say what they say", async () => {
  for (const [option, message] of [
    ["-t", "Control PING failed to node 1, ret=110"],
    ["-T", "Maximum runtime exceeded - exiting"],
  ] as const) {
    const time = new ManualTime();
    const silent = daemon([nodeAt(0), nodeAt(1)]).on("PING", () => "silent");
    const running = run({ ctdbd: silent, time }, `--json ${option} 3 -n 1 ping`);
    await time.advance(3000);
    const { status, out, err } = await running;
    expect([status, out]).toEqual([75, ""]);
    expect(errorOf({ err }).error).toMatchObject({ kind: "timeout", status: 75 });
    expect(errorOf({ err }).error.messages).toEqual([message]);
  }
  for (const [line, status, message] of [
    ["catdb absent.tdb", 1, "No database matching 'absent.tdb' found"],
    ["getvar Absent", 1, "No such tunable Absent"],
    ["readkey v.tdb 0x1", 22, "Key (1) contains odd number of hex digits"],
    ["event status absent", 1, "  status <component> <event>     Get status of an event"],
  ] as const) {
    const failed = await run(documentsWorld(), `--json ${line}`);
    expect([line, failed.status, failed.out]).toEqual([line, status, ""]);
    expect(errorOf(failed).error).toMatchObject({ kind: "failed", status });
    expect(errorOf(failed).error.messages).toContain(message);
  }
});

test("scriptstatus never fails: nobody who could be asked is a state", async () => {
  const { status, document, err } = await valid({ ctdbd: daemon([]), helpers: {} }, "scriptstatus");
  expect([status, document["state"], document["scripts"]]).toEqual([0, "unknown", []]);
  expect(JSON.parse(err).warnings).toEqual(["event daemon helper failed with error 2"]);
});

test("schema prints the schema of any command, and knows no other", async () => {
  const { out } = await run({}, "schema pnn");
  expect(out).toBe(generatedSchemas().get("pnn.json") as string);
  expect(JSON.parse((await run({}, "schema recover")).out).required).toContain("messages");
  const program = JSON.parse((await run({}, "schema ctdb-path")).out);
  expect([program.title, program.required]).toEqual([
    "ctdb-path --json",
    ["schema_version", "path"],
  ]);
  const unknown = await run({}, "schema pnm");
  expect([unknown.status, unknown.out]).toEqual([64, ""]);
  expect(unknown.err).toStartWith('No schema for "pnm": expected a command');
});
