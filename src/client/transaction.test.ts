/** Locks and transactions against a scripted daemon whose files the test writes. */
import { expect, test } from "bun:test";
import { FakeCtdbd } from "../../test/support/fake_ctdbd.ts";
import { ManualTime, settle } from "../../test/support/manual_time.ts";
import { must } from "../../test/support/must.ts";
import { assert } from "../base/assert.ts";
import { u64 } from "../base/u64.ts";
import { createMemoryTdbs } from "../tdb/memory/memory_opener.ts";
import { TDB_FLAGS } from "../tdb/types.ts";
import { EMPTY, encode, textBytes } from "../wire/codec.ts";
import { DB_FLAGS, SEQUENCE_KEY, SRVID } from "../wire/constants.ts";
import type { ControlRequestOf } from "../wire/controls.ts";
import { gLock, gLockList, type ServerId } from "../wire/structs/g_lock.ts";
import { connectClient } from "./ctdb_client.ts";
import { openPersistentDatabase } from "./persistent_database.ts";
import type { Transaction } from "./transaction.ts";

const LOCKS = "/v/g_lock.tdb.0";
const FILE = "/p/p.tdb.0";
const DB_ID = 0xabcd;
const LOCK_KEY = textBytes("transaction_db_0x0000abcd\0");
const HEADER_BYTES = 24;
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

type Commit = ControlRequestOf<"TRANS3_COMMIT">;

async function world() {
  const time = new ManualTime();
  const { opener, disk } = createMemoryTdbs();
  const make = (path: string) => {
    const made = opener.open({ path, flags: TDB_FLAGS.VOLATILE, hashSize: 11, create: true });
    assert(made.ok, "a new TDB in memory");
    return made.value;
  };
  const locks = make(LOCKS);
  const file = make(FILE);
  const commits: Commit[] = [];
  let drawn = 5;
  /** Writes what was sent, as all nodes would, and says how the commit ends. */
  let onCommit = (request: Commit): { status: number; error?: string } | "silent" => {
    write(request);
    return { status: 0 };
  };
  const write = (request: Commit) => {
    for (const { key, data } of request.records) assert(file.store(key, data).ok, "no locks");
  };
  const ctdbd = new FakeCtdbd(0)
    .on("DB_ATTACH", () => ({ data: 1 }))
    .on("DB_ATTACH_PERSISTENT", () => ({ data: DB_ID }))
    .on("GETDBPATH", (dbId) => ({ data: dbId === 1 ? LOCKS : FILE }))
    .on("DB_GET_HEALTH", () => ({ data: EMPTY }))
    .on("DB_OPEN_FLAGS", () => ({ data: TDB_FLAGS.VOLATILE }))
    .on("GET_RECMODE", () => ({ status: 0 }))
    .on("SCHEDULE_FOR_DELETION", () => ({}))
    .on("TRANS3_COMMIT", (request) => {
      commits.push(request);
      return onCommit(request);
    });
  // A new record of the database of locks is here, with nobody in it.
  locks.store(LOCK_KEY, new Uint8Array(HEADER_BYTES));
  const connected = await connectClient(ctdbd.network, time, "/run/x");
  assert(connected.ok, "the fake accepts");
  const environment = {
    tdbs: createMemoryTdbs({ disk }).opener,
    timers: time,
    clock: time,
    pid: 77,
    random: { u32: () => ++drawn },
  };
  const flags = DB_FLAGS.PERSISTENT;
  const database = must(
    await openPersistentDatabase(connected.value, environment, "p.tdb", flags, 1000),
  );
  const holders = () => {
    const fetched = locks.fetch(LOCK_KEY);
    const value = fetched.ok ? fetched.value : undefined;
    const list: number[] = [];
    for (let at = HEADER_BYTES; at < (value?.length ?? 0); at += gLock.minSize) {
      list.push(value?.[at + 8] ?? 0);
    }
    return list;
  };
  const hold = (holder: ServerId, type = 1) => {
    const entries = encode(gLockList, [{ type, server_id: holder }]);
    const value = new Uint8Array(HEADER_BYTES + entries.length);
    value.set(entries, HEADER_BYTES);
    locks.store(LOCK_KEY, value);
  };
  return {
    time,
    ctdbd,
    database,
    file,
    commits,
    write,
    holders,
    hold,
    commitsAre: (action: typeof onCommit) => {
      onCommit = action;
    },
  };
}

