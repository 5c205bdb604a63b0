/** How copies of a record are taken back, on one node (docs/database.md, "Read-only copies"). */
import { expect, test } from "bun:test";
import { at, KEY, LENT, lendingNode, READ } from "../../../test/database/called_node.ts";
import { recordIn, recordValue } from "../../../test/database/record_values.ts";
import { must } from "../../../test/support/must.ts";
import { err, ok } from "../../base/result.ts";
import { decodeExact, EMPTY } from "../../wire/codec.ts";
import { RECORD_FLAGS } from "../../wire/constants.ts";
import { OPERATIONS } from "../../wire/packet.ts";
import { readReplyDmaster, readReqDmaster } from "../../wire/packets.ts";
import { recBuffer } from "../../wire/structs/records.ts";

const { MIGRATED_WITH_DATA } = RECORD_FLAGS;
const OK = ok({ status: 0, data: EMPTY });

test("Revokes asks every delegate and grants the record when all have answered", () => {
  const { put, nodeCall, sent, asked, stored, host, database } = lendingNode(1);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  nodeCall(3, 41, READ);
  sent();
  nodeCall(2, 50);
  const requests = asked();
  expect(requests.map(({ pnn, name, timeoutMs }) => [pnn, name, timeoutMs])).toEqual([
    [2, "UPDATE_RECORD", 60_000],
    [3, "UPDATE_RECORD", 60_000],
  ]);
  const update = must(decodeExact(recBuffer, at(requests, 0).data));
  expect(recordIn(at(update.records, 0).data)).toEqual({
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
  const { put, nodeCall, clientCall, sent, answers, asked, host } = lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  sent();
  clientCall(10);
  nodeCall(3, 51, READ);
  nodeCall(3, 52);
  nodeCall(2, 53);
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
  const { put, nodeCall, clientCall, sent, answers, asked, host, stored } = lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  clientCall(10);
  at(asked(), 0).finished(OK);
  host.time.settle();
  expect(answers().length).toBe(1);
  sent();
  nodeCall(2, 41, READ);
  host.time.settle();
  expect([sent(), stored()?.flags]).toEqual([[], MIGRATED_WITH_DATA]);
  host.time.advance(25);
  expect(at(sent(), 0).packet.reqid).toBe(41);
  expect(stored()?.flags).toBe(LENT);
});

test("Revokes pauses after a failure, tries again, and asks for a recovery after the third", () => {
  const { put, nodeCall, clientCall, asked, host, stored, answers } = lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  nodeCall(3, 41, READ);
  clientCall(10);
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
  const { put, nodeCall, clientCall, asked, host, stored } = lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  nodeCall(3, 41, READ);
  clientCall(10);
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
  const { put, nodeCall, clientCall, asked, host, stored, answers, tdb } = lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  clientCall(10);
  const release = tdb.file.hold(tdb.chainOf(KEY));
  at(asked(), 0).finished(OK);
  host.time.advance(100);
  expect([stored()?.flags, answers().length]).toEqual([LENT, 0]);
  release();
  host.time.advance(100);
  expect([stored()?.flags, answers().length]).toEqual([MIGRATED_WITH_DATA, 1]);
});

test("A recovery ends a revoke: all copies are void, calls are decided anew, nobody is tracked", () => {
  const { put, clientCall, nodeCall, asked, host, answers, caller, dbId, database, sent } =
    lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  clientCall(10);
  nodeCall(3, 50);
  const requests = asked();
  sent();
  expect(caller.now("DB_FREEZE", dbId).status).toBe(0);
  expect(caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 78 }).status).toBe(0);
  database.tdb.store(KEY, recordValue({ rsn: 9, dmaster: 0, data: "data" }));
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

test("Revokes asks nobody while a recovery runs that has not come to the database yet", () => {
  const { put, nodeCall, sent, asked, host } = lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  sent();
  host.isRecovering = true;
  nodeCall(2, 50);
  expect(asked()).toEqual([]);
  host.time.advance(10_000);
  expect(asked()).toEqual([]);
  // It was called off.
  host.isRecovering = false;
  host.time.advance(10_000);
  expect(asked().map(({ name }) => name)).toEqual(["UPDATE_RECORD"]);
});

test("A freeze without a recovery holds a revoke up; it ends after the thaw", () => {
  const { put, nodeCall, clientCall, asked, host, answers, caller, dbId, stored } = lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  clientCall(10);
  expect(caller.now("DB_FREEZE", dbId).status).toBe(0);
  at(asked(), 0).finished(OK);
  host.time.advance(100);
  expect(answers()).toEqual([]);
  expect(caller.now("DB_THAW", dbId).status).toBe(0);
  host.time.advance(100);
  expect([stored()?.flags, answers().length]).toEqual([MIGRATED_WITH_DATA, 1]);
});

test("Waiting calls go with their client, and are refused when the database is detached", () => {
  const { put, clientCall, nodeCall, answers, caller, dbId, database, host, sent } = lendingNode(0);
  put(5, 0, "data");
  nodeCall(2, 40, READ);
  clientCall(10);
  clientCall(11, { clientId: 2 });
  nodeCall(3, 50);
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
  expect([answers(), sent()]).toEqual([[], []]);
});

test("A record whose marked copies are nobody's is free at once", () => {
  const { put, nodeCall, sent, asked } = lendingNode(0);
  put(8, 0, "data", LENT);
  nodeCall(2, 50);
  expect(asked()).toEqual([]);
  const given = readReplyDmaster(at(sent(), 0).packet);
  expect(given.ok && [given.value.rsn.lo, given.value.recordFlags]).toEqual([
    9,
    MIGRATED_WITH_DATA,
  ]);
});

test("A vacuum takes copies of an empty record back and deletes it afterwards everywhere", () => {
  const { put, nodeCall, asked, stored, host, caller, dbId, database } = lendingNode(0);
  Object.assign(host.tunables, { VacuumFastPathCount: 0 });
  put(5, 0, "");
  nodeCall(2, 40, READ);
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
