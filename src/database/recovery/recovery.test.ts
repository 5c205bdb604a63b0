import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../../test/database/fake_host.ts";
import type { MemoryTdb } from "../../../test/database/memory_tdb.ts";
import { recordValue } from "../../../test/database/record_values.ts";
import { decodeExact, textBytes } from "../../wire/codec.ts";
import { RECORD_FLAGS, SEQUENCE_KEY } from "../../wire/constants.ts";
import { Reader } from "../../wire/reader.ts";
import { ltdbReserved, setLtdbReserved } from "../../wire/records/ltdb_header.ts";
import { RecBufferBuilder } from "../../wire/records/rec_buffer.ts";
import { recBuffer } from "../../wire/structs/records.ts";

const SRVID = { hi: 0xf0010000, lo: 5 };

function setUp(attach: "DB_ATTACH" | "DB_ATTACH_REPLICATED" = "DB_ATTACH") {
  const host = new FakeHost(0);
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb", attach);
  const tdb = database.tdb as MemoryTdb;
  const request = { db_id: dbId, lmaster: 0xffffffff, srvid: SRVID };
  const message = (data: Uint8Array) => host.handlers.get(`${SRVID.hi}:${SRVID.lo}`)?.(data, 1);
  const count = (data: Uint8Array | undefined) => new Reader(data ?? new Uint8Array()).u32();
  return { host, caller, dbId, database, tdb, request, message, count };
}

test("Pull sends buffers within RecBufferSizeLimit, then the count", () => {
  const { host, caller, tdb, dbId, request, count } = setUp();
  const keys = Array.from({ length: 100 }, (_, i) => textBytes(`key ${i}`));
  for (const key of keys) tdb.store(key, recordValue({ data: "some data" }));
  host.tunables["RecBufferSizeLimit"] = 500;
  caller.now("DB_FREEZE", dbId);
  const answer = caller.call("DB_PULL", request, { srcnode: 2, clientId: 0 });
  expect(answer.reply).toBeUndefined();
  host.time.settle();
  expect(count(answer.reply?.data)).toBe(100);
  expect(host.messagesSent.length).toBeGreaterThan(10);
  const seen = host.messagesSent.flatMap(({ destination, srvid, data }) => {
    expect([destination, srvid, data.length <= 500]).toEqual([2, SRVID, true]);
    const buffer = decodeExact(recBuffer, data);
    return buffer.ok ? buffer.value.records.map(({ key }) => Buffer.from(key).toString()) : [];
  });
  expect(seen.sort()).toEqual(keys.map((key) => Buffer.from(key).toString()).sort());
});

test("recovering() tells how far a recovery is with each database, and nothing when it is thawed", () => {
  const { host, caller, tdb, dbId, request } = setUp();
  for (let i = 0; i < 100; i++) tdb.store(textBytes(`key ${i}`), recordValue({ data: "x" }));
  const told = () => caller.set.recovering();
  expect(told()).toEqual({ databases: 1, ready: 1, recovering: [] });
  caller.now("DB_FREEZE", dbId);
  host.time.advance(1500);
  const [frozen] = told().recovering;
  expect(frozen).toEqual({ name: "x.tdb", doing: 1, age_ms: 1500, records: 0 });
  caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 7 });
  caller.call("DB_PULL", request, { srcnode: 2, clientId: 0 });
  host.time.settle();
  const [pulled] = told().recovering;
  expect(pulled).toMatchObject({ doing: 2, records: 100 });
  caller.now("DB_TRANSACTION_CANCEL", dbId);
  caller.now("DB_THAW", dbId);
  expect(told().recovering).toEqual([]);
  caller.now("DB_FREEZE", dbId);
  expect(told().recovering).toMatchObject([{ doing: 1, records: 0 }]);
});

test("Pull leaves out what is too short for a record", () => {
  const { host, caller, tdb, dbId, request, count } = setUp();
  for (const length of [0, 1, 23]) tdb.store(textBytes(`short ${length}`), new Uint8Array(length));
  tdb.store(textBytes("empty"), recordValue({}));
  caller.now("DB_FREEZE", dbId);
  const answer = caller.call("DB_PULL", request, { srcnode: 2, clientId: 0 });
  host.time.settle();
  expect(count(answer.reply?.data)).toBe(1);
  const buffer = decodeExact(recBuffer, host.messagesSent[0]?.data ?? new Uint8Array());
  expect(buffer.ok && buffer.value.records.map(({ key }) => Buffer.from(key).toString())).toEqual([
    "empty",
  ]);
});

