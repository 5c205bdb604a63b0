/** Read-only copies on one node: lending, keeping, taking back (docs/database.md, "Read-only copies"). */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../test/database/fake_host.ts";
import type { MemoryTdb } from "../../test/database/memory_tdb.ts";
import { must } from "../../test/support/must.ts";
import { err, ok } from "../base/result.ts";
import { u64 } from "../base/u64.ts";
import { decodeExact, EMPTY, textBytes } from "../wire/codec.ts";
import {
  CALL_FLAGS,
  FETCH_FUNC,
  FETCH_WITH_HEADER_FUNC,
  NODE_FLAGS,
  NULL_FUNC,
  RECORD_FLAGS,
} from "../wire/constants.ts";
import { OPERATIONS, type PacketView } from "../wire/packet.ts";
import { REQ_CALL_AT } from "../wire/packet_layouts.ts";
import {
  buildReplyCall,
  buildReplyDmaster,
  buildReqCall,
  readReplyCall,
  readReplyDmaster,
  readReqDmaster,
} from "../wire/packets.ts";
import { recBuffer } from "../wire/structs.ts";
import type { Database } from "./database.ts";
import { RecordHeader } from "./record_header.ts";

const KEY = textBytes("key");
const GENERATION = 77;
const { RO_HAVE_READONLY, MIGRATED_WITH_DATA } = RECORD_FLAGS;
/** Of a record that others have copies of, and of such a copy. */
const LENT = RECORD_FLAGS.RO_HAVE_DELEGATIONS | MIGRATED_WITH_DATA;
const COPY = RO_HAVE_READONLY | MIGRATED_WITH_DATA;
const { IMMEDIATE_MIGRATION, WANT_READONLY } = CALL_FLAGS;
const OK = ok({ status: 0, data: EMPTY });

function header(rsn: number, dmaster: number, flags: number): RecordHeader {
  const made = new RecordHeader();
  made.set(0, rsn, dmaster, flags);
  return made;
}
function bytesOf(rsn: number, dmaster: number, flags: number, data: string): Uint8Array {
  const value = new Uint8Array(24 + data.length);
  header(rsn, dmaster, flags).writeTo(value);
  value.set(textBytes(data), 24);
  return value;
}
function seen(value: Uint8Array) {
  const read = new RecordHeader();
  read.readFrom(value);
  const { rsnLo: rsn, dmaster, flags } = read;
  return { rsn, dmaster, flags, data: Buffer.from(value.subarray(24)).toString() };
}
function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new Error(`nothing at ${index} of ${list.length}`);
  return value;
}
function answerIn(packet: PacketView): Uint8Array {
  const read = readReplyCall(packet);
  if (packet.operation !== OPERATIONS.REPLY_CALL || !read.ok) throw new Error("no REPLY_CALL");
  expect(read.value.status).toBe(0);
  return read.value.data;
}

/** Node 0 of 0 to 3, with a database that lends copies; `lmaster` has all keys. */
function setUp(lmaster: number, readonly = true) {
  const host = new FakeHost(0);
  host.map = [lmaster];
  for (const pnn of [0, 1, 2, 3]) host.flags.set(pnn, 0);
  Object.assign(host.tunables, { ControlTimeout: 60 });
  const caller = new ControlCaller(host);
  const dbId = caller.attach("x.tdb");
  if (readonly) expect(caller.now("SET_DB_READONLY", dbId).status).toBe(0);
  const database = caller.set.databaseByName("x.tdb") as Database;
  const tdb = database.tdb as MemoryTdb;
  host.controlsSent.length = 0;
  const from = (srcnode: number, reqid: number, generation = GENERATION) => ({
    generation,
    destnode: 0,
    srcnode,
    reqid,
  });
  const call = (flags: number, callid: number) => ({
    flags,
    db_id: dbId,
    callid,
    hopcount: 0,
    key: KEY,
    calldata: EMPTY,
  });
  return {
    host,
    caller,
    dbId,
    database,
    tdb,
    from,
    put: (rsn: number, dmaster: number, data: string, flags = 0) =>
      tdb.store(KEY, bytesOf(rsn, dmaster, flags, data)),
    stored: () => {
      const value = tdb.file.contents.get("key")?.data;
      return value === undefined ? undefined : seen(value);
    },
    clientCall: (reqid: number, flags: number, callid: number = NULL_FUNC, clientId = 1) =>
      caller.set.clientCall(
        clientId,
        buildReqCall({ generation: 0, destnode: 0, srcnode: 0, reqid }, call(flags, callid)),
      ),
    nodeCall: (srcnode: number, reqid: number, flags: number, callid: number = NULL_FUNC) =>
      caller.set.nodePacket(buildReqCall(from(srcnode, reqid), call(flags, callid))),
    readCall: (srcnode: number, reqid: number) =>
      caller.set.nodePacket(
        buildReqCall(from(srcnode, reqid), call(WANT_READONLY, FETCH_WITH_HEADER_FUNC)),
      ),
    sent: () => host.toNodes.splice(0),
    answers: () => host.toClients.splice(0),
    asked: () => host.requests.splice(0),
  };
}

