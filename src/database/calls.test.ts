/** Calls of clients and nodes on one node: what is sent, stored and answered. */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../test/database/fake_host.ts";
import type { MemoryTdb } from "../../test/database/memory_tdb.ts";
import { u64 } from "../base/u64.ts";
import { EMPTY, textBytes } from "../wire/codec.ts";
import {
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
  buildReplyError,
  buildReqCall,
  buildReqDmaster,
  readReplyCall,
  readReplyDmaster,
  readReplyError,
  readReqDmaster,
} from "../wire/packets.ts";
import type { Database } from "./database.ts";
import { RecordHeader } from "./record_header.ts";

const KEY = textBytes("key");
const GENERATION = 77;

function setUp(map: number[]) {
  const host = new FakeHost(0);
  host.map = map;
  for (const pnn of [0, 1, 2]) host.flags.set(pnn, 0);
  const caller = new ControlCaller(host);
  const dbId = caller.attach("x.tdb");
  const database = caller.set.databaseByName("x.tdb") as Database;
  const tdb = database.tdb as MemoryTdb;
  host.controlsSent.length = 0;
  const put = (rsn: number, dmaster: number, data: Uint8Array, flags = 0, key = KEY) => {
    const header = new RecordHeader();
    header.set(0, rsn, dmaster, flags);
    const head = new Uint8Array(24);
    header.writeTo(head);
    tdb.storeParts(key, head, data);
    tdb.stores = 0;
  };
  const stored = (key = KEY) => {
    const value = tdb.file.contents.get(Buffer.from(key).toString("latin1"))?.data;
    if (value === undefined) return undefined;
    const header = new RecordHeader();
    header.readFrom(value);
    const { rsnLo: rsn, dmaster, flags } = header;
    return { rsn, dmaster, flags, data: Buffer.from(value.subarray(24)).toString() };
  };
  const clientCall = (reqid: number, callid: number = NULL_FUNC, clientId = 1, key = KEY) =>
    caller.set.clientCall(
      clientId,
      buildReqCall(
        { generation: 0, destnode: 0, srcnode: 0, reqid },
        { flags: 1, db_id: dbId, callid, hopcount: 0, key, calldata: EMPTY },
      ),
    );
  const from = (srcnode: number, reqid: number, generation = GENERATION) => ({
    generation,
    destnode: 0,
    srcnode,
    reqid,
  });
  const nodeCall = (srcnode: number, reqid: number, generation = GENERATION, hopcount = 0) =>
    caller.set.nodePacket(
      buildReqCall(from(srcnode, reqid, generation), {
        flags: 1,
        db_id: dbId,
        callid: NULL_FUNC,
        hopcount,
        key: KEY,
        calldata: EMPTY,
      }),
    );
  const sent = () => host.toNodes.splice(0);
  const answers = () => host.toClients.splice(0);
  return {
    host,
    caller,
    dbId,
    database,
    tdb,
    put,
    stored,
    clientCall,
    nodeCall,
    from,
    sent,
    answers,
  };
}

const at = <T>(list: readonly T[], index: number): T => {
  const value = list[index];
  if (value === undefined) throw new Error(`nothing at ${index} of ${list.length}`);
  return value;
};
function callAnswer(packet: PacketView) {
  const read = readReplyCall(packet);
  if (packet.operation !== OPERATIONS.REPLY_CALL || !read.ok) throw new Error("no REPLY_CALL");
  return { reqid: packet.reqid, status: read.value.status, data: Buffer.from(read.value.data) };
}
function errorAnswer(packet: PacketView) {
  const read = readReplyError(packet);
  if (packet.operation !== OPERATIONS.REPLY_ERROR || !read.ok) throw new Error("no REPLY_ERROR");
  return { reqid: packet.reqid, ...read.value };
}

// --- calls of clients

