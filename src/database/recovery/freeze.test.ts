import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../../test/database/fake_host.ts";
import type { MemoryTdb } from "../../../test/database/memory_tdb.ts";
import { must } from "../../../test/support/must.ts";
import { MemoryDisk } from "../../tdb/memory/memory_files.ts";
import { createMemoryTdbs } from "../../tdb/memory/memory_opener.ts";
import { textBytes } from "../../wire/codec.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { TRANSACTION_UNBROKEN } from "../../wire/controls.ts";
import { withWholeDatabase } from "./marked.ts";

function setUp() {
  const host = new FakeHost();
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb");
  const tdb = database.tdb as MemoryTdb;
  const status = (answer: { reply: { status: number } | undefined }) => answer.reply?.status;
  const freeze = () => caller.now("DB_FREEZE", dbId).status;
  const start = (tid: number) => caller.now("DB_TRANSACTION_START", { db_id: dbId, tid }).status;
  return { host, caller, dbId, database, tdb, status, freeze, start };
}

test("DatabaseFreeze.freeze() waits for the lock and answers every asker", () => {
  const { host, caller, dbId, database, tdb, status } = setUp();
  const release = tdb.file.hold(5);
  const first = caller.call("DB_FREEZE", dbId);
  const second = caller.call("DB_FREEZE", dbId);
  host.time.advance(20_000);
  expect([database.freeze.state, status(first), status(second)]).toEqual([
    "freezing",
    undefined,
    undefined,
  ]);
  release();
  host.time.settle();
  expect([database.freeze.state, status(first), status(second)]).toEqual(["frozen", 0, 0]);
  expect(database.gate.isOpen).toBe(false);
  expect(caller.now("DB_FREEZE", dbId).status).toBe(0);
  expect(host.statistics.locks.buckets[8]).toBe(1);
});

test("DatabaseFreeze.thaw() gives the lock back, cancels the transaction, opens the gate", () => {
  const { caller, dbId, database, tdb, freeze, start } = setUp();
  freeze();
  start(9);
  tdb.store(textBytes("k"), new Uint8Array(24));
  expect(caller.now("DB_THAW", dbId).status).toBe(0);
  expect([database.freeze.state, tdb.inTransaction, tdb.file.allOwner]).toEqual([
    "thawed",
    false,
    undefined,
  ]);
  expect(tdb.file.contents.size).toBe(0);
  expect(database.gate.isOpen).toBe(true);
});

test("DatabaseFreeze.thaw() while freezing refuses the askers and stops waiting", () => {
  const { host, caller, dbId, database, tdb, status } = setUp();
  const release = tdb.file.hold(5);
  const asked = caller.call("DB_FREEZE", dbId);
  expect(caller.now("DB_THAW", dbId).status).toBe(0);
  expect(status(asked)).toBe(-1);
  release();
  host.time.advance(1000);
  expect([database.freeze.state, tdb.file.allOwner, host.waiter.active]).toEqual([
    "thawed",
    undefined,
    0,
  ]);
});

test("DatabaseFreeze: a transaction needs the frozen database and its own id", () => {
  const { caller, dbId, freeze, start } = setUp();
  expect(start(5)).toBe(-1);
  expect(caller.now("WIPE_DATABASE", { db_id: dbId, tid: 5 }).status).toBe(-1);
  freeze();
  expect(caller.now("WIPE_DATABASE", { db_id: dbId, tid: 5 }).status).toBe(-1);
  expect(caller.now("DB_TRANSACTION_CANCEL", dbId).status).toBe(0);
  expect(start(5)).toBe(0);
  expect(caller.now("WIPE_DATABASE", { db_id: dbId, tid: 6 }).status).toBe(-1);
  expect(caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 6 }).status).toBe(-1);
  expect(caller.now("WIPE_DATABASE", { db_id: dbId, tid: 5 }).status).toBe(0);
  expect(caller.now("DB_TRANSACTION_CANCEL", dbId).status).toBe(0);
});

test("DatabaseFreeze.startTransaction() replaces the transaction of an earlier coordinator", () => {
  const { caller, dbId, database, tdb, freeze, start } = setUp();
  freeze();
  start(5);
  tdb.store(textBytes("old"), new Uint8Array(24));
  expect(start(6)).toBe(0);
  expect(caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 5 }).status).toBe(-1);
  expect(caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 6 }).status).toBe(0);
  expect(tdb.file.contents.size).toBe(0);
  expect(database.generation).toBe(6);
});

test("DatabaseFreeze: a running commit refuses thaw and cancel; freeze and start wait for it", () => {
  const { host, caller, dbId, database, tdb, freeze, start, status } = setUp();
  freeze();
  start(5);
  tdb.store(textBytes("new"), new Uint8Array(24));
  const commit = caller.call("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 5 });
  expect(database.freeze.transaction).toBe("committing");
  expect(status(caller.call("DB_THAW", dbId))).toBe(-1);
  expect(status(caller.call("DB_TRANSACTION_CANCEL", dbId))).toBe(-1);
  expect(status(caller.call("WIPE_DATABASE", { db_id: dbId, tid: 5 }))).toBe(-1);
  const again = caller.call("DB_FREEZE", dbId);
  const next = caller.call("DB_TRANSACTION_START", { db_id: dbId, tid: 6 });
  expect([status(commit), status(again), status(next)]).toEqual([undefined, undefined, undefined]);
  host.time.advance(50);
  expect([status(commit), status(again), status(next)]).toEqual([0, 0, 0]);
  expect(tdb.file.contents.size).toBe(1);
  expect([database.generation, database.freeze.transaction]).toEqual([5, "started"]);
});

test("DatabaseFreeze.commit() that fails keeps the old generation and the old content", () => {
  const { caller, dbId, database, tdb, freeze, start } = setUp();
  freeze();
  start(5);
  tdb.store(textBytes("new"), new Uint8Array(24));
  tdb.file.commitError = { code: "no_space", reason: "disk full" };
  const commit = caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 5 });
  expect(commit.status).toBe(-1);
  expect(commit.error).toContain("disk full");
  expect([database.generation, database.freeze.transaction]).toEqual([77, "none"]);
  expect(tdb.file.contents.size).toBe(0);
});