// --- lending

test("ReadonlyCalls.lend() marks the record with the first copy and answers with an older header", () => {
  const { put, readCall, sent, stored, database, host } = setUp(1);
  put(5, 0, "data");
  readCall(2, 40);
  const { pnn, packet } = at(sent(), 0);
  expect([pnn, packet.reqid]).toEqual([2, 40]);
  expect(seen(answerIn(packet))).toEqual({
    rsn: 6,
    dmaster: 0,
    flags: COPY,
    data: "data",
  });
  expect(stored()).toEqual({ rsn: 8, dmaster: 0, flags: LENT, data: "data" });
  readCall(3, 41);
  expect(seen(answerIn(at(sent(), 0).packet)).rsn).toBe(6);
  expect(stored()?.rsn).toBe(8);
  expect(database.delegations?.delegates(KEY)).toEqual(ok([2, 3]));
  expect(database.statistics.delegations).toBe(2);
  expect(host.statistics.total_ro_delegations).toBe(2);
});

test("ReadonlyCalls.lend() is for FETCH_WITH_HEADER with WANT_READONLY; other calls take the record", () => {
  for (const [flags, callid] of [
    [WANT_READONLY, FETCH_FUNC],
    [WANT_READONLY, NULL_FUNC],
    [0, FETCH_WITH_HEADER_FUNC],
  ] as const) {
    const { put, nodeCall, sent, stored } = setUp(0);
    put(5, 0, "data");
    nodeCall(2, 40, flags, callid);
    expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REPLY_DMASTER);
    expect(stored()?.dmaster).toBe(2);
  }
});

test("Without the READONLY flag a record is passed on to readers, too", () => {
  const { put, readCall, sent } = setUp(0, false);
  put(5, 0, "data");
  readCall(2, 40);
  expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REPLY_DMASTER);
});

test("ReadonlyCalls.lend() lends nothing to a node that is not connected", () => {
  const { put, readCall, sent, stored, host } = setUp(1);
  put(5, 0, "data");
  host.flags.set(2, NODE_FLAGS.DISCONNECTED);
  readCall(2, 40);
  expect(sent()).toEqual([]);
  expect(stored()?.flags).toBe(0);
});

test("NodeCalls forces a recovery when a record with copies is passed on", () => {
  const { caller, from, dbId, host, stored } = setUp(1);
  const body = { db_id: dbId, rsn: u64(0, 6), key: KEY, data: textBytes("d") };
  const packet = buildReplyDmaster(from(1, 9), { ...body, recordFlags: LENT });
  caller.set.nodePacket(packet);
  expect(host.recoveriesForced.length).toBe(1);
  expect(stored()).toBeUndefined();
});

// --- keeping

