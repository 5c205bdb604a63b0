/** UPDATE_RECORD for the three kinds of databases, over real files in memory. */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../../test/database/fake_host.ts";
import { recordIn, recordValue } from "../../../test/database/record_values.ts";
import { must } from "../../../test/support/must.ts";
import { MemoryDisk } from "../../tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../tdb/memory/memory_opener.ts";
import { TDB_FLAGS, type Tdb } from "../../tdb/types.ts";
import { textBytes } from "../../wire/codec.ts";
import { RECORD_FLAGS } from "../../wire/constants.ts";
import { NO_SPACE, SEQNUM_RESERVE } from "../../wire/controls.ts";
import type { DatabaseKind } from "../database.ts";
import { UPDATES_WAITING_MAX } from "./limits.ts";

const ATTACH = {
  volatile: "DB_ATTACH",
  persistent: "DB_ATTACH_PERSISTENT",
  replicated: "DB_ATTACH_REPLICATED",
} as const;
const FROM_NODE = { srcnode: 1, clientId: 0 };

function setUp(kind: DatabaseKind, fileBytesMax = 16 * 1024 * 1024) {
  const host = new FakeHost(0);
  host.map = [0, 1];
  host.flags.set(1, 0);
  const soon = (action: () => void) => host.time.soon(action);
  const disk = new MemoryDisk({ soon, fileBytesMax });
  const { opener, lockWaiter } = createMemoryTdbs({ disk, timers: host.time, clock: host.time });
  host.tdbs = opener;
  host.lockWaiter = lockWaiter;
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb", ATTACH[kind]);
  const send = (records: readonly [string, Uint8Array][], from = {}) =>
    caller.call(
      "UPDATE_RECORD",
      {
        db_id: dbId,
        records: records.map(([key, data]) => ({ reqid: 0, key: textBytes(key), data })),
      },
      { ...FROM_NODE, ...from },
    );
  const update = (records: readonly [string, Uint8Array][], from = {}) => {
    const answer = send(records, from);
    host.time.advance(20);
    return answer.reply?.status;
  };
  /** Another process with the same file. */
  const other = (): Tdb => {
    const { opener: theirs } = createMemoryTdbs({ disk, timers: host.time, clock: host.time });
    const flags = TDB_FLAGS.DISALLOW_NESTING | (database.tdb.flags & TDB_FLAGS.MUTEX_LOCKING);
    return must(theirs.open({ path: database.path, flags, hashSize: 0, create: false }));
  };
  const read = (key: string) => {
    const fetched = database.tdb.fetch(textBytes(key));
    return fetched.ok ? show(fetched.value) : fetched.error.code;
  };
  /** What waits meets a freeze and a thaw in a new generation; `meanwhile` happens as the freeze begins. */
  const recover = (meanwhile = () => {}) => {
    const frozen = caller.call("DB_FREEZE", dbId);
    meanwhile();
    host.time.advance(100);
    expect(frozen.reply?.status).toBe(0);
    host.currentGeneration = 78;
    database.generation = 78;
    caller.call("DB_THAW", dbId);
    host.time.advance(100);
  };
  return { host, caller, dbId, database, send, update, other, read, recover };
}

const value = (rsn: number, data: string, flags = 0) =>
  recordValue({ rsn, dmaster: 1, flags, data });

function show(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  const { rsn, flags, data } = recordIn(bytes);
  return `rsn ${rsn}${flags === 0 ? "" : ` flags ${flags.toString(16)}`} ${data}`;
}