test("DatabaseSet.freezeForInactive() makes volatile records invalid until a commit on the active node", () => {
  const { caller, dbId, database, host, tdb } = setUp();
  tdb.store(textBytes("k"), new Uint8Array(24));
  caller.set.freezeForInactive((outcome) =>
    expect(outcome).toEqual({ ok: true, value: undefined }),
  );
  host.time.settle();
  expect([database.invalidRecords, caller.set.allFrozen()]).toEqual([true, true]);
  const pull = { db_id: dbId, lmaster: 0, srvid: { hi: 1, lo: 2 } };
  expect(caller.now("DB_PULL", pull).data).toEqual(new Uint8Array(4));
  caller.now("DB_THAW", dbId);
  caller.now("DB_FREEZE", dbId);
  expect(caller.now("DB_PULL", pull).data).toEqual(new Uint8Array(4));
  const recover = (tid: number) => {
    caller.now("DB_TRANSACTION_START", { db_id: dbId, tid });
    expect(caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid }).status).toBe(0);
    return database.invalidRecords;
  };
  host.flags.set(host.pnn, NODE_FLAGS.STOPPED);
  expect(recover(5)).toBe(true);
  host.flags.set(host.pnn, 0);
  expect(recover(6)).toBe(false);
  expect(host.recoveriesCommitted).toBe(2);
  expect(caller.now("DB_PULL", pull).data).toEqual(new Uint8Array([1, 0, 0, 0]));
});

test("DB_TRANSACTION_START makes volatile records count again when nobody has recovered since they did", () => {
  const { caller, dbId, database, host } = setUp();
  const start = (flags: number, generation: number) => {
    caller.set.freezeForInactive(() => {});
    host.time.settle();
    const options = { flags, srvid: { hi: 0, lo: generation } };
    caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 5 }, options);
    return database.invalidRecords;
  };
  host.counted = 7;
  expect(start(TRANSACTION_UNBROKEN, 7)).toBe(true);
  database.contentGeneration = 7;
  expect(start(0, 7)).toBe(true);
  expect(start(TRANSACTION_UNBROKEN, 8)).toBe(true);
  expect(start(TRANSACTION_UNBROKEN, 7)).toBe(false);
});

test("DatabaseFreeze.commit() on an inactive node makes records invalid that came with it", () => {
  // Attached by a recovery that was under way when the node was stopped.
  const { database, host, freeze, start, caller, dbId } = setUp();
  host.flags.set(host.pnn, NODE_FLAGS.STOPPED);
  expect(database.invalidRecords).toBe(false);
  freeze();
  start(5);
  expect(caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 5 }).status).toBe(0);
  expect(database.invalidRecords).toBe(true);
});

/** A database in memory files whose disk can fail. */
function onDisk() {
  const host = new FakeHost();
  const disk = { fails: () => false };
  const memory = createMemoryTdbs({
    disk: new MemoryDisk({
      soon: (action) => host.time.soon(action),
      fileBytesMax: 1024 * 1024,
      refuses: () => (disk.fails() ? "EIO" : undefined),
    }),
    timers: host.time,
    clock: host.time,
    mutexesWork: false,
  });
  host.tdbs = memory.opener;
  host.lockWaiter = memory.lockWaiter;
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb");
  const control = (name: "DB_TRANSACTION_START" | "DB_TRANSACTION_COMMIT", tid: number) => {
    const answer = caller.call(name, { db_id: dbId, tid });
    host.time.advance(2000);
    return answer.reply?.status;
  };
  return { host, disk, caller, dbId, database, control };
}

test("DatabaseFreeze.startTransaction() undoes a commit that failed anywhere and was left so", () => {
  const key = textBytes("k");
  const value = (byte: number) => new Uint8Array(3000).fill(byte);
  let left = 0;
  for (let working = 0; ; working++) {
    const { host, disk, caller, dbId, database, control } = onDisk();
    must(database.tdb.store(key, value(1)));
    const frozen = caller.call("DB_FREEZE", dbId);
    host.time.advance(10);
    expect([frozen.reply?.status, control("DB_TRANSACTION_START", 1)]).toEqual([0, 0]);
    must(withWholeDatabase(database, () => database.tdb.store(key, value(2))));
    let operations = 0;
    disk.fails = () => ++operations > working;
    const committed = control("DB_TRANSACTION_COMMIT", 1) === 0;
    // While the disk fails a commit that was left is not undone.
    if (control("DB_TRANSACTION_START", 2) !== 0) left += 1;
    disk.fails = () => false;
    expect(control("DB_TRANSACTION_START", 3)).toBe(0);
    const content = must(withWholeDatabase(database, () => database.tdb.fetch(key)));
    expect(content).toEqual(value(committed ? 2 : 1));
    if (committed) break;
  }
  expect(left).toBeGreaterThan(0);
});