test("Pull works in slices, and a thaw in between refuses it", () => {
  const { host, caller, tdb, dbId, request } = setUp();
  tdb.file.hashSize = 4096;
  for (let i = 0; i < 2000; i++) tdb.store(textBytes(`key ${i}`), recordValue({ data: "x" }));
  caller.now("DB_FREEZE", dbId);
  host.time.tickPerLookMs = 3;
  const answer = caller.call("DB_PULL", request);
  host.time.runOneSoon();
  expect(answer.reply).toBeUndefined();
  caller.call("DB_THAW", dbId);
  host.time.settle();
  expect(answer.reply?.status).toBe(-1);
});

test("Pull and push need a frozen database", () => {
  const { caller, dbId, request } = setUp();
  expect(caller.now("DB_PULL", request).status).toBe(-1);
  expect(caller.now("DB_PUSH_START", request).status).toBe(-1);
  expect(caller.now("DB_PUSH_CONFIRM", dbId).status).toBe(-1);
  caller.now("DB_FREEZE", dbId);
  expect(caller.now("DB_PUSH_CONFIRM", dbId).status).toBe(-1);
});

test("Push stores in slices, strips read-only flags, and confirms the count", () => {
  const { host, caller, tdb, dbId, request, message, count } = setUp();
  caller.now("DB_FREEZE", dbId);
  caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 9 });
  expect(caller.now("DB_PUSH_START", request).status).toBe(0);
  host.time.tickPerLookMs = 3;
  const flags = RECORD_FLAGS.MIGRATED_WITH_DATA | RECORD_FLAGS.RO_HAVE_DELEGATIONS;
  for (let part = 0; part < 3; part++) {
    const builder = new RecBufferBuilder(dbId);
    for (let i = 0; i < 100; i++) {
      builder.add(
        0,
        textBytes(`key ${part} ${i}`),
        recordValue({ rsn: 4, dmaster: part % 2, flags, data: "data" }),
      );
    }
    const bytes = builder.finish().slice();
    message(bytes);
    bytes.fill(0xff);
  }
  const confirm = caller.call("DB_PUSH_CONFIRM", dbId);
  expect(confirm.reply).toBeUndefined();
  host.time.advance(2000);
  expect(count(confirm.reply?.data)).toBe(300);
  expect(host.handlers.size).toBe(0);
  host.time.tickPerLookMs = 0;
  caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 9 });
  // The leader's push raises the RSN where the data master stores itself, not elsewhere.
  expect(tdb.file.contents.get("key 0 7")?.data).toEqual(
    recordValue({ rsn: 5, dmaster: 0, flags: RECORD_FLAGS.MIGRATED_WITH_DATA, data: "data" }),
  );
  expect(tdb.file.contents.get("key 1 7")?.data).toEqual(
    recordValue({ rsn: 4, dmaster: 1, flags: RECORD_FLAGS.MIGRATED_WITH_DATA, data: "data" }),
  );
});

test("Push stores replicated records as they are", () => {
  const { caller, tdb, dbId, request, message } = setUp("DB_ATTACH_REPLICATED");
  caller.now("DB_FREEZE", dbId);
  caller.now("DB_PUSH_START", request);
  const builder = new RecBufferBuilder(dbId);
  builder.add(0, textBytes("k"), recordValue({ rsn: 4, dmaster: 0, data: "data" }));
  builder.add(0, textBytes("empty"), recordValue({ rsn: 4, dmaster: 2 }));
  message(builder.finish());
  expect(caller.now("DB_PUSH_CONFIRM", dbId).data).toEqual(new Uint8Array([2, 0, 0, 0]));
  expect(tdb.file.contents.get("k")?.data).toEqual(
    recordValue({ rsn: 4, dmaster: 0, data: "data" }),
  );
  expect(tdb.file.contents.get("empty")?.data).toEqual(recordValue({ rsn: 4, dmaster: 2 }));
});