test("A read-only call of a client is sent as FETCH_WITH_HEADER and answered in its own form", () => {
  for (const [callid, expected] of [
    [FETCH_FUNC, "data"],
    [FETCH_WITH_HEADER_FUNC, undefined],
    [NULL_FUNC, undefined],
  ] as const) {
    const { put, clientCall, sent, answers, caller, from, stored } = setUp(1);
    put(4, 2, "old");
    clientCall(10, WANT_READONLY, callid);
    const { pnn, packet } = at(sent(), 0);
    expect([pnn, packet.u32(REQ_CALL_AT.FLAGS), packet.u32(REQ_CALL_AT.CALLID)]).toEqual([
      2,
      WANT_READONLY,
      FETCH_WITH_HEADER_FUNC,
    ]);
    const copy = bytesOf(6, 2, RO_HAVE_READONLY | MIGRATED_WITH_DATA, "data");
    caller.set.nodePacket(buildReplyCall(from(2, packet.reqid), { status: 0, data: copy }));
    const answer = answerIn(at(answers(), 0).packet);
    if (expected === undefined) expect(seen(answer).data).toBe("data");
    else expect(Buffer.from(answer).toString()).toBe(expected);
    expect(stored()).toEqual({
      rsn: 6,
      dmaster: 2,
      flags: RO_HAVE_READONLY | MIGRATED_WITH_DATA,
      data: "data",
    });
  }
});

test("A read-only call that brings the record itself is answered in the client's form", () => {
  const { put, clientCall, sent, answers, caller, from, dbId, stored } = setUp(1);
  put(4, 2, "old");
  clientCall(10, WANT_READONLY, FETCH_FUNC);
  const { reqid } = at(sent(), 0).packet;
  const body = { db_id: dbId, rsn: u64(0, 6), key: KEY, data: textBytes("data"), recordFlags: 0 };
  caller.set.nodePacket(buildReplyDmaster(from(1, reqid), body));
  expect(Buffer.from(answerIn(at(answers(), 0).packet)).toString()).toBe("data");
  expect(stored()?.dmaster).toBe(0);
});

test("ReadonlyCalls keeps only what is newer, is a copy, and is not our own record", () => {
  for (const reply of [
    bytesOf(4, 2, RO_HAVE_READONLY, "same"),
    bytesOf(3, 2, RO_HAVE_READONLY, "older"),
    bytesOf(9, 2, 0, "no copy"),
    bytesOf(9, 0, RO_HAVE_READONLY, "ours"),
  ]) {
    const { put, clientCall, sent, answers, caller, from, stored } = setUp(1);
    put(4, 2, "old");
    clientCall(10, WANT_READONLY, FETCH_WITH_HEADER_FUNC);
    const { reqid } = at(sent(), 0).packet;
    caller.set.nodePacket(buildReplyCall(from(2, reqid), { status: 0, data: reply }));
    expect(seen(answerIn(at(answers(), 0).packet))).toEqual(seen(reply));
    expect(stored()).toEqual({ rsn: 4, dmaster: 2, flags: 0, data: "old" });
  }
});

test("A copy waits for its chain, and is not kept after a recovery", () => {
  const { put, clientCall, sent, answers, caller, from, stored, tdb, host, database } = setUp(1);
  put(4, 2, "old");
  clientCall(10, WANT_READONLY, FETCH_WITH_HEADER_FUNC);
  const { reqid } = at(sent(), 0).packet;
  const copy = bytesOf(6, 2, RO_HAVE_READONLY, "new");
  let release = tdb.file.hold(tdb.chainOf(KEY));
  caller.set.nodePacket(buildReplyCall(from(2, reqid), { status: 0, data: copy }));
  expect(answers()).toEqual([]);
  release();
  host.time.advance(100);
  expect(answers().length).toBe(1);
  expect(stored()?.data).toBe("new");

  put(7, 2, "again old");
  clientCall(11, IMMEDIATE_MIGRATION | WANT_READONLY);
  const second = at(sent(), 0).packet.reqid;
  release = tdb.file.hold(tdb.chainOf(KEY));
  const late = bytesOf(9, 2, RO_HAVE_READONLY, "late");
  caller.set.nodePacket(buildReplyCall(from(2, second), { status: 0, data: late }));
  database.generation = 78;
  release();
  host.time.advance(100);
  expect(stored()?.data).toBe("again old");
});

test("A client that wants to read is answered from the copy, one that wants to write asks", () => {
  const { put, clientCall, sent, answers } = setUp(1);
  put(6, 2, "copy", RO_HAVE_READONLY);
  clientCall(10, WANT_READONLY, FETCH_FUNC);
  expect(Buffer.from(answerIn(at(answers(), 0).packet)).toString()).toBe("copy");
  expect(sent()).toEqual([]);
  clientCall(11, IMMEDIATE_MIGRATION);
  expect(at(sent(), 0).pnn).toBe(2);
});

