/** Records on their way to a new data master, on one node. */
import { expect, test } from "bun:test";
import {
  at,
  callAnswer,
  calledNode,
  errorAnswer,
  KEY,
} from "../../../test/database/called_node.ts";
import { must } from "../../../test/support/must.ts";
import { u64 } from "../../base/u64.ts";
import { FETCH_FUNC, NODE_FLAGS, RECORD_FLAGS } from "../../wire/constants.ts";
import { OPERATIONS, type PacketView } from "../../wire/packet.ts";
import { readReplyDmaster, readReqDmaster } from "../../wire/packets.ts";

test("Migrations as lmaster appoints the new data master with the sender's RSN and flags", () => {
  const { put, sent, stored, reqDmaster } = calledNode(0);
  put(4, 1, "");
  reqDmaster(1, 50, 2, { data: "data", recordFlags: RECORD_FLAGS.MIGRATED_WITH_DATA });
  const { pnn, packet } = at(sent(), 0);
  const reply = readReplyDmaster(packet);
  expect([pnn, packet.reqid]).toEqual([2, 50]);
  expect(reply.ok && reply.value).toMatchObject({
    rsn: u64(0, 9),
    recordFlags: RECORD_FLAGS.MIGRATED_WITH_DATA,
  });
  expect(stored()).toMatchObject({ rsn: 9, dmaster: 2, data: "data" });
});

test("Migrations as lmaster and asker becomes data master with one RSN step", () => {
  const { put, clientCall, sent, answers, stored, reqDmaster } = calledNode(0);
  put(4, 1, "");
  clientCall(7, { callid: FETCH_FUNC });
  const { reqid } = at(sent(), 0).packet;
  reqDmaster(1, reqid, 0, { data: "data" });
  expect(callAnswer(at(answers(), 0).packet)).toMatchObject({ reqid: 7, status: 0 });
  expect(stored()).toEqual({ rsn: 10, dmaster: 0, flags: 0, data: "data" });
});

test("Migrations forces a recovery when a node passes on what is not its own", () => {
  const { put, sent, stored, host, reqDmaster } = calledNode(0);
  put(4, 2, "");
  reqDmaster(1, 50, 1);
  expect(host.recoveriesForced.length).toBe(1);
  expect([sent(), stored()]).toEqual([[], { rsn: 4, dmaster: 2, flags: 0, data: "" }]);
});

test("Migrations accepts a record that the lmaster does not know", () => {
  const { sent, stored, host, reqDmaster } = calledNode(0);
  reqDmaster(1, 50, 2);
  expect(host.recoveriesForced).toEqual([]);
  expect(sent().length).toBe(1);
  expect(stored()).toMatchObject({ rsn: 9, dmaster: 2 });
});

test("Migrations forces a recovery when a record comes to or from who is not the lmaster", () => {
  const { caller, sent, stored, host, answers, clientCall, reqDmaster, replyDmaster } =
    calledNode(1);
  reqDmaster(1, 50, 2);
  expect(host.recoveriesForced.length).toBe(1);
  expect(at(sent(), 0)).toMatchObject({ pnn: 2 });
  clientCall(7);
  replyDmaster(2, at(sent(), 0).packet.reqid);
  expect(errorAnswer(at(answers(), 0).packet).reqid).toBe(7);
  expect([stored(), host.recoveriesForced.length, caller.set.refusedPackets]).toEqual([
    undefined,
    2,
    2,
  ]);
});

/** The record in the packet, which is one for a node that nobody waits for there. */
function returned({ pnn, packet }: { pnn: number; packet: PacketView }) {
  const isReply = packet.operation === OPERATIONS.REPLY_DMASTER;
  const { rsn, data, recordFlags } = isReply
    ? must(readReplyDmaster(packet))
    : must(readReqDmaster(packet));
  expect(packet.reqid).toBe(0);
  return { pnn, isReply, rsn: rsn.lo, data: Buffer.from(data).toString(), recordFlags };
}

const WITH_DATA = { data: "data", recordFlags: RECORD_FLAGS.MIGRATED_WITH_DATA };

test("Migrations as lmaster gives a record back that it cannot store", () => {
  const { put, sent, stored, host, tdb, reqDmaster } = calledNode(0);
  put(4, 1, "");
  tdb.file.storeError = { code: "no_space", reason: "disk full" };
  reqDmaster(1, 50, 2, WITH_DATA);
  const packets = sent();
  const record = { pnn: 1, isReply: true, rsn: 9, ...WITH_DATA };
  expect(returned(at(packets, 0))).toEqual(record);
  expect(at(packets, 1).pnn).toBe(2);
  expect(errorAnswer(at(packets, 1).packet)).toMatchObject({ reqid: 50 });
  expect([stored()?.dmaster, host.recoveriesForced]).toEqual([1, []]);
});

