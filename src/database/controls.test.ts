/** Controls about databases that the other tests do not touch. */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../test/database/fake_host.ts";
import type { MemoryTdb } from "../../test/database/memory_tdb.ts";
import { recordHeader, recordValue } from "../../test/database/record_values.ts";
import { must } from "../../test/support/must.ts";
import { jenkinsHash } from "../base/jenkins_hash.ts";
import { u64 } from "../base/u64.ts";
import { decodeExact, encode, textBytes, u32Codec } from "../wire/codec.ts";
import { DB_FLAGS, RECORD_FLAGS } from "../wire/constants.ts";
import { CONTROLS, type ControlName } from "../wire/controls.ts";
import { BROADCAST_ACTIVE, BROADCAST_CONNECTED } from "../wire/packet.ts";
import { Reader } from "../wire/reader.ts";
import { dbIdMap, traverseAll, traverseStart } from "../wire/structs/databases.ts";
import { recBuffer, recData } from "../wire/structs/records.ts";
import { dbStatistics } from "../wire/structs/statistics.ts";
import { RecordHeader } from "./record/record_header.ts";
import { DELETE_QUEUE_MAX } from "./vacuum/limits.ts";

function setUp(pnn = 0) {
  const host = new FakeHost(pnn);
  for (const node of [0, 1, 2]) host.flags.set(node, 0);
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb");
  return { host, caller, dbId, database, tdb: database.tdb as MemoryTdb };
}

const text = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString();

test("Controls about an unknown database answer -1", () => {
  const { caller } = setUp();
  const names: ControlName[] = [
    "GETDBPATH",
    "GET_DBNAME",
    "DB_OPEN_FLAGS",
    "ENABLE_SEQNUM",
    "GET_DB_STATISTICS",
    "DB_GET_HEALTH",
    "DB_SET_HEALTHY",
    "SET_DB_READONLY",
    "SET_DB_STICKY",
    "DB_FREEZE",
    "DB_THAW",
    "DB_TRANSACTION_CANCEL",
    "DB_PUSH_CONFIRM",
    "DB_DETACH",
  ];
  for (const name of names) expect([name, caller.now(name, 1 as never).status]).toEqual([name, -1]);
  const tid = { db_id: 1, tid: 1 };
  for (const name of ["DB_TRANSACTION_START", "DB_TRANSACTION_COMMIT", "WIPE_DATABASE"] as const) {
    expect(caller.now(name, tid).status).toBe(-1);
  }
});

test("GETDBPATH, GET_DBNAME and GET_DBMAP describe the databases", () => {
  const { caller, dbId } = setUp();
  const secondId = caller.attach("p.tdb", "DB_ATTACH_PERSISTENT");
  expect(text(caller.now("GETDBPATH", dbId).data)).toBe("/v/x.tdb.0\0");
  expect(text(caller.now("GET_DBNAME", secondId).data)).toBe("p.tdb\0");
  const map = decodeExact(dbIdMap, caller.now("GET_DBMAP", undefined).data ?? new Uint8Array());
  expect(map.ok && map.value).toEqual([
    { db_id: secondId, flags: DB_FLAGS.PERSISTENT },
    { db_id: dbId, flags: 0 },
  ]);
});

test("DB_OPEN_FLAGS answers the flags in force", () => {
  const { caller, dbId } = setUp();
  const flags = () => new Reader(caller.now("DB_OPEN_FLAGS", dbId).data ?? new Uint8Array()).u32();
  expect(flags()).toBe(0x1c41);
  caller.now("ENABLE_SEQNUM", dbId);
  expect(flags()).toBe(0x1cc1);
});

test("ENABLE_SEQNUM tells the active nodes when the number moves, but not what they told us", () => {
  const { host, caller, dbId, tdb } = setUp();
  caller.now("ENABLE_SEQNUM", dbId);
  caller.now("ENABLE_SEQNUM", dbId);
  host.time.advance(2500);
  expect(host.controlsSent).toEqual([]);
  tdb.store(textBytes("k"), recordValue({}));
  host.time.advance(1000);
  const update = {
    destination: BROADCAST_ACTIVE,
    opcode: CONTROLS.UPDATE_SEQNUM.opcode,
    data: encode(u32Codec, dbId),
  };
  expect(host.controlsSent).toEqual([update]);
  const before = tdb.sequenceNumber();
  caller.now("UPDATE_SEQNUM", dbId, { srcnode: 0, clientId: 0 });
  expect(tdb.sequenceNumber()).toBe(before);
  caller.now("UPDATE_SEQNUM", dbId, { srcnode: 1, clientId: 0 });
  expect(tdb.sequenceNumber()).toBe(before + 1);
  host.time.advance(5000);
  expect(host.controlsSent).toEqual([update]);
});