test("ClientCalls answers a call for a record that is here, without a store", () => {
  const { put, clientCall, answers, sent, tdb, host } = setUp([1]);
  put(5, 0, textBytes("data"));
  clientCall(10, NULL_FUNC);
  clientCall(11, FETCH_FUNC);
  clientCall(12, FETCH_WITH_HEADER_FUNC);
  clientCall(13, 4711);
  const got = answers().map(({ packet }) => callAnswer(packet));
  expect(got.map(({ reqid, status }) => [reqid, status])).toEqual([
    [10, 0],
    [11, 0],
    [12, 0],
    [13, -1],
  ]);
  expect(got.map(({ data }) => data.length)).toEqual([0, 4, 28, 0]);
  expect(at(got, 1).data.toString()).toBe("data");
  expect(at(got, 2).data.readUInt32LE(0)).toBe(5);
  expect(tdb.stores).toBe(0);
  expect(sent()).toEqual([]);
  expect([host.statistics.total_calls, host.statistics.pending_calls]).toEqual([4, 0]);
});

test("ClientCalls creates a missing record when this node is its lmaster", () => {
  const { clientCall, answers, stored, database } = setUp([0]);
  clientCall(10);
  expect(callAnswer(at(answers(), 0).packet).status).toBe(0);
  expect(stored()).toEqual({ rsn: 1, dmaster: 0, flags: 0, data: "" });
  expect(database.deleteQueue.size).toBe(1);
});

test("ClientCalls sends a call to the data master that the local copy names", () => {
  const { put, clientCall, answers, sent, host, dbId } = setUp([1]);
  put(5, 2, EMPTY);
  clientCall(10);
  const { pnn, packet } = at(sent(), 0);
  expect([pnn, packet.operation, packet.srcnode, packet.generation]).toEqual([
    2,
    OPERATIONS.REQ_CALL,
    0,
    GENERATION,
  ]);
  expect(packet.u32(REQ_CALL_AT.DB_ID)).toBe(dbId);
  expect(packet.u32(REQ_CALL_AT.FLAGS)).toBe(1);
  expect(packet.length % 8).toBe(0);
  expect(answers()).toEqual([]);
  expect(host.statistics.pending_calls).toBe(1);
});

test("ClientCalls refuses a call for an unknown database and reports a malformed one", () => {
  const { caller, answers, host } = setUp([0]);
  const header = { generation: 0, destnode: 0, srcnode: 0, reqid: 3 };
  const body = { flags: 0, db_id: 1, callid: NULL_FUNC, hopcount: 0, key: KEY, calldata: EMPTY };
  expect(caller.set.clientCall(1, buildReqCall(header, body))).toBeUndefined();
  expect(errorAnswer(at(answers(), 0).packet)).toMatchObject({ reqid: 3, status: -1 });
  const broken = buildReqCall(header, body);
  broken.setU32(REQ_CALL_AT.KEY_LENGTH, 0xffffffff);
  expect(caller.set.clientCall(1, broken)).toContain("REQ_CALL");
  expect(host.statistics.pending_calls).toBe(0);
  expect(answers()).toEqual([]);
});

test("FetchCollapse lets one fetch serve all callers, in their order", () => {
  const { put, clientCall, answers, sent, caller, from, dbId, host } = setUp([1]);
  put(5, 2, EMPTY);
  for (const clientId of [1, 2, 3]) clientCall(10 + clientId, NULL_FUNC, clientId);
  const requests = sent();
  expect(requests.length).toBe(1);
  const { reqid } = at(requests, 0).packet;
  const body = { db_id: dbId, rsn: u64(0, 6), key: KEY, data: textBytes("d"), recordFlags: 0 };
  caller.set.nodePacket(buildReplyDmaster(from(1, reqid), body));
  host.time.settle();
  expect(answers().map(({ clientId, packet }) => [clientId, packet.reqid])).toEqual([
    [1, 11],
    [2, 12],
    [3, 13],
  ]);
  expect(host.statistics.pending_calls).toBe(0);
});

