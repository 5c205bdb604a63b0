/** `ctdb backupdb`, `restoredb`, `dumpdbbackup` against a scripted daemon and files in memory. */
import { expect, test } from "bun:test";
import { createMemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import { bytesText, encode, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { DB_FLAGS, NODE_FLAGS, RECOVERY_ACTIVE, SRVID } from "../../src/wire/constants.ts";
import { RecBufferCursor } from "../../src/wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES, ltdbHeader } from "../../src/wire/structs/records.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";
import { must } from "../support/must.ts";
import { daemon, nodeAt, runCtdb } from "./tool_harness.ts";

const ID = 0x445c6ab;
const PATH = "/db/test.tdb.0";
const BACKUP = "/backup";
const STEPS = [
  "DB_FREEZE",
  "DB_TRANSACTION_START",
  "WIPE_DATABASE",
  "DB_PUSH_START",
  "DB_PUSH_CONFIRM",
  "DB_SET_HEALTHY",
  "DB_TRANSACTION_COMMIT",
  "DB_THAW",
] as const;

/** Nodes 0 and 2 are active, 1 is stopped; 2 leads. Each active node stores what is pushed. */
function clusterWithDatabase(flags = 0): { ctdbd: FakeCtdbd; stored: string[][] } {
  const stored: string[][] = [[], [], []];
  const nodes = [nodeAt(0), nodeAt(1, NODE_FLAGS.STOPPED), nodeAt(2)];
  const ctdbd = daemon(nodes)
    .on("GET_DBMAP", () => ({ data: [{ db_id: ID, flags }] }))
    .on("GET_DBNAME", () => ({ data: "test.tdb" }))
    .on("GETDBPATH", () => ({ data: PATH }))
    .on("DB_GET_HEALTH", () => ({ data: textBytes("") }))
    .on("DB_ATTACH", () => ({ data: ID }))
    .on("DB_ATTACH_PERSISTENT", () => ({ data: ID }))
    .on("DB_OPEN_FLAGS", () => ({ data: 0 }))
    .on("PING", () => ({}))
    .on("SET_RECMODE", () => ({}))
    .on("REGISTER_SRVID", () => {
      setImmediate(() => ctdbd.sendMessage(SRVID.LEADER, encode(u32Codec, 2)));
      return {};
    });
  for (const step of STEPS) ctdbd.on(step, () => ({}));
  ctdbd.on("DB_PUSH_CONFIRM", (_id, pnn) => ({ data: stored[pnn]?.length ?? 0 }));
  ctdbd.onMessage = ({ destnode, data }) => {
    const cursor = new RecBufferCursor(data.slice());
    expect(cursor.db_id).toBe(ID);
    while (cursor.next()) {
      const value = cursor.data().subarray(LTDB_HEADER_BYTES);
      stored[destnode]?.push(`${bytesText(cursor.key())}=${bytesText(value)}`);
    }
  };
  return { ctdbd, stored };
}

/** A local file with `records`; an empty value is a deleted record. */
function fileWith(records: Readonly<Record<string, string>>) {
  const ours = createMemoryTdbs();
  const others = createMemoryTdbs({ disk: ours.disk });
  const tdb = must(others.opener.open({ path: PATH, flags: 0, hashSize: 7, create: true }));
  const header = encode(ltdbHeader, { rsn: { hi: 0, lo: 3 }, dmaster: 0, reserved1: 0, flags: 0 });
  for (const [key, value] of Object.entries(records)) {
    must(tdb.storeParts(textBytes(key), header, textBytes(value)));
  }
  return ours.opener;
}

async function backup(records: Readonly<Record<string, string>>, flags = 0) {
  const opened = new Map<string, Uint8Array>();
  const { ctdbd } = clusterWithDatabase(flags);
  const run = await runCtdb(
    { ctdbd, opened, tdbs: fileWith(records) },
    "backupdb",
    "test.tdb",
    BACKUP,
  );
  expect(run).toEqual({ status: 0, out: `Database backed up to ${BACKUP}\n`, err: "" });
  return opened;
}

function bytesOf(opened: Map<string, Uint8Array>): Uint8Array {
  return opened.get(BACKUP) ?? new Uint8Array(0);
}

test("backupdb writes what dumpdbbackup shows", async () => {
  const opened = await backup({ one: "1", 'tw"o': "" });
  const run = await runCtdb({ opened }, "dumpdbbackup", BACKUP);
  expect(run.out).toMatch(/^Dumping database test\.tdb from backup @ [0-9/]{10} [0-9:]{8}\n/);
  expect(run.out).toContain(
    'key(3) = "one"\ndmaster: 0\nrsn: 3\nflags: 0x00000000\ndata(1) = "1"\n',
  );
  expect(run.out).toContain('key(4) = "tw\\22o"\n');
  expect(run.out).toEndWith("\nDumped 2 record(s)\n");
  expect(run).toMatchObject({ status: 0, err: "" });
});

test("restoredb takes the active nodes through each step and gives them the records", async () => {
  const opened = await backup({ one: "1", two: "2" });
  const { ctdbd, stored } = clusterWithDatabase();
  const run = await runCtdb({ ctdbd, opened }, "restoredb", BACKUP);
  expect(run.out).toEndWith("Database test.tdb restored\n");
  expect(run).toMatchObject({ status: 0, err: "" });
  expect(stored.map((records) => records.sort())).toEqual([
    ["one=1", "two=2"],
    [],
    ["one=1", "two=2"],
  ]);
  const names: readonly string[] = STEPS;
  const steps = ctdbd.controls.filter(({ name }) => names.includes(name));
  expect(steps.map(({ name, destnode }) => `${name} ${destnode}`)).toEqual(
    STEPS.flatMap((name) => [`${name} 0`, `${name} 2`]),
  );
});

test("restoredb leaves out deleted records of a volatile database, and keeps those of a persistent one", async () => {
  const records = { one: "1", deleted: "" };
  const volatile = clusterWithDatabase();
  const opened = await backup(records);
  const first = await runCtdb({ ctdbd: volatile.ctdbd, opened }, "restoredb", BACKUP);
  expect([first.status, volatile.stored[2]]).toEqual([0, ["one=1"]]);

  const persistent = clusterWithDatabase(DB_FLAGS.PERSISTENT);
  const kept = await backup(records, DB_FLAGS.PERSISTENT);
  const second = await runCtdb({ ctdbd: persistent.ctdbd, opened: kept }, "restoredb", BACKUP);
  expect([second.status, persistent.stored[2]?.sort()]).toEqual([0, ["deleted=", "one=1"]]);
});

test("restoredb asks for a recovery when a node has not got every record", async () => {
  const opened = await backup({ one: "1" });
  const { ctdbd } = clusterWithDatabase();
  ctdbd.on("DB_PUSH_CONFIRM", (_id, pnn) => ({ data: pnn === 2 ? 0 : 1 }));
  const run = await runCtdb({ ctdbd, opened }, "restoredb", BACKUP);
  expect(run.err).toBe("Node 2 received 0 of 1 records\n");
  expect(run.status).toBe(5);
  expect(run.out).not.toContain("restored");
  expect(ctdbd.controls.at(-1)).toMatchObject({ name: "SET_RECMODE", request: RECOVERY_ACTIVE });
});

test("a file that is cut short, damaged or something else is refused before anything is believed", async () => {
  const whole = bytesOf(await backup({ one: "1", two: "2" }));
  const changed = (change: (view: DataView) => void) => {
    const bytes = whole.slice();
    change(new DataView(bytes.buffer));
    return bytes;
  };
  const refused = async (bytes: Uint8Array) => {
    const run = await runCtdb({ opened: new Map([[BACKUP, bytes]]) }, "dumpdbbackup", BACKUP);
    expect(run.err).not.toBe("");
    return run.status;
  };
  for (let length = 0; length < whole.length; length++) {
    expect(await refused(whole.slice(0, length))).toBe(5);
  }
  expect(await refused(changed((view) => view.setUint32(0, 4, true)))).toBe(22);
  expect(await refused(changed((view) => view.setUint32(32, 3, true)))).toBe(22);
  expect(await refused(changed((view) => view.setUint32(104 + 4, 900, true)))).toBe(22);
  expect(await refused(changed((view) => view.setUint32(104 + 12, 1, true)))).toBe(22);
  expect(await refused(new Uint8Array(whole.length))).toBe(22);
});

test("restoredb and dumpdbbackup show numbers of a file that is something else to the last digit", async () => {
  const text = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n";
  const bytes = new TextEncoder().encode(text.repeat(3));
  const opened = new Map([[BACKUP, bytes]]);
  const { ctdbd } = clusterWithDatabase();
  const restore = await runCtdb({ ctdbd, opened }, "restoredb", BACKUP);
  const err = "Wrong version of backup file, expected 3, got 3475222254926655346\n";
  expect(restore).toMatchObject({ status: 22, err });
  expect(await runCtdb({ opened }, "dumpdbbackup", BACKUP)).toMatchObject({ status: 22, err });

  const whole = bytesOf(await backup({ one: "1" }));
  const view = new DataView(whole.buffer);
  view.setBigUint64(32, 2n ** 53n + 1n, true);
  const counted = await runCtdb({ opened: new Map([[BACKUP, whole]]) }, "dumpdbbackup", BACKUP);
  expect(counted.err).toContain("9007199254740993");
  view.setBigUint64(104 + 8, 2n ** 64n - 1n, true);
  const long = await runCtdb({ opened: new Map([[BACKUP, whole]]) }, "dumpdbbackup", BACKUP);
  expect(long.err).toContain("18446744073709551615");
});

test("a backup that cannot be opened is named", async () => {
  const run = await runCtdb({}, "dumpdbbackup", "/absent");
  expect(run).toEqual({ status: 2, out: "", err: "Failed to open file /absent for reading\n" });
});