test("UPDATE_SEQNUM does not hide a move of our own that nobody was told of yet", () => {
  const { host, caller, dbId, tdb } = setUp();
  caller.now("ENABLE_SEQNUM", dbId);
  tdb.store(textBytes("k"), recordValue({}));
  caller.now("UPDATE_SEQNUM", dbId, { srcnode: 1, clientId: 0 });
  host.time.advance(1000);
  expect(host.controlsSent.map(({ opcode }) => opcode)).toEqual([CONTROLS.UPDATE_SEQNUM.opcode]);
  host.time.advance(5000);
  expect(host.controlsSent.length).toBe(1);
});

test("GET_DB_SEQNUM reads the record of transactions, also frozen in one, and writes nothing", () => {
  const { host, caller, dbId, tdb } = setUp();
  const read = () => caller.now("GET_DB_SEQNUM", { db_id: dbId });
  expect(read().data).toEqual(new Uint8Array(8));
  expect(tdb.file.contents.size).toBe(0);
  const key = textBytes("__db_sequence_number__\0");
  const number = new Uint8Array([1, 2, 0, 0, 0, 0, 0, 9]);
  const whole = new Uint8Array(32);
  whole.set(number, 24);
  tdb.store(key, whole);
  expect(read().data).toEqual(number);
  caller.now("DB_FREEZE", dbId);
  expect(read().status).toBe(-1);
  caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 1 });
  expect(read().data).toEqual(number);
  caller.now("DB_THAW", dbId);
  const release = tdb.file.hold(tdb.chainOf(key));
  const waiting = caller.call("GET_DB_SEQNUM", { db_id: dbId });
  host.time.advance(100);
  expect(waiting.reply).toBeUndefined();
  release();
  host.time.advance(100);
  expect(waiting.reply?.data).toEqual(number);
});

test("SET_DB_READONLY and SET_DB_STICKY set the flag of volatile databases", () => {
  const { caller, dbId, database } = setUp();
  expect(caller.now("SET_DB_READONLY", dbId).status).toBe(0);
  expect(caller.now("SET_DB_STICKY", dbId).status).toBe(0);
  expect(database.flags).toBe(DB_FLAGS.READONLY | DB_FLAGS.STICKY);
  const persistent = caller.attach("p.tdb", "DB_ATTACH_PERSISTENT");
  expect(caller.now("SET_DB_READONLY", persistent).status).toBe(-1);
});

test("GET_DB_STATISTICS shows the hottest keys of migrations", () => {
  const { host, caller, dbId, database } = setUp();
  for (let i = 0; i < 12; i++) {
    for (let n = 0; n <= i; n++) database.hotKeys.count(i, textBytes(`key ${i}`), host.time.nowMs);
  }
  const reply = caller.now("GET_DB_STATISTICS", dbId);
  const read = must(decodeExact(dbStatistics, reply.data ?? new Uint8Array()));
  expect(read.hot_keys.map(({ count, key }) => [count, text(key)])).toEqual(
    Array.from({ length: 10 }, (_, i) => [i + 3, `key ${i + 2}`]),
  );
  caller.set.resetStatistics();
  expect(database.hotKeys.list()).toEqual([]);
});

// --- vacuum of others

test("SCHEDULE_FOR_DELETION keeps the key with its header", () => {
  const { caller, dbId, database } = setUp();
  const header = { rsn: u64(0, 5), dmaster: 0, reserved1: 0, flags: 0 };
  const key = textBytes("gone");
  expect(caller.now("SCHEDULE_FOR_DELETION", { db_id: dbId, header, key }).status).toBe(0);
  expect(database.deleteQueue.size).toBe(1);
});