test("FetchCollapse lets callers try for themselves after 30 s, and can be turned off", () => {
  const { put, clientCall, sent, host } = setUp([1]);
  put(5, 2, EMPTY);
  clientCall(11, NULL_FUNC, 1);
  clientCall(12, NULL_FUNC, 2);
  expect(sent().length).toBe(1);
  host.time.advance(30_001);
  expect(sent().length).toBe(1);
  host.tunables["FetchCollapse"] = 0;
  const other = textBytes("other");
  put(5, 2, EMPTY, 0, other);
  clientCall(13, NULL_FUNC, 1, other);
  clientCall(14, NULL_FUNC, 2, other);
  expect(sent().length).toBe(2);
});

test("DatabaseSet.clientGone() forgets its calls; those behind them go on", () => {
  const { put, clientCall, sent, answers, caller, host } = setUp([1]);
  put(5, 2, EMPTY);
  clientCall(11, NULL_FUNC, 1);
  clientCall(12, NULL_FUNC, 2);
  clientCall(13, NULL_FUNC, 1);
  sent();
  caller.set.clientGone(1);
  host.time.settle();
  const [again] = sent();
  expect(again?.packet.operation).toBe(OPERATIONS.REQ_CALL);
  expect([caller.set.pendingCalls, host.statistics.pending_calls]).toEqual([1, 1]);
  expect(answers()).toEqual([]);
});

test("A call that finds its chain held is answered when it is free", () => {
  const { put, clientCall, answers, host, tdb } = setUp([1]);
  put(5, 0, textBytes("d"));
  const release = tdb.file.hold(tdb.chainOf(KEY));
  clientCall(10, FETCH_FUNC);
  host.time.advance(5000);
  expect(answers()).toEqual([]);
  release();
  host.time.settle();
  expect(callAnswer(at(answers(), 0).packet).data.toString()).toBe("d");
});

// --- calls of nodes

test("NodeCalls redirects to the lmaster, and from there to the data master", () => {
  for (const [map, destination] of [
    [[1], 1],
    [[0], 2],
  ] as [number[], number][]) {
    const { put, nodeCall, sent, stored } = setUp(map);
    put(5, 2, EMPTY);
    nodeCall(1, 99, GENERATION, 3);
    const { pnn, packet } = at(sent(), 0);
    expect([pnn, packet.srcnode, packet.reqid]).toEqual([destination, 1, 99]);
    expect(packet.u32(REQ_CALL_AT.HOPCOUNT)).toBe(4);
    expect(stored()?.dmaster).toBe(2);
  }
});

test("NodeCalls as data master passes the record to the lmaster, RSN unchanged", () => {
  const { put, nodeCall, sent, stored, database } = setUp([1]);
  put(5, 0, textBytes("data"));
  nodeCall(2, 99, GENERATION, 1);
  const { pnn, packet } = at(sent(), 0);
  const body = readReqDmaster(packet);
  expect(pnn).toBe(1);
  expect([packet.srcnode, packet.reqid, packet.generation]).toEqual([0, 99, GENERATION]);
  expect(body.ok && body.value).toMatchObject({
    rsn: u64(0, 5),
    dmaster: 2,
    recordFlags: RECORD_FLAGS.MIGRATED_WITH_DATA,
  });
  expect(stored()).toEqual({
    rsn: 5,
    dmaster: 2,
    flags: RECORD_FLAGS.MIGRATED_WITH_DATA,
    data: "data",
  });
  expect(database.statistics.hopCountBuckets[1]).toBe(1);
});

test("NodeCalls as data master and lmaster answers the asker itself", () => {
  const { put, nodeCall, sent, stored } = setUp([0]);
  put(5, 0, textBytes("data"));
  nodeCall(2, 99);
  const { pnn, packet } = at(sent(), 0);
  const body = readReplyDmaster(packet);
  expect([pnn, packet.operation]).toEqual([2, OPERATIONS.REPLY_DMASTER]);
  expect(body.ok && body.value.rsn).toEqual(u64(0, 5));
  expect(stored()?.dmaster).toBe(2);
});