test("UPDATE_RECORD of a volatile database replaces older records and makes no new ones", () => {
  const { database, update, read } = setUp("volatile");
  database.tdb.store(textBytes("a"), value(5, "old", RECORD_FLAGS.RO_HAVE_READONLY));
  const flags = RECORD_FLAGS.MIGRATED_WITH_DATA;
  expect(update([["a", value(6, "new", flags)]])).toBe(0);
  expect(read("a")).toBe("rsn 6 flags 10000 new");
  expect(update([["b", value(6, "new", flags)]])).toBe(0);
  expect(read("b")).toBe(undefined);
  expect(update([["a", value(6, "other", flags)]])).toBe(-1);
  expect(update([["a", value(5, "older", flags)]])).toBe(-1);
  expect(update([["a", value(6, "new", flags)]])).toBe(0);
  expect(read("a")).toBe("rsn 6 flags 10000 new");
});

test("UPDATE_RECORD of a volatile record waits for its chain lock, and not beyond a recovery", () => {
  const { host, database, send, other, read, recover } = setUp("volatile");
  const flags = RECORD_FLAGS.MIGRATED_WITH_DATA;
  database.tdb.store(textBytes("a"), value(1, "1", flags));
  database.tdb.store(textBytes("b"), value(1, "1", flags));
  const smbd = other();
  const chain = smbd.chainOf(textBytes("a"));
  expect(smbd.tryLockChain(chain, "write")).toBe("granted");
  const waiting = send([
    ["a", value(2, "2", flags)],
    ["b", value(2, "2", flags)],
  ]);
  host.time.advance(1000);
  expect([waiting.reply, read("b")]).toEqual([undefined, "rsn 1 flags 10000 1"]);
  smbd.unlockChain(chain);
  host.time.advance(20);
  expect([waiting.reply?.status, read("a"), read("b")]).toEqual([
    0,
    "rsn 2 flags 10000 2",
    "rsn 2 flags 10000 2",
  ]);

  expect(smbd.tryLockChain(chain, "write")).toBe("granted");
  const late = send([["a", value(3, "3", flags)]]);
  host.time.advance(5);
  smbd.unlockChain(chain);
  recover();
  expect([late.reply?.status, read("a")]).toEqual([-1, "rsn 2 flags 10000 2"]);
});

for (const kind of ["persistent", "replicated"] as const) {
  test(`UPDATE_RECORD of a ${kind} database writes all records or none`, () => {
    const { update, read } = setUp(kind);
    expect(
      update([
        ["a", value(1, "1")],
        ["b", value(1, "1")],
      ]),
    ).toBe(0);
    expect([read("a"), read("b")]).toEqual(["rsn 1 1", "rsn 1 1"]);
    expect(
      update([
        ["a", value(2, "2")],
        ["b", value(1, "other")],
      ]),
    ).toBe(-1);
    expect([read("a"), read("b")]).toEqual(["rsn 1 1", "rsn 1 1"]);
    expect(
      update([
        ["a", value(2, "2")],
        ["b", value(1, "1")],
        ["c", value(0, "a new record begins with 1")],
      ]),
    ).toBe(-1);
    expect([read("a"), read("c")]).toEqual(["rsn 1 1", undefined]);
  });

  test(`UPDATE_RECORD of a ${kind} database waits while another process is in the file`, () => {
    const { host, database, send, other, read } = setUp(kind);
    const backup = other();
    expect(backup.startTransaction().ok).toBe(true);
    const first = send([["a", value(1, "1")]]);
    const second = send([["a", value(2, "2")]]);
    host.time.advance(30_000);
    expect([first.reply, second.reply, read("a")]).toEqual([undefined, undefined, undefined]);
    backup.cancelTransaction();
    host.time.advance(20);
    expect([first.reply?.status, second.reply?.status, read("a")]).toEqual([0, 0, "rsn 2 2"]);
    expect(database.gate.enter(0)).toBe("granted");
  });
}

