/** Calls of clients on one node: what is sent, stored and answered. */
import { expect, test } from "bun:test";
import {
  at,
  callAnswer,
  calledNode,
  errorAnswer,
  GENERATION,
  KEY,
} from "../../../test/database/called_node.ts";
import { EMPTY, textBytes } from "../../wire/codec.ts";
import { FETCH_FUNC, FETCH_WITH_HEADER_FUNC, NULL_FUNC } from "../../wire/constants.ts";
import { OPERATIONS } from "../../wire/packet.ts";
import { REQ_CALL_AT } from "../../wire/packets/layouts.ts";
import { buildReplyError, buildReqCall } from "../../wire/packets.ts";
import { SLICE_BUDGET_MS } from "../limits.ts";

/** A slice looks at the clock after so many. */
const CALLS_PER_LOOK = 16;

test("ClientCalls answers a call for a record that is here, without a store", () => {
  const { put, clientCall, answers, sent, tdb, host } = calledNode(1);
  put(5, 0, "data");
  clientCall(10);
  clientCall(11, { callid: FETCH_FUNC });
  clientCall(12, { callid: FETCH_WITH_HEADER_FUNC });
  clientCall(13, { callid: 4711 });
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

test("ClientCalls refuses a call for a record that the lmaster cannot create", () => {
  const { clientCall, sent, answers, stored, tdb } = calledNode(0);
  tdb.file.storeError = { code: "no_space", reason: "disk full" };
  clientCall(7);
  expect(errorAnswer(at(answers(), 0).packet).message).toContain("disk full");
  expect([sent(), stored()]).toEqual([[], undefined]);
});

test("ClientCalls creates a missing record when this node is its lmaster", () => {
  const { clientCall, answers, stored, database } = calledNode(0);
  clientCall(10);
  expect(callAnswer(at(answers(), 0).packet).status).toBe(0);
  expect(stored()).toEqual({ rsn: 1, dmaster: 0, flags: 0, data: "" });
  expect(database.deleteQueue.size).toBe(1);
});

test("ClientCalls sends a call to the data master that the local copy names", () => {
  const { put, clientCall, answers, sent, host, dbId } = calledNode(1);
  put(5, 2, "");
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

test("ClientCalls refuses a call for an unknown database", () => {
  const { caller, answers, host } = calledNode(0);
  const header = { generation: 0, destnode: 0, srcnode: 0, reqid: 3 };
  const body = { flags: 0, db_id: 1, callid: NULL_FUNC, hopcount: 0, key: KEY, calldata: EMPTY };
  caller.set.clientCall(1, buildReqCall(header, body));
  expect(errorAnswer(at(answers(), 0).packet)).toMatchObject({ reqid: 3, status: -1 });
  expect(host.statistics.pending_calls).toBe(0);
  expect(answers()).toEqual([]);
});

test("FetchCollapse lets one fetch serve all callers, in their order", () => {
  const { put, clientCall, answers, sent, host, replyDmaster } = calledNode(1);
  put(5, 2, "");
  for (const clientId of [1, 2, 3]) clientCall(10 + clientId, { clientId });
  const requests = sent();
  expect(requests.length).toBe(1);
  const { reqid } = at(requests, 0).packet;
  replyDmaster(1, reqid, { rsn: 6, data: "d" });
  host.time.settle();
  expect(answers().map(({ clientId, packet }) => [clientId, packet.reqid])).toEqual([
    [1, 11],
    [2, 12],
    [3, 13],
  ]);
  expect(host.statistics.pending_calls).toBe(0);
});

test("FetchCollapse serves very many callers in slices, in their order, and forgets who goes", () => {
  const { put, clientCall, answers, sent, host, caller, replyDmaster } = calledNode(1);
  const COUNT = 10_000;
  put(5, 2, "");
  for (let i = 0; i < COUNT; i++) clientCall(1000 + i, { clientId: 1 + (i % 2) });
  const { reqid } = at(sent(), 0).packet;
  replyDmaster(1, reqid, { rsn: 6, data: "d" });
  const reqids = [at(answers(), 0).packet.reqid];
  host.time.tickPerLookMs = 1;
  let mostInTurn = 0;
  for (let turn = 0; turn < 20; turn++) {
    if (!host.time.runOneSoon()) host.time.runNextTimer();
    const now = answers().map(({ packet }) => packet.reqid);
    mostInTurn = Math.max(mostInTurn, now.length);
    reqids.push(...now);
  }
  expect(mostInTurn).toBeWithin(1, (SLICE_BUDGET_MS + 1) * CALLS_PER_LOOK);
  host.time.tickPerLookMs = 0;
  caller.set.clientGone(2);
  host.time.advance(1);
  reqids.push(...answers().map(({ packet }) => packet.reqid));
  expect(reqids).toEqual([...reqids].sort((a, b) => a - b));
  const ofFirst = reqids.filter((asked) => asked % 2 === 0);
  expect(ofFirst.length).toBe(COUNT / 2);
  expect(reqids.length).toBeLessThan(COUNT * 0.6);
  expect(host.statistics.pending_calls).toBe(0);
});

test("PendingCalls.resend() sends very many calls in slices; late answers find nobody meanwhile", () => {
  const { put, clientCall, sent, host, caller, dbId, database, answers } = calledNode(1);
  const COUNT = 500;
  host.tunables["FetchCollapse"] = 0;
  put(5, 2, "");
  for (let i = 0; i < COUNT; i++) clientCall(1000 + i, { clientId: 1 });
  const first = sent().map(({ packet }) => packet.reqid);
  expect(first.length).toBe(COUNT);
  expect(caller.now("DB_FREEZE", dbId).status).toBe(0);
  database.generation = GENERATION + 1;
  host.currentGeneration = GENERATION + 1;
  host.time.tickPerLookMs = 1;
  expect(caller.call("DB_THAW", dbId).reply?.status).toBe(0);
  host.time.runOneSoon();
  expect(sent().length).toBeWithin(0, 5 * CALLS_PER_LOOK);
  // Of the call that waits at the end.
  const late = { generation: GENERATION, destnode: 0, srcnode: 2, reqid: first.at(-1) ?? 0 };
  caller.set.nodePacket(buildReplyError(late, { status: -1, message: "too late" }));
  host.time.tickPerLookMs = 0;
  host.time.advance(1);
  expect(answers()).toEqual([]);
  expect(caller.set.pendingCalls).toBe(COUNT);
  const again = new Set(sent().map(({ packet }) => packet.reqid));
  // All but those that were sent before the last look.
  expect(again.size).toBeGreaterThan(COUNT - 5 * CALLS_PER_LOOK);
  expect(first.filter((reqid) => again.has(reqid))).toEqual([]);
});

test("FetchCollapse lets callers try for themselves after 30 s, and can be turned off", () => {
  const { put, clientCall, sent, host } = calledNode(1);
  put(5, 2, "");
  clientCall(11);
  clientCall(12, { clientId: 2 });
  expect(sent().length).toBe(1);
  host.time.advance(30_001);
  expect(sent().length).toBe(1);
  host.tunables["FetchCollapse"] = 0;
  const other = textBytes("other");
  put(5, 2, "", 0, other);
  clientCall(13, { key: other });
  clientCall(14, { clientId: 2, key: other });
  expect(sent().length).toBe(2);
});

test("DatabaseSet.clientGone() forgets its calls; those behind them go on", () => {
  const { put, clientCall, sent, answers, caller, host } = calledNode(1);
  put(5, 2, "");
  clientCall(11);
  clientCall(12, { clientId: 2 });
  clientCall(13);
  sent();
  caller.set.clientGone(1);
  host.time.settle();
  const [again] = sent();
  expect(again?.packet.operation).toBe(OPERATIONS.REQ_CALL);
  expect([caller.set.pendingCalls, host.statistics.pending_calls]).toEqual([1, 1]);
  expect(answers()).toEqual([]);
});

test("A call that finds its chain held is answered when it is free", () => {
  const { put, clientCall, answers, host, tdb } = calledNode(1);
  put(5, 0, "d");
  const release = tdb.file.hold(tdb.chainOf(KEY));
  clientCall(10, { callid: FETCH_FUNC });
  host.time.advance(5000);
  expect(answers()).toEqual([]);
  release();
  host.time.settle();
  expect(callAnswer(at(answers(), 0).packet).data.toString()).toBe("d");
});

test("PendingCalls.resend() after a thaw uses a new request id and the new generation", () => {
  const { put, caller, clientCall, sent, answers, host, database, dbId, replyDmaster } =
    calledNode(1);
  put(5, 2, "");
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
  replyDmaster(1, before, { generation: 78 });
  expect(answers()).toEqual([]);
  put(5, 0, "");
  caller.set.nodePacket(again.packet);
  expect(callAnswer(at(answers(), 0).packet).reqid).toBe(10);
  expect(database.generation).toBe(78);
});

test("Calls of a frozen database wait for the thaw", () => {
  const { put, caller, clientCall, answers, dbId, host } = calledNode(1);
  put(5, 0, "d");
  caller.now("DB_FREEZE", dbId);
  clientCall(10, { callid: FETCH_FUNC });
  host.time.advance(1000);
  expect(answers()).toEqual([]);
  caller.now("DB_THAW", dbId);
  host.time.advance(1);
  expect(callAnswer(at(answers(), 0).packet).data.toString()).toBe("d");
});
