import { expect, test } from "bun:test";
import { FakeCtdbd } from "../../test/support/fake_ctdbd.ts";
import { ManualTime, settle } from "../../test/support/manual_time.ts";
import { must } from "../../test/support/must.ts";
import { assert } from "../base/assert.ts";
import { u64 } from "../base/u64.ts";
import { createMemoryTdbs } from "../tdb/memory/memory_opener.ts";
import { TDB_FLAGS, type Tdb } from "../tdb/types.ts";
import { EMPTY, encode, textBytes } from "../wire/codec.ts";
import { CALL_FLAGS, DB_FLAGS, RECORD_FLAGS } from "../wire/constants.ts";
import { type LtdbHeader, ltdbHeader } from "../wire/structs/records.ts";
import { connectClient } from "./ctdb_client.ts";
import { openRecordDatabase, type RecordDatabase } from "./record_database.ts";

const PATH = "/db/test.tdb.0";
const FLAGS = TDB_FLAGS.VOLATILE | TDB_FLAGS.INCOMPATIBLE_HASH;
const KEY = textBytes("k1");
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

function header(dmaster: number, flags = 0): LtdbHeader {
  return { rsn: u64(0, 7), dmaster, reserved1: 0, flags };
}

/** A daemon on node 0 with one volatile database whose file the test writes as the daemon would. */
async function world(): Promise<{
  ctdbd: FakeCtdbd;
  time: ManualTime;
  file: Tdb;
  database: RecordDatabase;
  put: (dmaster: number, data: string, flags?: number) => void;
}> {
  const time = new ManualTime();
  const ctdbd = new FakeCtdbd(0)
    .on("DB_ATTACH", () => ({ data: 0x1234 }))
    .on("GETDBPATH", () => ({ data: PATH }))
    .on("DB_GET_HEALTH", () => ({ data: EMPTY }))
    .on("DB_OPEN_FLAGS", () => ({ data: FLAGS }))
    .on("SCHEDULE_FOR_DELETION", () => ({}));
  const { opener, disk } = createMemoryTdbs();
  const opened = opener.open({ path: PATH, flags: FLAGS, hashSize: 11, create: true });
  assert(opened.ok, "a new TDB in memory");
  const file = opened.value;
  const client = await connectClient(ctdbd.network, time, "/run/x");
  assert(client.ok, "the fake accepts");
  const tdbs = createMemoryTdbs({ disk }).opener;
  const environment = { tdbs, timers: time, clock: time };
  const database = must(await openRecordDatabase(client.value, environment, "test.tdb", 0, 1000));
  const put = (dmaster: number, data: string, flags = 0) => {
    const head = encode(ltdbHeader, header(dmaster, flags));
    const stored = file.storeParts(KEY, head, textBytes(data));
    assert(stored.ok, "nobody holds the chain");
  };
  return { ctdbd, time, file, database, put };
}

test("openRecordDatabase() refuses databases that are not volatile", async () => {
  const time = new ManualTime();
  const ctdbd = new FakeCtdbd(0)
    .on("DB_ATTACH_PERSISTENT", () => ({ data: 1 }))
    .on("GETDBPATH", () => ({ data: PATH }))
    .on("DB_GET_HEALTH", () => ({ data: EMPTY }))
    .on("DB_OPEN_FLAGS", () => ({ data: 0 }));
  const client = await connectClient(ctdbd.network, time, "/run/x");
  assert(client.ok, "the fake accepts");
  const environment = { tdbs: createMemoryTdbs().opener, timers: time, clock: time };
  const flags = DB_FLAGS.PERSISTENT;
  const opened = await openRecordDatabase(client.value, environment, "p.tdb", flags, 1000);
  expect(opened.ok ? undefined : opened.error.kind).toBe("not_allowed");
});

test("RecordDatabase.fetchLock() uses a record that is here without asking", async () => {
  const { ctdbd, database, put, file } = await world();
  put(0, "here");
  const locked = await database.fetchLock(KEY, { timeoutMs: 1000 });
  assert(locked.ok, "the record is here");
  expect(text(locked.value.data)).toBe("here");
  expect(ctdbd.calls).toEqual([]);
  expect(file.tryLockChain(file.chainOf(KEY), "write")).toBe("busy");
  locked.value.release();
  locked.value.release();
  expect(file.tryLockChain(file.chainOf(KEY), "write")).toBe("granted");
});

test("RecordDatabase.fetchLock() migrates a record until it is here", async () => {
  const { ctdbd, database, put } = await world();
  put(2, "");
  let calls = 0;
  ctdbd.onCall = () => {
    calls += 1;
    // The first time it is gone again before we look.
    if (calls === 2) put(0, "moved");
    return 0;
  };
  const locked = await database.fetchLock(KEY, { timeoutMs: 1000 });
  assert(locked.ok, "migrated at last");
  expect(text(locked.value.data)).toBe("moved");
  expect(ctdbd.calls).toEqual([
    { key: "k1", flags: CALL_FLAGS.IMMEDIATE_MIGRATION },
    { key: "k1", flags: CALL_FLAGS.IMMEDIATE_MIGRATION },
  ]);
});

test("RecordDatabase.fetchLock() fails when the migration is refused", async () => {
  const { ctdbd, database } = await world();
  ctdbd.onCall = () => -1;
  const locked = await database.fetchLock(KEY, { timeoutMs: 1000 });
  expect(locked.ok ? undefined : locked.error.kind).toBe("refused");
});

test("RecordDatabase.fetchLock() ends at its deadline when no answer comes", async () => {
  const { ctdbd, database, time } = await world();
  ctdbd.onCall = () => "silent";
  const pending = database.fetchLock(KEY, { timeoutMs: 1000 });
  await time.advance(1000);
  const locked = await pending;
  expect(locked.ok ? undefined : locked.error.kind).toBe("timeout");
});

