/** Read-only copies on one node: lending and keeping (docs/database.md, "Read-only copies"). */
import { expect, test } from "bun:test";
import {
  at,
  COPY,
  callAnswer,
  calledNode,
  KEY,
  LENT,
  lendingNode,
  READ,
} from "../../../test/database/called_node.ts";
import { recordIn, recordValue } from "../../../test/database/record_values.ts";
import { ok } from "../../base/result.ts";
import {
  CALL_FLAGS,
  FETCH_FUNC,
  FETCH_WITH_HEADER_FUNC,
  NODE_FLAGS,
  NULL_FUNC,
  RECORD_FLAGS,
} from "../../wire/constants.ts";
import { OPERATIONS, type PacketView } from "../../wire/packet.ts";
import { REQ_CALL_AT } from "../../wire/packets/layouts.ts";
import { buildReplyCall } from "../../wire/packets.ts";

const { RO_HAVE_READONLY } = RECORD_FLAGS;
const { IMMEDIATE_MIGRATION, WANT_READONLY } = CALL_FLAGS;

function answerIn(packet: PacketView): Uint8Array {
  const { status, data } = callAnswer(packet);
  expect(status).toBe(0);
  return data;
}

// --- lending

test("ReadonlyCalls.lend() marks the record with the first copy and answers with an older header", () => {
  const { put, nodeCall, sent, stored, database, host } = lendingNode(1);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  const { pnn, packet } = at(sent(), 0);
  expect([pnn, packet.reqid]).toEqual([2, 40]);
  expect(recordIn(answerIn(packet))).toEqual({
    rsn: 6,
    dmaster: 0,
    flags: COPY,
    data: "data",
  });
  expect(stored()).toEqual({ rsn: 8, dmaster: 0, flags: LENT, data: "data" });
  nodeCall(3, 41, READ);
  expect(recordIn(answerIn(at(sent(), 0).packet)).rsn).toBe(6);
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
    const { put, nodeCall, sent, stored } = lendingNode(0);
    put(5, 0, "data");
    nodeCall(2, 40, { flags, callid });
    expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REPLY_DMASTER);
    expect(stored()?.dmaster).toBe(2);
  }
});

test("Without the READONLY flag a record is passed on to readers, too", () => {
  const { put, nodeCall, sent } = calledNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REPLY_DMASTER);
});

test("ReadonlyCalls.lend() lends nothing to a node that is not connected", () => {
  const { put, nodeCall, sent, stored, host } = lendingNode(1);
  put(5, 0, "data");
  host.flags.set(2, NODE_FLAGS.DISCONNECTED);
  nodeCall(2, 40, READ);
  expect(sent()).toEqual([]);
  expect(stored()?.flags).toBe(0);
});

test("NodeCalls forces a recovery when a record with copies is passed on", () => {
  const { replyDmaster, host, stored } = lendingNode(1);
  replyDmaster(1, 9, { rsn: 6, data: "d", recordFlags: LENT });
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
    const { put, clientCall, sent, answers, caller, from, stored } = lendingNode(1);
    put(4, 2, "old");
    clientCall(10, { flags: WANT_READONLY, callid });
    const { pnn, packet } = at(sent(), 0);
    expect([pnn, packet.u32(REQ_CALL_AT.FLAGS), packet.u32(REQ_CALL_AT.CALLID)]).toEqual([
      2,
      WANT_READONLY,
      FETCH_WITH_HEADER_FUNC,
    ]);
    const copy = recordValue({ rsn: 6, dmaster: 2, flags: COPY, data: "data" });
    caller.set.nodePacket(buildReplyCall(from(2, packet.reqid), { status: 0, data: copy }));
    const answer = answerIn(at(answers(), 0).packet);
    if (expected === undefined) expect(recordIn(answer).data).toBe("data");
    else expect(Buffer.from(answer).toString()).toBe(expected);
    expect(stored()).toEqual({
      rsn: 6,
      dmaster: 2,
      flags: COPY,
      data: "data",
    });
  }
});

test("A read-only call that brings the record itself is answered in the client's form", () => {
  const { put, replyDmaster, clientCall, sent, answers, stored } = lendingNode(1);
  put(4, 2, "old");
  clientCall(10, { flags: WANT_READONLY, callid: FETCH_FUNC });
  const { reqid } = at(sent(), 0).packet;
  replyDmaster(1, reqid, { rsn: 6, data: "data" });
  expect(Buffer.from(answerIn(at(answers(), 0).packet)).toString()).toBe("data");
  expect(stored()?.dmaster).toBe(0);
});

