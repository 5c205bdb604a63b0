/** What takes back copies, deletes or shows records must stop when the ground under it has changed. */
import { expect, test } from "bun:test";
import { ok } from "../../src/base/result.ts";
import { PersistentHealth } from "../../src/database/attach/persistent_health.ts";
import { EMPTY, encode, textBytes } from "../../src/wire/codec.ts";
import { RECORD_FLAGS } from "../../src/wire/constants.ts";
import { OPERATIONS } from "../../src/wire/packet.ts";
import { recBuffer } from "../../src/wire/structs/records.ts";
import { at, calledNode, KEY, LENT, lendingNode, READ } from "./called_node.ts";
import { ControlCaller, FakeHost } from "./fake_host.ts";
import type { MemoryTdb } from "./memory_tdb.ts";
import { recordValue } from "./record_values.ts";

const { MIGRATED_WITH_DATA } = RECORD_FLAGS;
const OK = ok({ status: 0, data: EMPTY });
const SRVID = { hi: 3, lo: 4 };
const FROM_NODE = { clientId: 0, srcnode: 2 };

/** A record that node 2 has a copy of, which is being taken back for node 3. */
function revoking() {
  const node = lendingNode(0);
  node.put(5, 0, "data");
  node.nodeCall(2, 40, READ);
  node.sent();
  node.nodeCall(3, 50);
  const answer = at(node.asked(), 0);
  return { ...node, finish: () => answer.finished(OK) };
}

test("Revokes grants nothing of an earlier generation", () => {
  const { host, database, stored, finish } = revoking();
  host.currentGeneration = 78;
  database.generation = 78;
  finish();
  host.time.settle();
  expect([stored()?.flags, database.statistics.revokes]).toEqual([LENT, 0]);
});

test("Revokes grants no record that has changed while its copies were taken back", () => {
  const { host, database, put, stored, sent, finish } = revoking();
  put(20, 0, "new", LENT);
  finish();
  host.time.settle();
  expect([stored(), sent()]).toEqual([{ rsn: 20, dmaster: 0, flags: LENT, data: "new" }, []]);
  expect(database.statistics.revokes).toBe(0);
});

test("Revokes answers readers who wait for their second when the database goes", () => {
  const { host, nodeCall, caller, dbId, sent, finish } = revoking();
  nodeCall(1, 60, READ);
  finish();
  host.time.settle();
  sent();
  host.tunables["AllowClientDBAttach"] = 0;
  expect(caller.now("DB_DETACH", dbId, FROM_NODE).status).toBe(0);
  expect(sent().map(({ pnn, packet }) => [pnn, packet.operation, packet.reqid])).toEqual([
    [1, OPERATIONS.REPLY_ERROR, 60],
  ]);
});

/** A vacuum that has asked nodes 1, 2 and 3 to delete their copies of an empty record. */
function vacuuming() {
  const node = calledNode(0);
  const { host, caller, dbId } = node;
  node.put(5, 0, "", MIGRATED_WITH_DATA);
  const header = { rsn: { hi: 0, lo: 5 }, dmaster: 0, reserved1: 0, flags: MIGRATED_WITH_DATA };
  caller.call("SCHEDULE_FOR_DELETION", { db_id: dbId, header, key: KEY });
  caller.call("DB_VACUUM", { db_id: dbId, full_vacuum_run: false });
  host.time.advance(100);
  const asked = node.asked().filter(({ name }) => name === "TRY_DELETE_RECORDS");
  const kept = (key: Uint8Array) =>
    encode(recBuffer, { db_id: dbId, records: [{ reqid: 0, key, data: recordValue({}) }] });
  const none = encode(recBuffer, { db_id: dbId, records: [] });
  /** The nodes answer, the last one with this; whether the record is there afterwards. */
  const staysAfter = (last: Uint8Array = none) => {
    for (const [i, { finished }] of asked.entries()) {
      finished(ok({ status: 0, data: i === asked.length - 1 ? last : none }));
    }
    host.time.advance(1000);
    return node.stored() !== undefined;
  };
  return { ...node, pnns: asked.map(({ pnn }) => pnn), kept, staysAfter };
}

test("VacuumDelete deletes when every node has answered that its copy is gone", () => {
  const { pnns, staysAfter } = vacuuming();
  expect([pnns, staysAfter()]).toEqual([[1, 2, 3], false]);
  const { kept, staysAfter: staysAfterRefusal } = vacuuming();
  expect(staysAfterRefusal(kept(KEY))).toBe(true);
});

test("VacuumDelete believes no answer about other records, and none that is torn", () => {
  for (const answer of ["other", "torn"]) {
    const { kept, staysAfter } = vacuuming();
    const data = answer === "other" ? kept(textBytes("another key")) : kept(KEY).subarray(0, 20);
    expect([answer, staysAfter(data)]).toEqual([answer, true]);
  }
});

