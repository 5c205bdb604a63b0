/** Calls of other nodes on one node: what is sent, stored and answered. */
import { expect, test } from "bun:test";
import {
  at,
  callAnswer,
  calledNode,
  errorAnswer,
  GENERATION,
  KEY,
  lendingNode,
  READ,
} from "../../../test/database/called_node.ts";
import type { FakeHost } from "../../../test/database/fake_host.ts";
import { ok } from "../../base/result.ts";
import { u64 } from "../../base/u64.ts";
import { EMPTY, textBytes } from "../../wire/codec.ts";
import { FETCH_FUNC, NODE_FLAGS, RECORD_FLAGS } from "../../wire/constants.ts";
import { OPERATIONS } from "../../wire/packet.ts";
import { REQ_CALL_AT } from "../../wire/packets/layouts.ts";
import {
  buildReplyCall,
  buildReplyError,
  buildReqCall,
  readReplyDmaster,
  readReqDmaster,
} from "../../wire/packets.ts";
import { databaseId } from "../attach/attach.ts";
import type { ChainWork } from "../record/chain_gate.ts";
import { PARKED_BYTES_MAX } from "../record/limits.ts";
import { HOPS_MAX } from "./limits.ts";

test("NodeCalls redirects to the lmaster, and from there to the data master", () => {
  for (const [lmaster, destination] of [
    [1, 1],
    [0, 2],
  ] as const) {
    const { put, nodeCall, sent, stored } = calledNode(lmaster);
    put(5, 2, "");
    nodeCall(1, 99, { hopcount: 3 });
    const { pnn, packet } = at(sent(), 0);
    expect([pnn, packet.srcnode, packet.reqid]).toEqual([destination, 1, 99]);
    expect(packet.u32(REQ_CALL_AT.HOPCOUNT)).toBe(4);
    expect(stored()?.dmaster).toBe(2);
  }
});

test("NodeCalls as data master passes the record to the lmaster, RSN unchanged", () => {
  const { put, nodeCall, sent, stored, database } = calledNode(1);
  put(5, 0, "data");
  nodeCall(2, 99, { hopcount: 1 });
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
  const { put, nodeCall, sent, stored } = calledNode(0);
  put(5, 0, "data");
  nodeCall(2, 99);
  const { pnn, packet } = at(sent(), 0);
  const body = readReplyDmaster(packet);
  expect([pnn, packet.operation]).toEqual([2, OPERATIONS.REPLY_DMASTER]);
  expect(body.ok && body.value.rsn).toEqual(u64(0, 5));
  expect(stored()?.dmaster).toBe(2);
});

test("NodeCalls deletes its copy of an empty record that never held data", () => {
  const { put, nodeCall, sent, stored } = calledNode(1);
  put(5, 0, "");
  nodeCall(2, 99);
  expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REQ_DMASTER);
  expect(stored()).toBeUndefined();
});

test("NodeCalls sends nothing when the new data master cannot be stored", () => {
  const { put, nodeCall, sent, stored, tdb } = calledNode(1);
  put(5, 0, "data");
  tdb.file.storeError = { code: "no_space", reason: "disk full" };
  nodeCall(2, 99);
  const { pnn, packet } = at(sent(), 0);
  expect(pnn).toBe(2);
  expect(errorAnswer(packet).message).toContain("disk full");
  expect(stored()?.dmaster).toBe(0);
});

test("NodeCalls waits for the freelist without giving anything away", () => {
  const { put, nodeCall, sent, stored, tdb, host } = calledNode(1);
  put(5, 0, "data");
  tdb.file.freelistBusy = true;
  nodeCall(2, 99);
  host.time.advance(300);
  expect([sent(), stored()?.dmaster]).toEqual([[], 0]);
  tdb.file.freelistBusy = false;
  host.time.advance(100);
  expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REQ_DMASTER);
  expect(stored()?.dmaster).toBe(2);
});

test("NodeCalls drops packets while vnn map and database are of different recoveries", () => {
  const { put, nodeCall, sent, stored, host, database } = calledNode(1);
  put(5, 0, "data");
  database.generation = GENERATION + 1;
  nodeCall(2, 99);
  nodeCall(2, 100, { generation: GENERATION + 1 });
  expect([sent(), stored()?.dmaster]).toEqual([[], 0]);
  host.currentGeneration = GENERATION + 1;
  nodeCall(2, 101, { generation: GENERATION + 1 });
  expect(stored()?.dmaster).toBe(2);
});

test("NodeCalls drops a packet that waited through a recovery", () => {
  const { put, nodeCall, sent, stored, host, tdb, database } = calledNode(1);
  put(5, 0, "data");
  const release = tdb.file.hold(tdb.chainOf(KEY));
  nodeCall(2, 99);
  database.generation = 78;
  release();
  host.time.advance(100);
  expect([sent(), stored()?.dmaster]).toEqual([[], 0]);
});