test("Push goes beyond the count of a recovery that failed here", () => {
  const { caller, tdb, dbId, request, message } = setUp("DB_ATTACH_REPLICATED");
  const recovered = (recoveries: number) => {
    caller.now("DB_FREEZE", dbId);
    caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 9 });
    caller.now("DB_PUSH_START", request);
    const value = recordValue({ rsn: 4, dmaster: 0, data: "number" });
    setLtdbReserved(value, 0, recoveries);
    const builder = new RecBufferBuilder(dbId);
    builder.add(0, SEQUENCE_KEY, value);
    message(builder.finish());
    caller.now("DB_PUSH_CONFIRM", dbId);
    const stored = tdb.fetch(SEQUENCE_KEY);
    return stored.ok && stored.value !== undefined ? ltdbReserved(stored.value, 0) : undefined;
  };
  expect(recovered(7)).toBe(7);
  // The commit failed here; the next one knows only what this node has.
  caller.now("DB_TRANSACTION_CANCEL", dbId);
  expect(recovered(3)).toBe(8);
  expect(recovered(12)).toBe(12);
});

test("DB_PUSH_CONFIRM fails with the reason after a buffer that is damaged", () => {
  const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => bytes.subarray(0, bytes.length - 1),
    (bytes) => bytes.subarray(0, 4),
    (bytes) => bytes.with(7, 0x7f),
    (bytes) => bytes.with(8 + 12, 5).with(8, 16 + 1 + 5),
  ];
  for (const damage of damages) {
    const { caller, dbId, request, message } = setUp();
    caller.now("DB_FREEZE", dbId);
    caller.now("DB_PUSH_START", request);
    const builder = new RecBufferBuilder(dbId);
    builder.add(0, textBytes("k"), recordValue({ rsn: 4, dmaster: 0, data: "data" }));
    const good = builder.finish().slice();
    message(good);
    message(damage(good));
    message(good);
    const { status, error } = caller.now("DB_PUSH_CONFIRM", dbId);
    expect(status).toBe(-1);
    expect(error).toStartWith("Cannot store pushed records of database ");
  }
});

test("Push takes records whatever database their buffer names", () => {
  const { caller, tdb, dbId, request, message } = setUp();
  caller.now("DB_FREEZE", dbId);
  caller.now("DB_PUSH_START", request);
  const builder = new RecBufferBuilder(dbId ^ 1);
  builder.add(0, textBytes("k"), recordValue({ rsn: 4, dmaster: 0, data: "data" }));
  message(builder.finish());
  expect(caller.now("DB_PUSH_CONFIRM", dbId).data).toEqual(new Uint8Array([1, 0, 0, 0]));
  expect(tdb.file.contents.has("k")).toBe(true);
});

test("Push is ended by a new push, a new transaction and a thaw", () => {
  for (const end of ["push", "transaction", "thaw", "wipe"] as const) {
    const { host, caller, dbId, request, message, database } = setUp();
    caller.now("DB_FREEZE", dbId);
    caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 9 });
    caller.now("DB_PUSH_START", request);
    host.time.tickPerLookMs = 3;
    const builder = new RecBufferBuilder(dbId);
    for (let i = 0; i < 100; i++)
      builder.add(0, textBytes(`${i}`), recordValue({ rsn: 4, dmaster: 0, data: "data" }));
    message(builder.finish());
    const confirm = caller.call("DB_PUSH_CONFIRM", dbId);
    expect(confirm.reply).toBeUndefined();
    if (end === "push") caller.call("DB_PUSH_START", request);
    else if (end === "transaction") caller.call("DB_TRANSACTION_START", { db_id: dbId, tid: 10 });
    else if (end === "wipe") caller.call("WIPE_DATABASE", { db_id: dbId, tid: 9 });
    else caller.call("DB_THAW", dbId);
    expect(confirm.reply).toMatchObject({ status: -1 });
    const stores = (database.tdb as MemoryTdb).stores;
    host.time.advance(2000);
    expect((database.tdb as MemoryTdb).stores).toBe(stores);
    expect(host.handlers.size).toBe(end === "push" ? 1 : 0);
  }
});