test("NodeCalls deletes its copy of an empty record that never held data", () => {
  const { put, nodeCall, sent, stored } = setUp([1]);
  put(5, 0, EMPTY);
  nodeCall(2, 99);
  expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REQ_DMASTER);
  expect(stored()).toBeUndefined();
});

test("NodeCalls sends nothing when the new data master cannot be stored", () => {
  const { put, nodeCall, sent, stored, tdb } = setUp([1]);
  put(5, 0, textBytes("data"));
  tdb.file.storeError = { code: "no_space", reason: "disk full" };
  nodeCall(2, 99);
  const { pnn, packet } = at(sent(), 0);
  expect(pnn).toBe(2);
  expect(errorAnswer(packet).message).toContain("disk full");
  expect(stored()?.dmaster).toBe(0);
});

test("NodeCalls waits for the freelist without giving anything away", () => {
  const { put, nodeCall, sent, stored, tdb, host } = setUp([1]);
  put(5, 0, textBytes("data"));
  tdb.file.freelistBusy = true;
  nodeCall(2, 99);
  host.time.advance(300);
  expect([sent(), stored()?.dmaster]).toEqual([[], 0]);
  tdb.file.freelistBusy = false;
  host.time.advance(100);
  expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REQ_DMASTER);
  expect(stored()?.dmaster).toBe(2);
});

test("NodeCalls drops packets of another generation, and all while banned", () => {
  const { put, nodeCall, sent, stored, host } = setUp([1]);
  put(5, 0, textBytes("data"));
  nodeCall(2, 99, GENERATION - 1);
  host.flags.set(0, NODE_FLAGS.BANNED);
  nodeCall(2, 99);
  expect([sent(), stored()?.dmaster]).toEqual([[], 0]);
});

test("NodeCalls drops a packet that waited through a recovery", () => {
  const { put, nodeCall, sent, stored, host, tdb, database } = setUp([1]);
  put(5, 0, textBytes("data"));
  const release = tdb.file.hold(tdb.chainOf(KEY));
  nodeCall(2, 99);
  database.generation = 78;
  release();
  host.time.advance(100);
  expect([sent(), stored()?.dmaster]).toEqual([[], 0]);
});

test("NodeCalls tells a node that the database is unknown, the one whose client waits", () => {
  const { caller, from, sent } = setUp([0]);
  const body = { db_id: 5, rsn: u64(0, 1), dmaster: 2, key: KEY, data: EMPTY, recordFlags: 0 };
  caller.set.nodePacket(buildReqDmaster(from(1, 50), body));
  const { pnn, packet } = at(sent(), 0);
  expect([pnn, errorAnswer(packet).reqid]).toEqual([2, 50]);
});

// --- change of the data master

test("NodeCalls as lmaster appoints the new data master with the sender's RSN and flags", () => {
  const { put, caller, from, sent, stored, dbId } = setUp([0]);
  put(4, 1, EMPTY);
  const body = {
    db_id: dbId,
    rsn: u64(0, 9),
    dmaster: 2,
    key: KEY,
    data: textBytes("data"),
    recordFlags: RECORD_FLAGS.MIGRATED_WITH_DATA,
  };
  caller.set.nodePacket(buildReqDmaster(from(1, 50), body));
  const { pnn, packet } = at(sent(), 0);
  const reply = readReplyDmaster(packet);
  expect([pnn, packet.reqid]).toEqual([2, 50]);
  expect(reply.ok && reply.value).toMatchObject({
    rsn: u64(0, 9),
    recordFlags: RECORD_FLAGS.MIGRATED_WITH_DATA,
  });
  expect(stored()).toMatchObject({ rsn: 9, dmaster: 2, data: "data" });
});

