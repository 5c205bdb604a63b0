/** TRANS3_COMMIT at its coordinator, and PUSH_RECORD. What the nodes do is in update_record.test.ts. */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../../test/database/fake_host.ts";
import { recordIn, recordValue } from "../../../test/database/record_values.ts";
import { err, ok } from "../../base/result.ts";
import { u64 } from "../../base/u64.ts";
import { encode, textBytes } from "../../wire/codec.ts";
import { FETCH_FUNC, NODE_FLAGS, RECORD_FLAGS } from "../../wire/constants.ts";
import { NO_SPACE, SEQNUM_RESERVE } from "../../wire/controls.ts";
import { OPERATIONS } from "../../wire/packet.ts";
import { buildReqCall } from "../../wire/packets.ts";
import { recBuffer } from "../../wire/structs/records.ts";

const WRITTEN = ok({ status: 0, data: new Uint8Array() });

function setUp() {
  const host = new FakeHost(0);
  host.map = [0, 1];
  for (const pnn of [1, 2]) host.flags.set(pnn, 0);
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("p.tdb", "DB_ATTACH_PERSISTENT");
  const records = [{ reqid: 0, key: textBytes("k"), data: new Uint8Array(25).fill(1) }];
  const request = { db_id: dbId, records };
  const ask = (clientId = 1) => caller.call("TRANS3_COMMIT", request, { clientId });
  /** All nodes have room for it. */
  const commit = (clientId = 1) => {
    const asked = ask(clientId);
    const inquiries = host.requests.filter(({ name }) => name === "GET_DB_SEQNUM");
    for (const inquiry of inquiries) {
      host.requests.splice(host.requests.indexOf(inquiry), 1);
      inquiry.finished(WRITTEN);
    }
    return asked;
  };
  const answer = (pnn: number, outcome: Parameters<(typeof host.requests)[0]["finished"]>[0]) => {
    const asked = host.requests.find((sent) => sent.pnn === pnn);
    host.requests.splice(host.requests.indexOf(asked as (typeof host.requests)[0]), 1);
    asked?.finished(outcome);
  };
  return { host, caller, dbId, database, request, ask, commit, answer };
}

test("TRANS3_COMMIT is answered when every active node has written", () => {
  const { host, request, commit, answer } = setUp();
  host.flags.set(3, NODE_FLAGS.STOPPED);
  host.flags.set(1, NODE_FLAGS.STOPPED);
  const client = commit();
  const bytes = encode(recBuffer, request);
  expect(host.requests.map(({ pnn, name, data }) => [pnn, name, data])).toEqual([
    [0, "UPDATE_RECORD", bytes],
    [1, "UPDATE_RECORD", bytes],
    [2, "UPDATE_RECORD", bytes],
  ]);
  answer(1, WRITTEN);
  answer(0, WRITTEN);
  expect(client.reply).toBe(undefined);
  answer(2, WRITTEN);
  expect(client.reply?.status).toBe(0);
  expect(host.recoveriesForced).toEqual([]);
  expect(commit().reply).toBe(undefined);
});

test("TRANS3_COMMIT of what is too short for a record is refused, and forces no recovery", () => {
  for (const length of [0, 1, 23]) {
    const { host, caller, dbId } = setUp();
    const records = [24, length].map((bytes, i) => ({
      reqid: 0,
      key: textBytes(`k${i}`),
      data: new Uint8Array(bytes),
    }));
    const reply = caller.now("TRANS3_COMMIT", { db_id: dbId, records });
    expect(reply.status).toBe(-1);
    expect([host.requests, host.recoveriesForced]).toEqual([[], []]);
  }
});

test("TRANS3_COMMIT is refused, and nothing sent, when a node has no room for it", () => {
  const { host, caller, request, ask, commit, answer } = setUp();
  const client = ask();
  const bytes = encode(recBuffer, request).length;
  expect(host.requests.map(({ pnn, name, more }) => [pnn, name, more])).toEqual(
    [0, 1, 2].map((pnn) => [
      pnn,
      "GET_DB_SEQNUM",
      { srvid: { hi: 1, lo: bytes }, flags: SEQNUM_RESERVE },
    ]),
  );
  answer(0, WRITTEN);
  answer(2, ok({ status: NO_SPACE, data: new Uint8Array() }));
  expect(client.reply?.status).toBe(-NO_SPACE);
  answer(1, WRITTEN);
  expect([host.requests, host.recoveriesForced]).toEqual([[], []]);

  const lost = ask();
  caller.set.clientGone(1);
  expect([lost.reply?.status, host.recoveriesForced]).toEqual([-1, []]);
  host.requests.length = 0;
  commit();
  expect(host.requests.map(({ name }) => name)).toEqual(Array(3).fill("UPDATE_RECORD"));
});

test("TRANS3_COMMIT is refused at once when it cannot begin", () => {
  const { host, caller, dbId, database, request, commit } = setUp();
  const other = caller.attach("q.tdb", "DB_ATTACH_PERSISTENT");
  const refused = (answer: ReturnType<typeof commit>) => answer.reply?.status;
  host.isRecovering = true;
  expect(refused(commit())).toBe(-1);
  host.isRecovering = false;
  database.unhealthyReason = "for a test";
  expect(refused(commit())).toBe(-1);
  database.unhealthyReason = undefined;
  caller.now("DB_FREEZE", dbId);
  expect(refused(commit())).toBe(-1);
  caller.now("DB_THAW", dbId);
  expect(refused(commit(0))).toBe(-1);
  host.flags.set(1, NODE_FLAGS.DISCONNECTED);
  expect(refused(commit())).toBe(-1);
  host.flags.set(1, 0);
  const volatile = { ...request, db_id: caller.attach("v.tdb") };
  expect(caller.call("TRANS3_COMMIT", volatile).reply?.status).toBe(-1);
  expect(host.requests).toEqual([]);

  expect(refused(commit(1))).toBe(undefined);
  expect(refused(commit(2))).toBe(-1);
  const ofOther = { ...request, db_id: other };
  expect(refused(caller.call("TRANS3_COMMIT", ofOther, { clientId: 1 }))).toBe(-1);
  expect(refused(caller.call("TRANS3_COMMIT", ofOther, { clientId: 2 }))).toBe(undefined);
});