test("TRY_DELETE_RECORDS deletes old foreign copies and returns the others", () => {
  const { host, caller, dbId, tdb } = setUp();
  host.map = [1];
  const put = (name: string, bytes: Uint8Array) => tdb.store(textBytes(name), bytes);
  put("old", recordValue({ rsn: 5, dmaster: 1 }));
  put("same", recordValue({ rsn: 7, dmaster: 1 }));
  put("newer", recordValue({ rsn: 8, dmaster: 1 }));
  put("mine", recordValue({ rsn: 5, dmaster: 0 }));
  put("delegated", recordValue({ rsn: 5, dmaster: 1, flags: RECORD_FLAGS.RO_HAVE_READONLY }));
  put("locked", recordValue({ rsn: 5, dmaster: 1 }));
  tdb.file.hold(tdb.chainOf(textBytes("locked")));
  const names = ["old", "same", "newer", "mine", "delegated", "locked", "absent"];
  const records = names.map((name) => ({
    reqid: 0,
    key: textBytes(name),
    data: recordValue({ rsn: 7, dmaster: 1 }),
  }));
  const reply = caller.now("TRY_DELETE_RECORDS", encode(recBuffer, { db_id: dbId, records }));
  const kept = decodeExact(recBuffer, reply.data ?? new Uint8Array());
  expect(kept.ok && kept.value.records.map(({ key }) => text(key))).toEqual([
    "newer",
    "mine",
    "delegated",
    "locked",
  ]);
  expect([...tdb.file.contents.keys()].sort()).toEqual(["delegated", "locked", "mine", "newer"]);
  host.map = [0];
  const refused = caller.now("TRY_DELETE_RECORDS", encode(recBuffer, { db_id: dbId, records }));
  const all = decodeExact(recBuffer, refused.data ?? new Uint8Array());
  expect(all.ok && all.value.records.length).toBe(names.length);
});

test("TRY_DELETE_RECORDS and VACUUM_FETCH refuse lists that are cut short, and do nothing", () => {
  const { host, caller, dbId, tdb, database } = setUp();
  host.map = [1];
  tdb.store(textBytes("k"), recordValue({ rsn: 5, dmaster: 1 }));
  const records = [{ reqid: 0, key: textBytes("k"), data: recordValue({ rsn: 7, dmaster: 1 }) }];
  const whole = encode(recBuffer, { db_id: dbId, records });
  for (const bytes of [whole.subarray(0, whole.length - 1), whole.subarray(0, 5)]) {
    expect(caller.now("TRY_DELETE_RECORDS", bytes).status).toBe(-1);
    expect(caller.now("VACUUM_FETCH", bytes).status).toBe(-1);
  }
  expect(tdb.file.contents.size).toBe(1);
  expect(database.fetchQueue.size).toBe(0);
});

test("VACUUM_FETCH keeps the keys for the next run", () => {
  const { host, caller, dbId, database } = setUp();
  const records = [{ reqid: 0, key: textBytes("k"), data: new Uint8Array(0) }];
  const bytes = encode(recBuffer, { db_id: dbId, records });
  expect(caller.now("VACUUM_FETCH", bytes).status).toBe(0);
  expect(caller.now("VACUUM_FETCH", bytes).status).toBe(0);
  expect(database.fetchQueue.size).toBe(1);
  expect(host.toNodes).toEqual([]);
});

// --- traverses

test("TRAVERSE_ALL sends the records that this node is data master of, then the end", () => {
  const { host, caller, dbId, tdb } = setUp();
  tdb.store(textBytes("mine"), recordValue({ dmaster: 0, data: "data" }));
  tdb.store(textBytes("foreign"), recordValue({ dmaster: 1, data: "data" }));
  tdb.store(textBytes("empty"), recordValue({}));
  tdb.store(textBytes("short"), new Uint8Array(5));
  const request = { db_id: dbId, reqid: 8, pnn: 2, client_reqid: 4, srvid: u64(1, 2) };
  const keys = () =>
    host.controlsSent.splice(0).map(({ destination, opcode, data }) => {
      expect([destination, opcode]).toEqual([2, CONTROLS.TRAVERSE_DATA.opcode]);
      const record = decodeExact(recData, data);
      return record.ok ? text(record.value.key) : "";
    });
  caller.now("TRAVERSE_ALL", request);
  expect(keys()).toEqual(["mine", ""]);
  caller.now("TRAVERSE_ALL_EXT", { ...request, with_empty_records: true });
  expect(keys().sort()).toEqual(["", "empty", "mine"]);
});

test("TRAVERSE_ALL waits for a locked chain and for a thaw, and is stopped by TRAVERSE_KILL", () => {
  const { host, caller, dbId, tdb } = setUp();
  for (let i = 0; i < 20; i++) tdb.store(textBytes(`${i}`), recordValue({ data: "data" }));
  const request = { db_id: dbId, reqid: 8, pnn: 2, client_reqid: 4, srvid: u64(1, 2) };
  const release = tdb.file.hold(tdb.chainOf(textBytes("7")));
  caller.now("TRAVERSE_ALL", request);
  host.time.advance(1000);
  const before = host.controlsSent.length;
  expect(before).toBeLessThan(20);
  release();
  host.time.advance(1000);
  expect(host.controlsSent.length).toBe(21);
  host.controlsSent.length = 0;
  caller.now("DB_FREEZE", dbId);
  caller.now("TRAVERSE_ALL", request);
  caller.now("TRAVERSE_ALL", { ...request, client_reqid: 5 });
  caller.now("TRAVERSE_KILL", { db_id: dbId, reqid: 5, srvid: u64(1, 2) });
  expect(host.controlsSent).toEqual([]);
  caller.now("DB_THAW", dbId);
  host.time.advance(1000);
  expect(host.controlsSent.length).toBe(21);
});