test("Migrations as lmaster and asker gives a record back that it cannot store", () => {
  const { put, clientCall, sent, answers, stored, host, tdb, reqDmaster } = calledNode(0);
  put(4, 1, "");
  clientCall(7);
  const { reqid } = at(sent(), 0).packet;
  tdb.file.storeError = { code: "io", reason: "no disk" };
  reqDmaster(1, reqid, 0, WITH_DATA);
  expect(errorAnswer(at(answers(), 0).packet)).toMatchObject({ reqid: 7 });
  expect(returned(at(sent(), 0))).toMatchObject({ pnn: 1, isReply: true, rsn: 9 });
  expect([stored()?.dmaster, host.recoveriesForced]).toEqual([1, []]);
});

test("Migrations gives a record back for a node that does not exist or is not connected", () => {
  const { put, sent, stored, host, reqDmaster } = calledNode(0);
  put(4, 1, "");
  host.flags.set(2, NODE_FLAGS.DISCONNECTED);
  for (const dmaster of [2, 4711]) {
    reqDmaster(1, 50, dmaster);
    expect(returned(at(sent(), 0))).toMatchObject({ pnn: 1, isReply: true, rsn: 9 });
  }
  expect([stored()?.dmaster, host.recoveriesForced]).toEqual([1, []]);
});

test("Migrations keeps a record whose lmaster is not connected", () => {
  const { put, nodeCall, sent, stored, host } = calledNode(1);
  put(5, 0, "data");
  host.flags.set(1, NODE_FLAGS.DISCONNECTED);
  nodeCall(2, 99);
  const { pnn, packet } = at(sent(), 0);
  expect([pnn, errorAnswer(packet).reqid, stored()?.dmaster]).toEqual([2, 99, 0]);
  host.isRecovering = true;
  nodeCall(2, 100);
  expect([sent(), stored()?.dmaster]).toEqual([[], 0]);
});

test("Migrations as new data master passes a record that it cannot store to the lmaster", () => {
  const { put, clientCall, sent, answers, stored, host, tdb, replyDmaster } = calledNode(1);
  put(4, 1, "");
  clientCall(7);
  const { reqid } = at(sent(), 0).packet;
  tdb.file.storeError = { code: "no_space", reason: "disk full" };
  replyDmaster(1, reqid, WITH_DATA);
  const packet = at(sent(), 0);
  expect(returned(packet)).toEqual({ pnn: 1, isReply: false, rsn: 9, ...WITH_DATA });
  expect(must(readReqDmaster(packet.packet)).dmaster).toBe(1);
  expect(errorAnswer(at(answers(), 0).packet).message).toContain("disk full");
  expect([stored()?.dmaster, host.recoveriesForced]).toEqual([1, []]);
});

test("Migrations takes a record that comes back, and nobody is answered", () => {
  for (const lmaster of [0, 1]) {
    const { put, sent, stored, host, reqDmaster, replyDmaster } = calledNode(lmaster);
    put(9, lmaster === 0 ? 1 : 2, "data");
    if (lmaster === 0) reqDmaster(1, 0, 0, WITH_DATA);
    else replyDmaster(1, 0, WITH_DATA);
    expect(stored()).toMatchObject({ rsn: 10, dmaster: 0, data: "data" });
    expect([sent(), host.recoveriesForced]).toEqual([[], []]);
  }
});

test("Migrations forces a recovery for a record that cannot come back, or never was here", () => {
  const cases = [
    { lmaster: 0, put: true, reqid: 0 },
    { lmaster: 0, put: false, reqid: 50 },
    { lmaster: 1, put: true, reqid: 0 },
  ];
  for (const { lmaster, put, reqid } of cases) {
    const node = calledNode(lmaster);
    if (put) node.put(4, 1, "");
    node.tdb.file.storeError = { code: "no_space", reason: "disk full" };
    if (lmaster === 0) node.reqDmaster(1, reqid, reqid === 0 ? 0 : 2, WITH_DATA);
    else node.replyDmaster(1, reqid, WITH_DATA);
    expect(node.host.recoveriesForced.length).toBe(1);
    const records = node.sent().filter(({ packet }) => packet.operation !== OPERATIONS.REPLY_ERROR);
    expect(records).toEqual([]);
  }
});

test("Migrations keeps a record that arrives for nobody", () => {
  const { stored, replyDmaster } = calledNode(1);
  replyDmaster(1, 4711, { data: "d" });
  expect(stored()).toMatchObject({ rsn: 10, dmaster: 0, data: "d" });
});

test("A REQ_CALL waits behind a dmaster change of its key that waits for the lock", () => {
  const { put, nodeCall, clientCall, sent, host, tdb, stored, replyDmaster } = calledNode(1);
  put(4, 1, "");
  clientCall(7);
  const { reqid } = at(sent(), 0).packet;
  const release = tdb.file.hold(tdb.chainOf(KEY));
  replyDmaster(1, reqid);
  nodeCall(2, 99);
  release();
  host.time.advance(100);
  // Not redirected with the old data master: the record came first, and went on from here.
  expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REQ_DMASTER);
  expect(stored()).toBeUndefined();
});