test("Who wants to write does not wait behind the fetch of a copy; readers wait behind either", () => {
  const { put, clientCall, sent, answers, caller, from, dbId, host } = setUp(1);
  put(4, 2, "old");
  clientCall(10, WANT_READONLY, FETCH_FUNC);
  clientCall(11, WANT_READONLY, FETCH_FUNC);
  clientCall(12, IMMEDIATE_MIGRATION);
  clientCall(13, IMMEDIATE_MIGRATION);
  clientCall(14, WANT_READONLY, FETCH_FUNC);
  const calls = sent().map(({ packet }) => packet);
  expect(calls.map((packet) => packet.u32(REQ_CALL_AT.FLAGS))).toEqual([
    WANT_READONLY,
    IMMEDIATE_MIGRATION,
  ]);
  const body = { db_id: dbId, rsn: u64(0, 6), key: KEY, data: textBytes("new"), recordFlags: 0 };
  caller.set.nodePacket(buildReplyDmaster(from(1, at(calls, 1).reqid), body));
  host.time.settle();
  expect(answers().map(({ packet }) => packet.reqid)).toEqual([12, 13, 14]);
  const copy = bytesOf(5, 2, COPY, "old");
  caller.set.nodePacket(buildReplyCall(from(2, at(calls, 0).reqid), { status: 0, data: copy }));
  host.time.settle();
  expect(answers().map(({ packet }) => packet.reqid)).toEqual([10, 11]);
});

test("A client of the data master reads while others have copies, without taking them back", () => {
  const { put, readCall, clientCall, answers, asked } = setUp(1);
  put(5, 0, "data");
  readCall(2, 40);
  clientCall(10, WANT_READONLY, FETCH_FUNC);
  expect(Buffer.from(answerIn(at(answers(), 0).packet)).toString()).toBe("data");
  expect(asked()).toEqual([]);
});

// --- taking back

test("Revokes asks every delegate and grants the record when all have answered", () => {
  const { put, readCall, nodeCall, sent, asked, stored, host, database } = setUp(1);
  put(5, 0, "data");
  readCall(2, 40);
  readCall(3, 41);
  sent();
  nodeCall(2, 50, IMMEDIATE_MIGRATION);
  const requests = asked();
  expect(requests.map(({ pnn, name, timeoutMs }) => [pnn, name, timeoutMs])).toEqual([
    [2, "UPDATE_RECORD", 60_000],
    [3, "UPDATE_RECORD", 60_000],
  ]);
  const update = must(decodeExact(recBuffer, at(requests, 0).data));
  expect(seen(at(update.records, 0).data)).toEqual({
    rsn: 7,
    dmaster: 0,
    flags: MIGRATED_WITH_DATA,
    data: "data",
  });
  at(requests, 1).finished(OK);
  host.time.settle();
  expect([sent(), stored()?.flags]).toEqual([[], LENT]);
  at(requests, 0).finished(OK);
  expect(stored()).toEqual({ rsn: 9, dmaster: 0, flags: MIGRATED_WITH_DATA, data: "data" });
  host.time.settle();
  const given = readReqDmaster(at(sent(), 0).packet);
  expect(given.ok && [given.value.dmaster, given.value.rsn.lo, given.value.recordFlags]).toEqual([
    2,
    9,
    MIGRATED_WITH_DATA,
  ]);
  expect(database.delegations?.delegates(KEY)).toEqual(ok([]));
  expect([database.statistics.revokes, host.statistics.total_ro_revokes]).toEqual([1, 1]);
});

test("Revokes serves those who write at once, in their order, and readers after a second", () => {
  const { put, readCall, nodeCall, clientCall, sent, answers, asked, host } = setUp(0);
  put(5, 0, "data");
  readCall(2, 40);
  sent();
  clientCall(10, IMMEDIATE_MIGRATION);
  readCall(3, 51);
  nodeCall(3, 52, IMMEDIATE_MIGRATION);
  nodeCall(2, 53, IMMEDIATE_MIGRATION);
  expect(asked().map(({ finished }) => finished(OK)).length).toBe(1);
  host.time.settle();
  expect(answers().map(({ packet }) => packet.reqid)).toEqual([10]);
  const operations = () => sent().map(({ pnn, packet }) => [pnn, packet.operation, packet.reqid]);
  expect(operations()).toEqual([
    [3, OPERATIONS.REPLY_DMASTER, 52],
    // The record is at node 3 now.
    [3, OPERATIONS.REQ_CALL, 53],
  ]);
  host.time.advance(900);
  expect(operations()).toEqual([]);
  host.time.advance(200);
  expect(operations()).toEqual([[3, OPERATIONS.REQ_CALL, 51]]);
});