test("TRANS3_COMMIT that a node does not write is answered 2 at the end of the recovery", () => {
  const { host, caller, commit, answer } = setUp();
  const client = commit();
  answer(0, WRITTEN);
  answer(1, err("node is disconnected"));
  expect(host.recoveriesForced.length).toBe(1);
  host.isRecovering = true;
  answer(2, WRITTEN);
  caller.set.recoveryEnded();
  expect(client.reply).toBe(undefined);
  host.currentGeneration = 78;
  host.isRecovering = false;
  caller.set.recovered();
  expect(client.reply).toBe(undefined);
  caller.set.recoveryEnded();
  expect(client.reply?.status).toBe(2);
});

test("TRANS3_COMMIT counts no answer of before a recovery", () => {
  const { host, caller, commit, answer } = setUp();
  const client = commit();
  host.isRecovering = true;
  host.currentGeneration = 78;
  answer(0, WRITTEN);
  answer(1, err("a recovery runs"));
  host.isRecovering = false;
  answer(2, WRITTEN);
  expect([client.reply, host.recoveriesForced]).toEqual([undefined, []]);
  caller.set.recoveryEnded();
  expect(client.reply?.status).toBe(2);
});

test("END_RECOVERY does not end a TRANS3_COMMIT that began after the recovery", () => {
  const { host, caller, database, commit, answer } = setUp();
  host.currentGeneration = 78;
  database.generation = 78;
  const client = commit();
  caller.set.recoveryEnded();
  expect(client.reply).toBe(undefined);
  for (const pnn of [0, 1, 2]) answer(pnn, WRITTEN);
  expect(client.reply?.status).toBe(0);
});

test("TRANS3_COMMIT without all answers ends with ControlTimeout, or after a recovery by it", () => {
  const { host, commit, answer } = setUp();
  const first = commit();
  answer(0, WRITTEN);
  host.time.advance(60_000);
  expect([first.reply?.status, host.recoveriesForced.length]).toEqual([1, 1]);

  const second = commit();
  host.isRecovering = true;
  host.time.advance(60_000);
  expect(second.reply).toBe(undefined);
  // Its END_RECOVERY never comes: the leader died before.
  host.isRecovering = false;
  host.currentGeneration = 78;
  host.time.advance(60_000);
  expect([second.reply?.status, host.recoveriesForced.length]).toEqual([2, 1]);
});

test("TRANS3_COMMIT of a client that goes ends in a recovery", () => {
  const { host, caller, commit, answer } = setUp();
  commit(1);
  caller.set.clientGone(2);
  expect(host.recoveriesForced).toEqual([]);
  caller.set.clientGone(1);
  expect(host.recoveriesForced.length).toBe(1);
  for (const pnn of [0, 1, 2]) answer(pnn, WRITTEN);
  expect(commit(2).reply).toBe(undefined);
});

test("REQ_CALL of a node is refused while a transaction on the database is committed", () => {
  const { host, caller, dbId, database, commit, answer } = setUp();
  database.tdb.store(textBytes("k"), new Uint8Array(25));
  const call = () => {
    const header = { generation: 77, destnode: 0, srcnode: 1, reqid: 5 };
    const body = { flags: 1, db_id: dbId, callid: FETCH_FUNC, hopcount: 0 };
    caller.set.nodePacket(
      buildReqCall(header, { ...body, key: textBytes("k"), calldata: new Uint8Array() }),
    );
    return host.toNodes.pop()?.packet.operation;
  };
  commit();
  expect(call()).toBe(OPERATIONS.REPLY_ERROR);
  for (const pnn of [0, 1, 2]) answer(pnn, WRITTEN);
  expect(call()).toBe(OPERATIONS.REPLY_DMASTER);
});

test("PUSH_RECORD stores a newer copy, of this generation, of another data master", () => {
  const { host, caller } = setUp();
  const { dbId, database } = caller.open("v.tdb");
  const { tdb } = database;
  const key = textBytes("k");
  const push = (rsn: number, dmaster: number, text: string, generation = 77) => {
    const flags = RECORD_FLAGS.PERSISTENT;
    const header = { rsn: u64(0, rsn), dmaster, reserved1: 0, flags };
    const request = { generation, db_id: dbId, header, key, data: textBytes(text) };
    return caller.now("PUSH_RECORD", request).status;
  };
  const stored = () => {
    const fetched = tdb.fetch(key);
    return fetched.ok && fetched.value !== undefined ? recordIn(fetched.value) : undefined;
  };
  expect([push(5, 1, "old", 76), push(5, 0, "own"), stored()]).toEqual([0, 0, undefined]);
  expect(push(5, 1, "first")).toBe(0);
  const flags = RECORD_FLAGS.PERSISTENT | RECORD_FLAGS.MIGRATED_WITH_DATA;
  expect(stored()).toEqual({ rsn: 5, dmaster: 1, flags, data: "first" });
  expect([push(4, 2, "late"), stored()?.data]).toEqual([0, "first"]);
  tdb.store(key, recordValue({ rsn: 6, dmaster: host.pnn }));
  expect([push(7, 1, "of its former data master"), stored()?.rsn]).toEqual([0, 6]);
});