test("NodeCalls as lmaster and asker becomes data master with one RSN step", () => {
  const { put, caller, from, clientCall, sent, answers, stored, dbId } = setUp([0]);
  put(4, 1, EMPTY);
  clientCall(7, FETCH_FUNC);
  const { reqid } = at(sent(), 0).packet;
  const body = {
    db_id: dbId,
    rsn: u64(0, 9),
    dmaster: 0,
    key: KEY,
    data: textBytes("data"),
    recordFlags: 0,
  };
  caller.set.nodePacket(buildReqDmaster(from(1, reqid), body));
  expect(callAnswer(at(answers(), 0).packet)).toMatchObject({ reqid: 7, status: 0 });
  expect(stored()).toEqual({ rsn: 10, dmaster: 0, flags: 0, data: "data" });
});

test("NodeCalls forces a recovery when a node passes on what is not its own", () => {
  const { put, caller, from, sent, stored, host, dbId } = setUp([0]);
  put(4, 2, EMPTY);
  const body = { db_id: dbId, rsn: u64(0, 9), dmaster: 1, key: KEY, data: EMPTY, recordFlags: 0 };
  caller.set.nodePacket(buildReqDmaster(from(1, 50), body));
  expect(host.recoveriesForced.length).toBe(1);
  expect([sent(), stored()]).toEqual([[], { rsn: 4, dmaster: 2, flags: 0, data: "" }]);
});

test("NodeCalls accepts a record that the lmaster does not know", () => {
  const { caller, from, sent, stored, host, dbId } = setUp([0]);
  const body = { db_id: dbId, rsn: u64(0, 9), dmaster: 2, key: KEY, data: EMPTY, recordFlags: 0 };
  caller.set.nodePacket(buildReqDmaster(from(1, 50), body));
  expect(host.recoveriesForced).toEqual([]);
  expect(sent().length).toBe(1);
  expect(stored()).toMatchObject({ rsn: 9, dmaster: 2 });
});

test("NodeCalls drops dmaster packets that are not for it or not from the lmaster", () => {
  const { caller, from, sent, stored, host, dbId } = setUp([1]);
  const body = { db_id: dbId, rsn: u64(0, 9), dmaster: 2, key: KEY, data: EMPTY, recordFlags: 0 };
  caller.set.nodePacket(buildReqDmaster(from(1, 50), body));
  caller.set.nodePacket(buildReplyDmaster(from(2, 50), body));
  expect([sent(), stored(), host.recoveriesForced]).toEqual([[], undefined, []]);
  expect(caller.set.refusedPackets).toBe(2);
});

test("NodeCalls does not appoint a node that does not exist or is not connected", () => {
  const { put, caller, from, sent, stored, host, dbId } = setUp([0]);
  put(4, 1, EMPTY);
  host.flags.set(2, NODE_FLAGS.DISCONNECTED);
  for (const dmaster of [2, 4711]) {
    const body = { db_id: dbId, rsn: u64(0, 9), dmaster, key: KEY, data: EMPTY, recordFlags: 0 };
    caller.set.nodePacket(buildReqDmaster(from(1, 50), body));
  }
  expect([sent(), stored()?.dmaster]).toEqual([[], 1]);
});

test("NodeCalls keeps a record that arrives for nobody", () => {
  const { caller, from, stored, dbId } = setUp([1]);
  const body = { db_id: dbId, rsn: u64(0, 9), key: KEY, data: textBytes("d"), recordFlags: 0 };
  caller.set.nodePacket(buildReplyDmaster(from(1, 4711), body));
  expect(stored()).toMatchObject({ rsn: 10, dmaster: 0, data: "d" });
});