test("Revokes keeps new readers off for a moment, so that a client here gets its turn", () => {
  const { put, readCall, clientCall, sent, answers, asked, host, stored } = setUp(0);
  put(5, 0, "data");
  readCall(2, 40);
  clientCall(10, IMMEDIATE_MIGRATION);
  at(asked(), 0).finished(OK);
  host.time.settle();
  expect(answers().length).toBe(1);
  sent();
  readCall(2, 41);
  host.time.settle();
  expect([sent(), stored()?.flags]).toEqual([[], MIGRATED_WITH_DATA]);
  host.time.advance(25);
  expect(at(sent(), 0).packet.reqid).toBe(41);
  expect(stored()?.flags).toBe(LENT);
});

test("Revokes pauses after a failure, tries again, and asks for a recovery after the third", () => {
  const { put, readCall, clientCall, asked, host, stored, answers } = setUp(0);
  put(5, 0, "data");
  readCall(2, 40);
  readCall(3, 41);
  clientCall(10, IMMEDIATE_MIGRATION);
  let tries = 0;
  for (let ms = 0; ms < 2500; ms += 10) {
    const requests = asked();
    if (requests.length > 0) tries += 1;
    for (const { pnn, finished } of requests) finished(pnn === 2 ? OK : err("busy"));
    host.time.advance(10);
  }
  expect([tries, host.recoveriesForced.length]).toEqual([3, 1]);
  expect([stored()?.flags, answers().length]).toEqual([LENT, 0]);
  host.time.advance(1000);
  for (const { finished } of asked()) finished(OK);
  host.time.settle();
  expect([stored()?.flags, answers().length]).toEqual([MIGRATED_WITH_DATA, 1]);
});

test("Revokes ignores answers to an earlier try", () => {
  const { put, readCall, clientCall, asked, host, stored } = setUp(0);
  put(5, 0, "data");
  readCall(2, 40);
  readCall(3, 41);
  clientCall(10, IMMEDIATE_MIGRATION);
  const first = asked();
  at(first, 0).finished(err("no answer"));
  at(first, 1).finished(err("no answer"));
  host.time.advance(1100);
  const second = asked();
  at(first, 0).finished(OK);
  at(second, 1).finished(OK);
  expect(stored()?.flags).toBe(LENT);
  at(second, 0).finished(OK);
  expect(stored()?.flags).toBe(MIGRATED_WITH_DATA);
});

test("Revokes waits for the chain when the last delegate has answered", () => {
  const { put, readCall, clientCall, asked, host, stored, answers, tdb } = setUp(0);
  put(5, 0, "data");
  readCall(2, 40);
  clientCall(10, IMMEDIATE_MIGRATION);
  const release = tdb.file.hold(tdb.chainOf(KEY));
  at(asked(), 0).finished(OK);
  host.time.advance(100);
  expect([stored()?.flags, answers().length]).toEqual([LENT, 0]);
  release();
  host.time.advance(100);
  expect([stored()?.flags, answers().length]).toEqual([MIGRATED_WITH_DATA, 1]);
});

