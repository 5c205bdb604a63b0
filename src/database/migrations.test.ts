/** Records on their way to a new data master, on one node. */
import { expect, test } from "bun:test";
import { at, callAnswer, calledNode, KEY } from "../../test/database/called_node.ts";
import { u64 } from "../base/u64.ts";
import { FETCH_FUNC, NODE_FLAGS, RECORD_FLAGS } from "../wire/constants.ts";
import { OPERATIONS } from "../wire/packet.ts";
import { readReplyDmaster } from "../wire/packets.ts";

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

test("Migrations drops dmaster packets that are not for it or not from the lmaster", () => {
  const { caller, sent, stored, host, reqDmaster, replyDmaster } = calledNode(1);
  reqDmaster(1, 50, 2);
  replyDmaster(2, 50);
  expect([sent(), stored(), host.recoveriesForced]).toEqual([[], undefined, []]);
  expect(caller.set.refusedPackets).toBe(2);
});

test("Migrations does not appoint a node that does not exist or is not connected", () => {
  const { put, sent, stored, host, reqDmaster } = calledNode(0);
  put(4, 1, "");
  host.flags.set(2, NODE_FLAGS.DISCONNECTED);
  for (const dmaster of [2, 4711]) reqDmaster(1, 50, dmaster);
  expect([sent(), stored()?.dmaster]).toEqual([[], 1]);
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