test("RecordDatabase.fetchLock() waits for a chain that somebody holds", async () => {
  const { database, file, time, put } = await world();
  put(0, "x");
  file.tryLockChain(file.chainOf(KEY), "write");
  let locked = false;
  const pending = database.fetchLock(KEY, { timeoutMs: 1000 }).then((outcome) => {
    locked = outcome.ok;
  });
  await time.advance(200);
  expect(locked).toBe(false);
  file.unlockChain(file.chainOf(KEY));
  await time.advance(20);
  await pending;
  expect(locked).toBe(true);
});

test("RecordDatabase.fetchLock() gives up on a chain that is never free", async () => {
  const { database, file, time } = await world();
  file.tryLockChain(file.chainOf(KEY), "write");
  const pending = database.fetchLock(KEY, { timeoutMs: 100 });
  await time.advance(200);
  const locked = await pending;
  expect(locked.ok ? undefined : locked.error.kind).toBe("busy");
});

test("RecordDatabase.fetchLock() revokes delegations before it writes", async () => {
  const { ctdbd, database, put } = await world();
  put(0, "delegated", RECORD_FLAGS.RO_HAVE_DELEGATIONS);
  ctdbd.onCall = () => {
    put(0, "revoked");
    return 0;
  };
  const locked = await database.fetchLock(KEY, { timeoutMs: 1000 });
  expect(locked.ok && text(locked.value.data)).toBe("revoked");
});

test("RecordDatabase.fetchLock() of a read-only copy cannot be stored", async () => {
  const { ctdbd, database, put } = await world();
  put(2, "copy", RECORD_FLAGS.RO_HAVE_READONLY);
  const locked = await database.fetchLock(KEY, { timeoutMs: 1000, readonly: true });
  assert(locked.ok, "a copy is enough");
  expect(ctdbd.calls).toEqual([]);
  const stored = await locked.value.store(textBytes("no"), 1000);
  expect(stored.ok ? undefined : stored.error.kind).toBe("not_allowed");
});

test("LockedRecord.store() keeps the header", async () => {
  const { database, put, file } = await world();
  put(0, "old", RECORD_FLAGS.MIGRATED_WITH_DATA);
  const locked = await database.fetchLock(KEY, { timeoutMs: 1000 });
  assert(locked.ok, "the record is here");
  expect((await locked.value.store(textBytes("new"), 1000)).ok).toBe(true);
  locked.value.release();
  const value = file.fetch(KEY);
  assert(value.ok && value.value !== undefined, "stored");
  expect(value.value.subarray(0, 24)).toEqual(
    encode(ltdbHeader, header(0, RECORD_FLAGS.MIGRATED_WITH_DATA)),
  );
  expect(text(value.value.subarray(24))).toBe("new");
});

test("LockedRecord.delete() leaves the header and schedules the deletion", async () => {
  const { ctdbd, database, put, file } = await world();
  put(0, "old");
  const locked = await database.fetchLock(KEY, { timeoutMs: 1000 });
  assert(locked.ok, "the record is here");
  expect((await locked.value.delete(1000)).ok).toBe(true);
  await settle();
  const value = file.fetch(KEY);
  expect(value.ok && value.value).toEqual(encode(ltdbHeader, header(0)));
  expect(ctdbd.controls.at(-1)).toMatchObject({
    name: "SCHEDULE_FOR_DELETION",
    request: { db_id: 0x1234, header: header(0), key: KEY },
  });
  // It is released: the next lock needs no waiting.
  expect((await database.fetchLock(KEY, { timeoutMs: 0 })).ok).toBe(true);
});

test("RecordDatabase.read() looks at a record or a copy that is here without asking or locking", async () => {
  const { ctdbd, database, put, file } = await world();
  put(0, "own");
  const own = await database.read(KEY, 1000);
  expect(own.ok && text(own.value)).toBe("own");
  put(2, "copy", RECORD_FLAGS.RO_HAVE_READONLY);
  const copy = await database.read(KEY, 1000);
  expect(copy.ok && text(copy.value)).toBe("copy");
  expect(ctdbd.calls).toEqual([]);
  expect(file.tryLockChain(file.chainOf(KEY), "write")).toBe("granted");
});

test("RecordDatabase.read() asks for a record that is elsewhere, several at once", async () => {
  const { ctdbd, database, put, file } = await world();
  put(2, "old");
  ctdbd.callData = new Uint8Array([...encode(ltdbHeader, header(2)), ...textBytes("new")]);
  const reads = await Promise.all([database.read(KEY, 1000), database.read(KEY, 1000)]);
  expect(reads.map((read) => read.ok && text(read.value))).toEqual(["new", "new"]);
  expect(ctdbd.calls).toEqual([
    { key: "k1", flags: CALL_FLAGS.WANT_READONLY },
    { key: "k1", flags: CALL_FLAGS.WANT_READONLY },
  ]);
  const kept = file.fetch(KEY);
  expect(kept.ok && text(kept.value?.subarray(24))).toBe("old");
});

test("RecordDatabase.read() fails on a short answer, a refusal, and at its deadline", async () => {
  const { ctdbd, database, time, file } = await world();
  const kind = async () => {
    const read = await database.read(KEY, 1000);
    return read.ok ? undefined : read.error.kind;
  };
  expect(await kind()).toBe("malformed");
  ctdbd.onCall = () => -1;
  expect(await kind()).toBe("refused");
  ctdbd.onCall = () => "silent";
  const silent = kind();
  await time.advance(1000);
  expect(await silent).toBe("timeout");
  file.tryLockChain(file.chainOf(KEY), "write");
  const locked = kind();
  await time.advance(1100);
  expect(await locked).toBe("busy");
});