test("UPDATE_RECORD is refused while recovering, frozen, unhealthy, or of another generation", () => {
  const { host, caller, dbId, database, update, read } = setUp("persistent");
  const record: [string, Uint8Array][] = [["a", value(1, "1")]];
  host.isRecovering = true;
  expect(update(record)).toBe(-1);
  host.isRecovering = false;
  database.unhealthyReason = "for a test";
  expect(update(record)).toBe(-1);
  database.unhealthyReason = undefined;
  expect(update(record, { generation: 76 })).toBe(-1);
  caller.now("DB_FREEZE", dbId);
  expect(update(record)).toBe(-1);
  caller.now("DB_THAW", dbId);
  expect(update([["a", new Uint8Array(23)]])).toBe(-1);
  expect(read("a")).toBe(undefined);
  expect(update(record, { generation: 77 })).toBe(0);
  expect(read("a")).toBe("rsn 1 1");
});

test("UPDATE_RECORD that waited for a lock through a recovery writes nothing", () => {
  const { host, send, other, read, recover } = setUp("persistent");
  const backup = other();
  expect(backup.startTransaction().ok).toBe(true);
  const late = send([["a", value(1, "1")]]);
  host.time.advance(100);
  recover(() => backup.cancelTransaction());
  expect([late.reply?.status, read("a")]).toEqual([-1, undefined]);
});

test("UPDATE_RECORD ends when its time is over, and the next one is written", () => {
  const { host, send, other, read } = setUp("persistent");
  const backup = other();
  expect(backup.startTransaction().ok).toBe(true);
  const first = send([["a", value(1, "1")]]);
  host.time.advance(30_000);
  const second = send([["a", value(2, "2")]]);
  host.time.advance(31_000);
  expect([first.reply?.status, second.reply]).toEqual([-1, undefined]);
  backup.cancelTransaction();
  host.time.advance(100);
  expect([second.reply?.status, read("a")]).toEqual([0, "rsn 2 2"]);
});

test("UPDATE_RECORD on a full disk is refused, and the database goes on", () => {
  const { host, database, update, read } = setUp("persistent", 256 * 1024);
  expect(update([["a", value(1, "1")]])).toBe(0);
  expect(update([["a", value(2, "x".repeat(400_000))]])).toBe(-1);
  expect([read("a"), database.unhealthyReason]).toEqual(["rsn 1 1", undefined]);
  expect(update([["a", value(2, "2")]])).toBe(0);
  expect(read("a")).toBe("rsn 2 2");
  expect(host.statistics.pending_childwrite_calls).toBe(0);
});

test("GET_DB_SEQNUM asked to reserve disk space refuses what a commit would not find", () => {
  const { caller, dbId, update } = setUp("persistent", 1024 * 1024);
  const ask = (records: number, bytes: number) => {
    const from = { ...FROM_NODE, flags: SEQNUM_RESERVE, srvid: { hi: records, lo: bytes } };
    return caller.now("GET_DB_SEQNUM", { db_id: dbId }, from).status;
  };
  expect(ask(1, 400_000)).toBe(NO_SPACE);
  // It is for nodes; what a client asks is the number.
  const client = { clientId: 1, flags: SEQNUM_RESERVE, srvid: { hi: 1, lo: 400_000 } };
  expect(caller.now("GET_DB_SEQNUM", { db_id: dbId }, client).status).toBe(0);
  expect(ask(2, 300)).toBe(0);
  expect(update([["a", value(1, "1")]])).toBe(0);
  // In place of what is there, and with the journal's area that is there.
  expect(ask(2, 300)).toBe(0);
});

test("UPDATE_RECORD beyond the limit of waiting updates is refused; closing refuses the rest", () => {
  const { host, caller, send, other } = setUp("persistent");
  const backup = other();
  expect(backup.startTransaction().ok).toBe(true);
  const answers = Array.from({ length: UPDATES_WAITING_MAX + 2 }, () => send([]));
  expect(answers.filter(({ reply }) => reply?.status === -1).length).toBe(1);
  caller.set.close();
  expect(answers.filter(({ reply }) => reply?.status === -1).length).toBe(answers.length);
  expect(host.statistics.pending_childwrite_calls).toBe(0);
});