test("A REQ_CALL waits behind a dmaster change of its key that waits for the lock", () => {
  const { put, caller, from, nodeCall, clientCall, sent, host, tdb, dbId, stored } = setUp([1]);
  put(4, 1, EMPTY);
  clientCall(7);
  const { reqid } = at(sent(), 0).packet;
  const release = tdb.file.hold(tdb.chainOf(KEY));
  const body = { db_id: dbId, rsn: u64(0, 9), key: KEY, data: EMPTY, recordFlags: 0 };
  caller.set.nodePacket(buildReplyDmaster(from(1, reqid), body));
  nodeCall(2, 99);
  release();
  host.time.advance(100);
  // Not redirected with the old data master: the record came first, and went on from here.
  expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REQ_DMASTER);
  expect(stored()).toBeUndefined();
});

test("NodeCalls hands on REPLY_CALL and REPLY_ERROR to the client", () => {
  const { put, caller, from, clientCall, sent, answers, host } = setUp([1]);
  put(5, 2, EMPTY);
  host.tunables["FetchCollapse"] = 0;
  clientCall(10, FETCH_FUNC, 1);
  clientCall(11, FETCH_FUNC, 2);
  const [first, second] = sent();
  const body = { status: 3, data: textBytes("xyz") };
  caller.set.nodePacket(buildReplyCall(from(2, first?.packet.reqid ?? 0), body));
  const failed = { status: -1, message: "no" };
  caller.set.nodePacket(buildReplyError(from(2, second?.packet.reqid ?? 0), failed));
  caller.set.nodePacket(buildReplyError(from(2, 4711), failed));
  const got = answers();
  expect(callAnswer(at(got, 0).packet)).toMatchObject({ reqid: 10, status: 3 });
  expect(errorAnswer(at(got, 1).packet)).toMatchObject({ reqid: 11, message: "no" });
  expect(got.length).toBe(2);
});

test("PendingCalls.resend() after a thaw uses a new request id and the new generation", () => {
  const { put, caller, from, clientCall, sent, answers, host, database, dbId } = setUp([1]);
  put(5, 2, EMPTY);
  clientCall(10);
  const before = at(sent(), 0).packet.reqid;
  caller.now("DB_FREEZE", dbId);
  host.currentGeneration = 78;
  caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 78 });
  caller.now("DB_TRANSACTION_COMMIT", { db_id: dbId, tid: 78 });
  caller.now("DB_THAW", dbId);
  const again = at(sent(), 0);
  expect([again.pnn, again.packet.generation]).toEqual([0, 78]);
  expect(again.packet.reqid).not.toBe(before);
  const body = { db_id: dbId, rsn: u64(0, 9), key: KEY, data: EMPTY, recordFlags: 0 };
  caller.set.nodePacket(buildReplyDmaster(from(1, before, 78), body));
  expect(answers()).toEqual([]);
  put(5, 0, EMPTY);
  caller.set.nodePacket(again.packet);
  expect(callAnswer(at(answers(), 0).packet).reqid).toBe(10);
  expect(database.generation).toBe(78);
});

test("Calls of a frozen database wait for the thaw", () => {
  const { put, caller, clientCall, answers, dbId, host } = setUp([1]);
  put(5, 0, textBytes("d"));
  caller.now("DB_FREEZE", dbId);
  clientCall(10, FETCH_FUNC);
  host.time.advance(1000);
  expect(answers()).toEqual([]);
  caller.now("DB_THAW", dbId);
  host.time.advance(1);
  expect(callAnswer(at(answers(), 0).packet).data.toString()).toBe("d");
});

test("NodeCalls reports malformed packets and does nothing", () => {
  const { caller, from, sent } = setUp([0]);
  const packet = buildReqCall(from(1, 1), {
    flags: 0,
    db_id: 1,
    callid: 0,
    hopcount: 0,
    key: KEY,
    calldata: EMPTY,
  });
  packet.setU32(REQ_CALL_AT.DATA_LENGTH, 0xffffffff);
  expect(caller.set.nodePacket(packet)).toContain("REQ_CALL");
  const message = buildReplyError(from(1, 1), { status: 0, message: "x" });
  message.setU32(36, 5000);
  expect(caller.set.nodePacket(message)).toContain("REPLY_ERROR");
  expect(sent()).toEqual([]);
});