test("A recovery ends a revoke: all copies are void, calls are decided anew, nobody is tracked", () => {
  const {
    put,
    readCall,
    clientCall,
    nodeCall,
    asked,
    host,
    answers,
    caller,
    dbId,
    database,
    sent,
  } = setUp(0);
  put(5, 0, "data");
  readCall(2, 40);
  clientCall(10, IMMEDIATE_MIGRATION);
  nodeCall(3, 50, IMMEDIATE_MIGRATION);
  const requests = asked();
  sent();
  expect(caller.now("DB_FREEZE", dbId).status).toBe(0);
  expect(caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 78 }).status).toBe(0);
  database.tdb.store(KEY, bytesOf(9, 0, 0, "data"));
  expect(caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 78 }).status).toBe(0);
  host.currentGeneration = 78;
  expect(database.delegations?.delegates(KEY)).toEqual(ok([]));
  expect(caller.now("DB_THAW", dbId).status).toBe(0);
  host.time.settle();
  // The call of the other node is of the old generation: it is sent again from there.
  expect(answers().map(({ packet }) => packet.reqid)).toEqual([10]);
  expect(sent()).toEqual([]);
  at(requests, 0).finished(err("frozen"));
  host.time.advance(5000);
  expect([asked(), host.recoveriesForced, database.waiting.count]).toEqual([[], [], 0]);
});

test("A freeze without a recovery holds a revoke up; it ends after the thaw", () => {
  const { put, readCall, clientCall, asked, host, answers, caller, dbId, stored } = setUp(0);
  put(5, 0, "data");
  readCall(2, 40);
  clientCall(10, IMMEDIATE_MIGRATION);
  expect(caller.now("DB_FREEZE", dbId).status).toBe(0);
  at(asked(), 0).finished(OK);
  host.time.advance(100);
  expect(answers()).toEqual([]);
  expect(caller.now("DB_THAW", dbId).status).toBe(0);
  host.time.advance(100);
  expect([stored()?.flags, answers().length]).toEqual([MIGRATED_WITH_DATA, 1]);
});

test("Waiting calls go with their client, and are refused when the database is detached", () => {
  const { put, readCall, clientCall, nodeCall, answers, caller, dbId, database, host, sent } =
    setUp(0);
  put(5, 0, "data");
  readCall(2, 40);
  clientCall(10, IMMEDIATE_MIGRATION, NULL_FUNC, 1);
  clientCall(11, IMMEDIATE_MIGRATION, NULL_FUNC, 2);
  nodeCall(3, 50, IMMEDIATE_MIGRATION);
  sent();
  expect(database.waiting.count).toBe(3);
  expect(caller.set.memoryBytes()).toBeGreaterThan(0);
  caller.set.clientGone(1);
  expect(database.waiting.count).toBe(2);
  answers();
  Object.assign(host.tunables, { AllowClientDBAttach: 0 });
  expect(caller.now("DB_DETACH", dbId, { clientId: 0, srcnode: 1 }).status).toBe(0);
  expect(answers().map(({ packet }) => [packet.reqid, packet.operation])).toEqual([
    [11, OPERATIONS.REPLY_ERROR],
  ]);
  expect(sent().map(({ pnn, packet }) => [pnn, packet.operation])).toEqual([
    [3, OPERATIONS.REPLY_ERROR],
  ]);
  host.time.advance(5000);
});

test("A record whose marked copies are nobody's is free at once", () => {
  const { put, nodeCall, sent, asked } = setUp(0);
  put(8, 0, "data", LENT);
  nodeCall(2, 50, IMMEDIATE_MIGRATION);
  expect(asked()).toEqual([]);
  const given = readReplyDmaster(at(sent(), 0).packet);
  expect(given.ok && [given.value.rsn.lo, given.value.recordFlags]).toEqual([
    9,
    MIGRATED_WITH_DATA,
  ]);
});

test("A vacuum takes copies of an empty record back and deletes it afterwards everywhere", () => {
  const { put, readCall, asked, stored, host, caller, dbId, database } = setUp(0);
  Object.assign(host.tunables, { VacuumFastPathCount: 0 });
  put(5, 0, "");
  readCall(2, 40);
  expect(stored()?.flags).toBe(LENT);
  caller.call("DB_VACUUM", { db_id: dbId, full_vacuum_run: true });
  host.time.advance(100);
  const requests = asked();
  expect(requests.map(({ pnn, name }) => [pnn, name])).toEqual([[2, "UPDATE_RECORD"]]);
  at(requests, 0).finished(OK);
  expect([stored()?.flags, database.deleteQueue.size]).toEqual([MIGRATED_WITH_DATA, 1]);
  caller.call("DB_VACUUM", { db_id: dbId, full_vacuum_run: true });
  host.time.advance(100);
  expect(asked().map(({ name }) => name)).toContain("TRY_DELETE_RECORDS");
});