test("VacuumDelete keeps the records when a node came, or a recovery ran, since it asked", () => {
  const came = vacuuming();
  came.host.flags.set(4, 0);
  expect(came.staysAfter()).toBe(true);
  const recovered = vacuuming();
  recovered.host.currentGeneration = 78;
  recovered.database.generation = 78;
  expect(recovered.staysAfter()).toBe(true);
});

test("TRY_DELETE_RECORDS keeps what is asked about with data", () => {
  const { put, caller, dbId, host, stored } = calledNode(1);
  put(5, 1, "old", MIGRATED_WITH_DATA);
  const ask = (data: string) => {
    const records = [{ reqid: 0, key: KEY, data: recordValue({ rsn: 6, dmaster: 1, data }) }];
    const list = encode(recBuffer, { db_id: dbId, records });
    const answer = caller.call("TRY_DELETE_RECORDS", list, FROM_NODE);
    host.time.advance(100);
    expect(answer.reply?.status).toBe(0);
    return stored() !== undefined;
  };
  expect([ask("data"), ask("")]).toEqual([true, false]);
});

test("TRAVERSE_START needs a client, and a database that may be read", () => {
  const host = new FakeHost();
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("p.tdb", "DB_ATTACH_PERSISTENT");
  const start = (from = {}) =>
    caller.call("TRAVERSE_START", { db_id: dbId, reqid: 1, srvid: SRVID }, from).reply?.status;
  expect([start(FROM_NODE), start()]).toEqual([-1, 0]);
  database.unhealthyReason = "for a test";
  expect(start()).toBe(-1);
  host.tunables["AllowUnhealthyDBRead"] = 1;
  expect(start()).toBe(0);
});

test("TRAVERSE_ALL ends when the node that asked is lost, and only then", () => {
  for (const [lost, ends] of [
    [2, true],
    [1, false],
  ] as const) {
    const host = new FakeHost();
    const caller = new ControlCaller(host);
    const { dbId, database } = caller.open("x.tdb");
    const tdb = database.tdb as MemoryTdb;
    tdb.store(KEY, recordValue({ data: "x" }));
    const release = tdb.file.hold(tdb.chainOf(KEY));
    const request = { db_id: dbId, reqid: 8, pnn: 2, client_reqid: 4, srvid: SRVID };
    caller.call("TRAVERSE_ALL", request, FROM_NODE);
    host.time.advance(100);
    caller.set.nodeLost(lost);
    release();
    host.time.advance(1000);
    expect([lost, host.controlsSent.length === 0]).toEqual([lost, ends]);
  }
});

test("VacuumSchedule walks the whole database when a record found no place in the queue", () => {
  const { host, put, stored, database } = calledNode(0);
  put(5, 0, "");
  host.time.advance(25_000);
  expect(stored()).toBeDefined();
  database.deleteQueue.overflows = 1;
  host.time.advance(15_000);
  expect(stored()).toBeUndefined();
});

test("PUSH_RECORD that waits for its chain through a recovery stores nothing", () => {
  const { host, caller, dbId, tdb, stored } = calledNode(1);
  const header = { rsn: { hi: 0, lo: 5 }, dmaster: 1, reserved1: 0, flags: 0 };
  const push = (generation: number) => {
    const request = { generation, db_id: dbId, header, key: KEY, data: textBytes("data") };
    return caller.call("PUSH_RECORD", request, FROM_NODE);
  };
  const release = tdb.file.hold(tdb.chainOf(KEY));
  const late = push(77);
  host.currentGeneration = 78;
  release();
  host.time.advance(100);
  expect([late.reply?.status, stored()]).toEqual([0, undefined]);
  push(78);
  expect(stored()?.data).toBe("data");
});

test("PersistentHealth.set() writes one update after the other", () => {
  const host = new FakeHost();
  const health = new PersistentHealth(host);
  const problems: (string | undefined)[] = [];
  health.open((opened) => expect(opened.ok).toBe(true));
  host.time.advance(100);
  const names = ["a.tdb", "b.tdb", "c.tdb"];
  for (const name of names) health.set(name, `why ${name}`, (problem) => problems.push(problem));
  health.set("b.tdb", undefined, (problem) => problems.push(problem));
  host.time.advance(1000);
  expect(problems).toEqual([undefined, undefined, undefined, undefined]);
  const reasons = names.map((name) => health.reasonOf(name));
  expect(reasons).toEqual(["why a.tdb", undefined, "why c.tdb"]);
});

test("PersistentHealth.close() ends an update that waits for a busy file", () => {
  const host = new FakeHost();
  const health = new PersistentHealth(host);
  health.open((opened) => expect(opened.ok).toBe(true));
  host.time.advance(100);
  const [file] = host.memory.files.values();
  if (file === undefined) throw new Error("the file of health is open");
  const release = file.hold(0);
  const problems: (string | undefined)[] = [];
  health.set("a.tdb", "why", (problem) => problems.push(problem));
  host.time.advance(100);
  expect(problems).toEqual([]);
  health.close();
  release();
  host.time.advance(1000);
  expect(problems.map((problem) => problem?.includes("the file is not open"))).toEqual([true]);
  expect(health.reasonOf("a.tdb")).toBeUndefined();
});