test("NodeCalls looks again at a packet that waited: for a lock, for a revoke, for an attach", () => {
  const changes = {
    "a recovery has begun": (host: FakeHost) => {
      host.currentGeneration = GENERATION + 1;
    },
    "this node is banned": (host: FakeHost) => host.flags.set(0, NODE_FLAGS.BANNED),
    nothing: () => {},
  };
  for (const [what, change] of Object.entries(changes)) {
    const served = what === "nothing";
    const locked = calledNode(1);
    locked.put(5, 0, "data");
    const release = locked.tdb.file.hold(locked.tdb.chainOf(KEY));
    locked.nodeCall(2, 99);
    change(locked.host);
    release();
    locked.host.time.advance(100);
    expect([what, locked.stored()?.dmaster]).toEqual([what, served ? 2 : 0]);

    const revoked = lendingNode(0);
    revoked.put(5, 0, "data");
    revoked.nodeCall(2, 40, READ);
    revoked.nodeCall(3, 50);
    revoked.sent();
    change(revoked.host);
    at(revoked.asked(), 0).finished(ok({ status: 0, data: EMPTY }));
    revoked.host.time.advance(100);
    expect([what, revoked.stored()?.dmaster]).toEqual([what, served ? 3 : 0]);

    const late = calledNode(0);
    late.host.memory.busyPaths.add("/v/late.tdb.0");
    late.caller.call("DB_ATTACH", "late.tdb");
    const body = { flags: 1, db_id: databaseId("late.tdb"), callid: 0, hopcount: 0, key: KEY };
    late.arrives(buildReqCall(late.from(2, 60), { ...body, calldata: EMPTY }));
    change(late.host);
    late.host.memory.busyPaths.clear();
    late.host.time.advance(100);
    expect([what, late.sent().map(({ pnn }) => pnn)]).toEqual([what, served ? [2] : []]);
  }
});

test("NodeCalls tells a node that the database is unknown, the one whose client waits", () => {
  const { sent, reqDmaster, host } = calledNode(0);
  reqDmaster(1, 50, 2, { dbId: 5, rsn: 1 });
  const { pnn, packet } = at(sent(), 0);
  expect([pnn, errorAnswer(packet).reqid]).toEqual([2, 50]);
  // Its data master has given the record away.
  expect(host.recoveriesForced.length).toBe(1);
});

test("NodeCalls forces a recovery for a record whose chain cannot be locked or read", () => {
  for (const broken of ["lock", "read"] as const) {
    const { put, sent, tdb, host, reqDmaster } = calledNode(0);
    put(4, 1, "");
    const error = { code: "io", reason: "no disk" } as const;
    if (broken === "lock") Object.assign(tdb, { tryLockChain: () => error });
    else tdb.parse = () => ({ ok: false, error });
    reqDmaster(1, 50, 2, { data: "data" });
    expect(host.recoveriesForced.length).toBe(1);
    expect(at(sent(), 0).pnn).toBe(2);
  }
});

test("NodeCalls parks records on their way when calls are refused, up to a limit", () => {
  const { put, nodeCall, reqDmaster, sent, tdb, host, database } = calledNode(0);
  put(4, 1, "");
  const release = tdb.file.hold(tdb.chainOf(KEY));
  const half: ChainWork = {
    bytes: PARKED_BYTES_MAX,
    clientId: 0,
    run: () => true,
    drop: () => {},
  };
  database.gate.park(tdb.chainOf(KEY), half);
  nodeCall(3, 98);
  expect(errorAnswer(at(sent(), 0).packet).reqid).toBe(98);
  reqDmaster(1, 50, 2, { data: "data" });
  expect([sent(), host.recoveriesForced]).toEqual([[], []]);
  database.gate.park(tdb.chainOf(KEY), {
    ...half,
    carriesRecord: true,
    bytes: PARKED_BYTES_MAX - 200,
  });
  reqDmaster(1, 51, 3, { data: "x".repeat(200) });
  expect(errorAnswer(at(sent(), 0).packet).reqid).toBe(51);
  expect(host.recoveriesForced.length).toBe(1);
  release();
  host.time.advance(100);
  expect(at(sent(), 0)).toMatchObject({ pnn: 2 });
});

test("NodeCalls forces no recovery for what waited for a database that was detached", () => {
  const { put, reqDmaster, sent, tdb, host, caller, dbId } = calledNode(0);
  put(4, 1, "");
  tdb.file.hold(tdb.chainOf(KEY));
  reqDmaster(1, 50, 2, { data: "data" });
  host.tunables["AllowClientDBAttach"] = 0;
  expect(caller.now("DB_DETACH", dbId, { clientId: 0 }).status).toBe(0);
  expect(errorAnswer(at(sent(), 0).packet).reqid).toBe(50);
  expect(host.recoveriesForced).toEqual([]);
});

test("NodeCalls ends a call that goes round between nodes that contradict each other", () => {
  for (const lmaster of [0, 1]) {
    const { put, nodeCall, sent, host } = calledNode(lmaster);
    put(5, 2, "");
    nodeCall(3, 98, { hopcount: HOPS_MAX - 1 });
    expect(at(sent(), 0).packet.operation).toBe(OPERATIONS.REQ_CALL);
    nodeCall(3, 99, { hopcount: HOPS_MAX });
    const { pnn, packet } = at(sent(), 0);
    expect([pnn, errorAnswer(packet).reqid]).toEqual([3, 99]);
    expect(host.recoveriesForced.length).toBe(1);
    // Its node sends it again after the recovery.
    host.isRecovering = true;
    nodeCall(3, 100, { hopcount: HOPS_MAX });
    expect([sent(), host.recoveriesForced.length]).toEqual([[], 1]);
  }
});

test("NodeCalls as lmaster refuses a call for a record that it cannot create", () => {
  const { nodeCall, sent, tdb, stored } = calledNode(0);
  tdb.file.storeError = { code: "no_space", reason: "disk full" };
  nodeCall(2, 99);
  const packets = sent();
  expect(errorAnswer(at(packets, 0).packet)).toMatchObject({ reqid: 99 });
  expect([packets.length, stored()]).toEqual([1, undefined]);
});

test("NodeCalls hands on REPLY_CALL and REPLY_ERROR to the client", () => {
  const { put, caller, from, clientCall, sent, answers, host } = calledNode(1);
  put(5, 2, "");
  host.tunables["FetchCollapse"] = 0;
  clientCall(10, { callid: FETCH_FUNC });
  clientCall(11, { callid: FETCH_FUNC, clientId: 2 });
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