const other = (pid: number): ServerId => ({
  pid: u64(0, pid),
  task: DB_ID,
  vnn: 2,
  unique: u64(1, 1),
});

/** Moves time until the promise is there. */
async function passing<T>(time: ManualTime, promise: Promise<T>): Promise<T> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  promise.then(end, end);
  for (let i = 0; i < 1000 && !over; i++) {
    await settle();
    if (!over) await time.advance(20);
  }
  return promise;
}

const store = (value: string) => (transaction: Transaction) =>
  transaction.store(textBytes("k"), textBytes(value), 1000);

test("PersistentDatabase.transact() commits the record and the next sequence number", async () => {
  const { time, database, commits, holders } = await world();
  const done = await passing(
    time,
    database.transact(1000, async (transaction) => {
      expect(holders()).toEqual([77]);
      const before = await transaction.fetch(textBytes("k"), 1000);
      expect(before.ok && before.value.length).toBe(0);
      const stored = await transaction.store(textBytes("k"), textBytes("v"), 1000);
      const own = await transaction.fetch(textBytes("k"), 1000);
      expect(own.ok && text(own.value)).toBe("v");
      return stored;
    }),
  );
  expect(done.ok).toBe(true);
  expect(commits.length).toBe(1);
  const [record, number] = commits[0]?.records ?? [];
  expect(text(record?.data.subarray(HEADER_BYTES))).toBe("v");
  // rsn 1, data master 0: nobody had written the key.
  expect([...(record?.data.subarray(0, 12) ?? [])]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  expect(number?.key).toEqual(SEQUENCE_KEY);
  expect(number?.data[HEADER_BYTES]).toBe(1);
  expect(holders()).toEqual([]);
  const read = await database.fetch(textBytes("k"), 1000);
  expect(read.ok && text(read.value)).toBe("v");
});

test("Transactions of several tasks come one after the other", async () => {
  const { time, database, commits } = await world();
  const add = () =>
    database.transact(10_000, async (transaction) => {
      const old = await transaction.fetch(textBytes("n"), 1000);
      if (!old.ok) return old;
      await settle();
      const next = textBytes(String(Number(text(old.value)) + 1));
      return transaction.store(textBytes("n"), next, 1000);
    });
  const done = await passing(time, Promise.all([add(), add(), add(), add()]));
  expect(done.map(({ ok }) => ok)).toEqual([true, true, true, true]);
  expect(commits.length).toBe(4);
  const read = await database.fetch(textBytes("n"), 1000);
  expect(read.ok && text(read.value)).toBe("4");
});

test("A transaction waits for the holder of the lock, and takes that of a dead one", async () => {
  const { time, ctdbd, database, hold, holders } = await world();
  let alive = true;
  ctdbd.on("PROCESS_EXISTS", () => (alive ? {} : { status: -1 }));
  hold(other(12));
  const waiting = database.transact(5000, store("v"));
  await time.advance(1900);
  expect(holders()).toEqual([12]);
  alive = false;
  expect((await passing(time, waiting)).ok).toBe(true);
  const asked = ctdbd.controls.filter(({ name }) => name === "PROCESS_EXISTS");
  const whom = new Set(asked.map(({ destnode, request }) => `${request} on node ${destnode}`));
  expect(whom).toEqual(new Set(["12 on node 2"]));
  expect(asked.length).toBeLessThan(5);
});

test("A transaction ends at its deadline while another holds the lock", async () => {
  const { time, ctdbd, database, hold, holders } = await world();
  ctdbd.on("PROCESS_EXISTS", () => ({}));
  hold(other(12));
  const done = await passing(time, database.transact(3000, store("v")));
  expect(done.ok ? undefined : done.error.kind).toBe("busy");
  expect(holders()).toEqual([12]);
});

test("A lock that was given back counts for nothing when a recovery brings its entry back", async () => {
  const { time, ctdbd, database, hold } = await world();
  const registered = new Set<number>();
  const follow = () => {
    registered.clear();
    for (const { name, srvid } of ctdbd.controls) {
      if (name === "REGISTER_SRVID") registered.add(srvid.lo);
      if (name === "DEREGISTER_SRVID") registered.delete(srvid.lo);
    }
    return [...registered];
  };
  ctdbd.on("CHECK_PID_SRVID", ({ srvid }) => ({ status: follow().includes(srvid.lo) ? 0 : -1 }));
  let held: number[] = [];
  const recover = () => ctdbd.sendMessage(SRVID.RECONFIGURE, EMPTY);
  const done = database.transact(1000, (transaction) => {
    recover();
    held = follow().filter((low) => low !== SRVID.RECONFIGURE.lo);
    return store("a")(transaction);
  });
  expect((await passing(time, done)).ok).toBe(true);
  expect(held.length).toBe(1);
  // Others who ask now are told that it is nobody's.
  await settle();
  expect(follow()).not.toContain(held[0] ?? 0);
  hold({ ...other(77), vnn: 0, unique: u64(0xbe610c00, held[0] ?? 0) });
  expect((await passing(time, database.transact(3000, store("b")))).ok).toBe(true);
});

test("A lock that was given back does not keep its own client waiting when its entry comes back", async () => {
  const { time, ctdbd, database, hold } = await world();
  let own = 0;
  ctdbd.on("CHECK_PID_SRVID", () => ({ status: 0 }));
  const first = database.transact(1000, (transaction) => {
    for (const { name, srvid } of ctdbd.controls) if (name === "REGISTER_SRVID") own = srvid.lo;
    return store("a")(transaction);
  });
  expect((await passing(time, first)).ok).toBe(true);
  // The id is still in use: by the next transaction, which would wait for itself.
  hold({ ...other(77), vnn: 0, unique: u64(0xbe610c00, own) });
  expect((await passing(time, database.transact(3000, store("b")))).ok).toBe(true);
});

test("A lock of this library is free when its connection is gone", async () => {
  const { time, ctdbd, database, hold } = await world();
  ctdbd.on("PROCESS_EXISTS", () => ({}));
  ctdbd.on("CHECK_PID_SRVID", () => ({ status: -1 }));
  hold({ ...other(77), unique: u64(0xbe610c00, 99) });
  expect((await passing(time, database.transact(3000, store("v")))).ok).toBe(true);
});

test("Transaction.commit() tries again what was refused, and believes a number only with its records", async () => {
  const { time, database, commits, write, commitsAre } = await world();
  let tries = 0;
  commitsAre((request) => {
    tries += 1;
    if (tries < 3) return { status: -1, error: "a recovery runs" };
    write(request);
    return { status: 2 };
  });
  expect((await passing(time, database.transact(5000, store("a")))).ok).toBe(true);
  expect(commits.length).toBe(3);

  // Somebody else's commit under the same number.
  commitsAre((request) => {
    const theirs = request.records.map((record) =>
      record.key.length === 1 ? { ...record, data: new Uint8Array(30) } : record,
    );
    write({ ...request, records: theirs });
    return { status: 2 };
  });
  const lost = await passing(time, database.transact(5000, store("b")));
  expect(lost.ok ? undefined : lost.error.kind).toBe("conflict");
});

test("Transaction.commit() does not take for its own what another node's client has committed alike", async () => {
  const { time, database, write, commitsAre } = await world();
  const alike = (request: Commit) => {
    const records = request.records.map((record) => {
      const data = record.data.slice();
      // The data master of the header: the other client's node.
      data[8] = 2;
      return { ...record, data };
    });
    write({ ...request, records });
  };
  // Nothing of ours was begun, or all nodes have what the other one wrote.
  for (const status of [-1, 2]) {
    commitsAre((request) => {
      alike(request);
      return { status, ...(status < 0 ? { error: "a recovery runs" } : {}) };
    });
    const done = await passing(time, database.transact(5000, store(`value${status}`)));
    expect(done.ok ? undefined : done.error.kind).toBe("conflict");
  }
});

test("A transaction does not take the lock of a node whose link is lost before a recovery has decided", async () => {
  const { time, ctdbd, database, hold, holders } = await world();
  let recovering = 1;
  let isBack = false;
  ctdbd.on("GET_RECMODE", () => ({ status: recovering }));
  ctdbd.on("PROCESS_EXISTS", () => (isBack ? {} : { status: -1, error: "node is disconnected" }));
  hold(other(12));
  const waiting = database.transact(20_000, store("v"));
  await time.advance(3000);
  expect(holders()).toEqual([12]);
  isBack = true;
  recovering = 0;
  await time.advance(3000);
  expect(holders()).toEqual([12]);
  isBack = false;
  expect((await passing(time, waiting)).ok).toBe(true);
});

test("Transaction.commit() without an answer ends as unknown", async () => {
  const { time, database, commitsAre, holders } = await world();
  commitsAre(() => "silent");
  const done = await passing(time, database.transact(2000, store("v")));
  expect(done.ok ? undefined : done.error.kind).toBe("unknown");
  expect(holders()).toEqual([]);
});

test("Transaction.commit() sees that what it read was replaced", async () => {
  const { time, database, file, commits } = await world();
  const done = await passing(
    time,
    database.transact(2000, async (transaction) => {
      await transaction.fetch(textBytes("read"), 1000);
      file.store(textBytes("read"), new Uint8Array(40));
      return transaction.store(textBytes("k"), textBytes("v"), 1000);
    }),
  );
  expect(done.ok ? undefined : done.error.kind).toBe("conflict");
  expect(commits.length).toBe(0);
});

test("A transaction for reading stores nothing, and one that throws gives its lock back", async () => {
  const { time, database, holders, commits } = await world();
  const begun = await passing(time, database.begin({ timeoutMs: 1000, readonly: true }));
  assert(begun.ok, "nobody holds the lock");
  const stored = await begun.value.store(textBytes("k"), textBytes("v"), 1000);
  expect(stored.ok ? undefined : stored.error.kind).toBe("not_allowed");
  await passing(time, begun.value.cancel(1000));
  expect(holders()).toEqual([]);
  const thrown = database.transact(1000, () => Promise.reject(new Error("of the caller")));
  await expect(passing(time, thrown)).rejects.toThrow("of the caller");
  expect([holders(), commits]).toEqual([[], []]);
});

test("Transaction.commit() that is refused late may have been done, and ends as unknown", async () => {
  const { time, database, commitsAre } = await world();
  commitsAre(() => {
    time.nowMs += 5100;
    return { status: -1, error: "a recovery has begun" };
  });
  const done = await passing(time, database.transact(6000, store("v")));
  expect(done.ok ? undefined : done.error.kind).toBe("unknown");
});

test("Transaction.commit() sends nothing for a value that is as it was, and gives the lock back", async () => {
  const { time, ctdbd, database, commits, holders } = await world();
  expect((await passing(time, database.transact(1000, store("v")))).ok).toBe(true);
  const scheduled = () => ctdbd.controls.filter(({ name }) => name === "SCHEDULE_FOR_DELETION");
  // Nobody holds the lock any more: its record may go.
  expect(scheduled().length).toBe(1);
  const begun = await passing(time, database.begin({ timeoutMs: 1000 }));
  assert(begun.ok, "nobody holds the lock");
  for (const value of ["w", "v"]) {
    expect((await passing(time, store(value)(begun.value))).ok).toBe(true);
  }
  const other = textBytes("other");
  await passing(time, begun.value.store(other, textBytes("new"), 1000));
  expect(holders()).toEqual([77]);
  expect((await passing(time, begun.value.commit(1000))).ok).toBe(true);
  expect(commits.at(-1)?.records.map(({ key }) => key)).toEqual([other, SEQUENCE_KEY]);
  expect(holders()).toEqual([]);
});

test("A lock whose holder's node does not answer stays its own; readers share one", async () => {
  const { time, ctdbd, database, hold, holders } = await world();
  ctdbd.on("PROCESS_EXISTS", () => "silent");
  hold(other(12));
  const waiting = await passing(time, database.transact(3000, store("v")));
  expect(waiting.ok ? undefined : waiting.error.kind).toBe("busy");
  expect(holders()).toEqual([12]);
  hold(other(12), 0);
  const reading = await passing(time, database.begin({ timeoutMs: 100, readonly: true }));
  expect(reading.ok).toBe(true);
  expect(holders()).toEqual([12, 77]);
});

test("Transaction.commit() believes what a node has only after the recovery that decides about it", async () => {
  const { time, ctdbd, database, file, commits, write, commitsAre } = await world();
  let recovering = 0;
  ctdbd.on("GET_RECMODE", () => {
    recovering -= 1;
    if (recovering === 0) {
      // The content of a node that had not written it.
      for (const { key } of commits[0]?.records ?? []) assert(file.delete(key).ok, "no locks");
    }
    return { status: recovering > 0 ? 1 : 0 };
  });
  commitsAre((request) => {
    write(request);
    recovering = 3;
    return { status: commits.length === 1 ? 2 : 0 };
  });
  expect((await passing(time, database.transact(5000, store("v")))).ok).toBe(true);
  expect(commits.length).toBe(2);
  const read = await database.fetch(textBytes("k"), 1000);
  expect(read.ok && text(read.value)).toBe("v");
});