test("TRAVERSE_START asks the active nodes, forwards records, and ends when all have ended", () => {
  const { host, caller, dbId } = setUp();
  const srvid = u64(3, 4);
  expect(caller.now("TRAVERSE_START", { db_id: dbId, reqid: 1, srvid }).status).toBe(0);
  const [asked] = host.controlsSent;
  const body = must(decodeExact(traverseAll, asked?.data ?? new Uint8Array()));
  expect([asked?.destination, asked?.opcode]).toEqual([
    BROADCAST_ACTIVE,
    CONTROLS.TRAVERSE_ALL.opcode,
  ]);
  const { reqid } = body;
  const give = (srcnode: number, key: string) =>
    caller.now(
      "TRAVERSE_DATA",
      {
        reqid,
        key: textBytes(key),
        data: key === "" ? new Uint8Array() : recordValue({ dmaster: 1 }),
      },
      { srcnode, clientId: 0 },
    ).status;
  give(1, "a");
  give(0, "");
  give(1, "");
  caller.set.nodeLost(2);
  expect(give(2, "late")).toBe(-1);
  const got = host.messagesSent.map(({ destination, data }) => {
    const record = decodeExact(recData, data);
    return record.ok ? [destination, record.value.reqid, text(record.value.key)] : [];
  });
  expect(got).toEqual([
    [0, 1, "a"],
    [0, 1, ""],
  ]);
});

test("TRAVERSE_START ends after TraverseTimeout, and stops everywhere when its client leaves", () => {
  for (const how of ["timeout", "client"] as const) {
    const { host, caller, dbId } = setUp();
    caller.now("TRAVERSE_START", { db_id: dbId, reqid: 1, srvid: u64(3, 4) });
    host.controlsSent.length = 0;
    if (how === "timeout") host.time.advance(20_001);
    else caller.set.clientGone(1);
    expect(host.messagesSent.length).toBe(how === "timeout" ? 1 : 0);
    expect(host.controlsSent).toEqual([
      {
        destination: BROADCAST_CONNECTED,
        opcode: CONTROLS.TRAVERSE_KILL.opcode,
        data: encode(traverseStart, { db_id: dbId, reqid: 1, srvid: u64(3, 4) }),
      },
    ]);
    expect(host.statistics.timeouts.traverse).toBe(how === "timeout" ? 1 : 0);
  }
});

test("TRAVERSE_START of a persistent database asks one node", () => {
  const { host, caller } = setUp();
  const dbId = caller.attach("p.tdb", "DB_ATTACH_PERSISTENT");
  for (const [map, asked] of [
    [[0, 1], 0],
    [[2, 1], 2],
  ] as [number[], number][]) {
    host.map = map;
    host.controlsSent.length = 0;
    caller.now("TRAVERSE_START", { db_id: dbId, reqid: 1, srvid: u64(3, 4) });
    expect(host.controlsSent.map(({ destination }) => destination)).toEqual([asked]);
  }
});

test("WIPE_DATABASE and a store with data empty the queue of deletions", () => {
  const { caller, dbId, database } = setUp();
  const header = { rsn: u64(0, 5), dmaster: 0, reserved1: 0, flags: 0 };
  const schedule = (name: string) =>
    caller.now("SCHEDULE_FOR_DELETION", { db_id: dbId, header, key: textBytes(name) });
  schedule("a");
  schedule("b");
  const key = textBytes("a");
  database.records.store(jenkinsHash(key), key, recordHeader(6, 0), textBytes("data"), 0);
  expect(database.deleteQueue.size).toBe(1);
  caller.now("DB_FREEZE", dbId);
  caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 1 });
  caller.now("WIPE_DATABASE", { db_id: dbId, tid: 1 });
  expect(database.deleteQueue.size).toBe(0);
});

test("DeleteQueue.schedule() stops at its limit", () => {
  const { database } = setUp();
  const header = new RecordHeader();
  for (let i = 0; i < DELETE_QUEUE_MAX + 3; i++) {
    database.deleteQueue.schedule(i, textBytes(`${i}`), header);
  }
  expect([database.deleteQueue.size, database.deleteQueue.overflows]).toEqual([
    DELETE_QUEUE_MAX,
    3,
  ]);
});