test("ReadonlyCalls keeps only what is newer, is a copy, and is not our own record", () => {
  for (const reply of [
    recordValue({ rsn: 4, dmaster: 2, flags: RO_HAVE_READONLY, data: "same" }),
    recordValue({ rsn: 3, dmaster: 2, flags: RO_HAVE_READONLY, data: "older" }),
    recordValue({ rsn: 9, dmaster: 2, data: "no copy" }),
    recordValue({ rsn: 9, dmaster: 0, flags: RO_HAVE_READONLY, data: "ours" }),
  ]) {
    const { put, clientCall, sent, answers, caller, from, stored } = lendingNode(1);
    put(4, 2, "old");
    clientCall(10, { flags: WANT_READONLY, callid: FETCH_WITH_HEADER_FUNC });
    const { reqid } = at(sent(), 0).packet;
    caller.set.nodePacket(buildReplyCall(from(2, reqid), { status: 0, data: reply }));
    expect(recordIn(answerIn(at(answers(), 0).packet))).toEqual(recordIn(reply));
    expect(stored()).toEqual({ rsn: 4, dmaster: 2, flags: 0, data: "old" });
  }
});

test("A copy waits for its chain, and is not kept after a recovery", () => {
  const { put, clientCall, sent, answers, caller, from, stored, tdb, host, database } =
    lendingNode(1);
  put(4, 2, "old");
  clientCall(10, { flags: WANT_READONLY, callid: FETCH_WITH_HEADER_FUNC });
  const { reqid } = at(sent(), 0).packet;
  const copy = recordValue({ rsn: 6, dmaster: 2, flags: RO_HAVE_READONLY, data: "new" });
  let release = tdb.file.hold(tdb.chainOf(KEY));
  caller.set.nodePacket(buildReplyCall(from(2, reqid), { status: 0, data: copy }));
  expect(answers()).toEqual([]);
  release();
  host.time.advance(100);
  expect(answers().length).toBe(1);
  expect(stored()?.data).toBe("new");

  put(7, 2, "again old");
  clientCall(11, { flags: IMMEDIATE_MIGRATION | WANT_READONLY });
  const second = at(sent(), 0).packet.reqid;
  release = tdb.file.hold(tdb.chainOf(KEY));
  const late = recordValue({ rsn: 9, dmaster: 2, flags: RO_HAVE_READONLY, data: "late" });
  caller.set.nodePacket(buildReplyCall(from(2, second), { status: 0, data: late }));
  database.generation = 78;
  release();
  host.time.advance(100);
  expect(stored()?.data).toBe("again old");
});

test("A client that wants to read is answered from the copy, one that wants to write asks", () => {
  const { put, clientCall, sent, answers } = lendingNode(1);
  put(6, 2, "copy", RO_HAVE_READONLY);
  clientCall(10, { flags: WANT_READONLY, callid: FETCH_FUNC });
  expect(Buffer.from(answerIn(at(answers(), 0).packet)).toString()).toBe("copy");
  expect(sent()).toEqual([]);
  clientCall(11);
  expect(at(sent(), 0).pnn).toBe(2);
});

test("Who wants to write does not wait behind the fetch of a copy; readers wait behind either", () => {
  const { put, replyDmaster, clientCall, sent, answers, caller, from, host } = lendingNode(1);
  put(4, 2, "old");
  clientCall(10, { flags: WANT_READONLY, callid: FETCH_FUNC });
  clientCall(11, { flags: WANT_READONLY, callid: FETCH_FUNC });
  clientCall(12);
  clientCall(13);
  clientCall(14, { flags: WANT_READONLY, callid: FETCH_FUNC });
  const calls = sent().map(({ packet }) => packet);
  expect(calls.map((packet) => packet.u32(REQ_CALL_AT.FLAGS))).toEqual([
    WANT_READONLY,
    IMMEDIATE_MIGRATION,
  ]);
  replyDmaster(1, at(calls, 1).reqid, { rsn: 6, data: "new" });
  host.time.settle();
  expect(answers().map(({ packet }) => packet.reqid)).toEqual([12, 13, 14]);
  const copy = recordValue({ rsn: 5, dmaster: 2, flags: COPY, data: "old" });
  caller.set.nodePacket(buildReplyCall(from(2, at(calls, 0).reqid), { status: 0, data: copy }));
  host.time.settle();
  expect(answers().map(({ packet }) => packet.reqid)).toEqual([10, 11]);
});

test("A client of the data master reads while others have copies, without taking them back", () => {
  const { put, nodeCall, clientCall, answers, asked } = lendingNode(1);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  clientCall(10, { flags: WANT_READONLY, callid: FETCH_FUNC });
  expect(Buffer.from(answerIn(at(answers(), 0).packet)).toString()).toBe("data");
  expect(asked()).toEqual([]);
});
