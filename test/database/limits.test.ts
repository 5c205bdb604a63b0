/** What is over a limit is refused at once, with a reason, and counts for nobody any more. */
import { expect, test } from "bun:test";
import { databaseId } from "../../src/database/attach/attach.ts";
import {
  ATTACH_WAITERS_MAX,
  DATABASES_MAX,
  DEFERRED_ATTACHES_MAX,
} from "../../src/database/attach/limits.ts";
import { DEFERRED_CALLS_MAX, STICKY_RECORDS_MAX } from "../../src/database/calls/limits.ts";
import { StickyRecords } from "../../src/database/calls/sticky.ts";
import { type WaitingCall, WaitingCalls } from "../../src/database/calls/waiting_calls.ts";
import { newLocks } from "../../src/database/database_statistics.ts";
import { ChainGate, type ChainWork } from "../../src/database/record/chain_gate.ts";
import { PARKED_BYTES_MAX, PARKED_WORKS_MAX } from "../../src/database/record/limits.ts";
import { PUSH_WAITING_BYTES_MAX } from "../../src/database/recovery/limits.ts";
import { UPDATES_WAITING_BYTES_MAX } from "../../src/database/transactions/limits.ts";
import { TRAVERSES_MAX } from "../../src/database/traverse/limits.ts";
import { EMPTY, encode, textBytes, u32Codec } from "../../src/wire/codec.ts";
import { NULL_FUNC } from "../../src/wire/constants.ts";
import { OPERATIONS } from "../../src/wire/packet.ts";
import { buildReqCall } from "../../src/wire/packets.ts";
import { RecBufferCursor } from "../../src/wire/records/rec_buffer.ts";
import { type RecData, recBuffer } from "../../src/wire/structs/records.ts";
import { must } from "../support/must.ts";
import { calledNode } from "./called_node.ts";
import { ControlCaller, FakeHost } from "./fake_host.ts";
import { MemoryFile, MemoryTdb } from "./memory_tdb.ts";
import { recordValue } from "./record_values.ts";

const SRVID = { hi: 0xf0010000, lo: 5 };

/** A sound buffer that says that it has so many bytes: nobody wants to have them all here. */
function bufferOf(bytes: number, records: readonly RecData[] = []): Uint8Array {
  const buffer = encode(recBuffer, { db_id: 0, records });
  return Object.defineProperty(buffer, "length", { value: bytes });
}

function closedGate() {
  const host = new FakeHost();
  const tdb = new MemoryTdb("/v/x", 0, new MemoryFile());
  const gate = new ChainGate(host, tdb, "x", newLocks());
  gate.close();
  const dropped: ChainWork[] = [];
  const park = (bytes: number) => {
    const work: ChainWork = { bytes, clientId: 1, run: () => true, drop: () => dropped.push(work) };
    gate.park(work.bytes % 7, work);
    return dropped.includes(work) ? "dropped" : "parked";
  };
  return { host, gate, park, dropped };
}

test("ChainGate.park() takes PARKED_WORKS_MAX works, and more when some have run", () => {
  const { host, gate, park, dropped } = closedGate();
  for (let i = 0; i < PARKED_WORKS_MAX; i++) park(1);
  expect([gate.parkedWorks, dropped.length]).toEqual([PARKED_WORKS_MAX, 0]);
  expect([park(1), gate.parkedWorks]).toEqual(["dropped", PARKED_WORKS_MAX]);
  gate.open();
  host.time.advance(1000);
  expect([gate.parkedWorks, gate.parkedBytes]).toEqual([0, 0]);
  gate.close();
  expect(park(1)).toBe("parked");
});

test("ChainGate.park() takes works of PARKED_BYTES_MAX together", () => {
  const { gate, park } = closedGate();
  expect([park(PARKED_BYTES_MAX - 10), park(11), park(10), park(1)]).toEqual([
    "parked",
    "dropped",
    "parked",
    "dropped",
  ]);
  expect([gate.parkedWorks, gate.parkedBytes]).toEqual([2, PARKED_BYTES_MAX]);
  gate.dropClient(1);
  expect([gate.parkedWorks, gate.parkedBytes]).toEqual([0, 0]);
});

test("WaitingCalls.add() takes DEFERRED_CALLS_MAX calls, and more when some have run", () => {
  const host = new FakeHost();
  const waiting = new WaitingCalls(host, "x.tdb");
  const queue: WaitingCall[] = [];
  let dropped = 0;
  const call: WaitingCall = {
    bytes: 1,
    clientId: 0,
    wantsReadonly: false,
    resume: () => undefined,
    drop: () => {
      dropped += 1;
    },
  };
  for (let i = 0; i < DEFERRED_CALLS_MAX; i++) waiting.add(queue, call);
  expect(dropped).toBe(0);
  waiting.add(queue, call);
  expect([dropped, waiting.count]).toEqual([1, DEFERRED_CALLS_MAX]);
  waiting.resume(queue);
  host.time.advance(1000);
  waiting.add(queue, call);
  expect([dropped, waiting.count]).toEqual([1, 1]);
});

test("StickyRecords remembers STICKY_RECORDS_MAX records, and new ones when old ones are cold", () => {
  const host = new FakeHost();
  Object.assign(host.tunables, { HopcountMakeSticky: 5, StickyDuration: 10, StickyPindown: 200 });
  const sticky = new StickyRecords(host, new WaitingCalls(host, "x.tdb"));
  const count = (i: number) => sticky.counted(i, textBytes(`${i}`), 5);
  for (let i = 0; i <= STICKY_RECORDS_MAX; i++) count(i);
  expect(sticky.size).toBe(STICKY_RECORDS_MAX);
  host.time.advance(10_001);
  count(-1);
  expect(sticky.size).toBe(1);
});

test("DB_ATTACH that waits for a recovery is refused when DEFERRED_ATTACHES_MAX wait", () => {
  const host = new FakeHost();
  const caller = new ControlCaller(host);
  host.isRecovering = true;
  const waiting = Array.from({ length: DEFERRED_ATTACHES_MAX }, (_, i) =>
    caller.call("DB_ATTACH", "x.tdb", { clientId: i + 1 }),
  );
  expect(waiting.some(({ reply }) => reply !== undefined)).toBe(false);
  expect(caller.call("DB_ATTACH", "x.tdb").reply?.status).toBe(-1);
  caller.set.clientGone(1);
  expect(caller.call("DB_ATTACH", "x.tdb").reply).toBeUndefined();
});

test("UPDATE_RECORD of a persistent database waits up to UPDATES_WAITING_BYTES_MAX", () => {
  const host = new FakeHost();
  const caller = new ControlCaller(host);
  const { database } = caller.open("p.tdb", "DB_ATTACH_PERSISTENT");
  const statuses: number[] = [];
  const add = (bytes: number) =>
    database.updates.add(new RecBufferCursor(bufferOf(bytes)), ({ status }) =>
      statuses.push(status),
    );
  // The first is under way, and does not wait any more.
  for (const bytes of [10, UPDATES_WAITING_BYTES_MAX - 10, 11, 10, 1]) add(bytes);
  expect(statuses).toEqual([-1, -1]);
  host.time.advance(1000);
  expect(statuses).toEqual([-1, -1, 0, 0, 0]);
  for (const bytes of [10, UPDATES_WAITING_BYTES_MAX]) add(bytes);
  expect(statuses.length).toBe(5);
});

test("TRAVERSE_START and TRAVERSE_ALL are refused when TRAVERSES_MAX run", () => {
  const host = new FakeHost();
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb");
  const tdb = database.tdb as MemoryTdb;
  must(tdb.store(textBytes("k"), recordValue({ data: "x" })));
  // A walk waits for it.
  tdb.file.hold(tdb.chainOf(textBytes("k")));
  const start = (reqid: number) =>
    caller.call("TRAVERSE_START", { db_id: dbId, reqid, srvid: SRVID }).reply?.status;
  const walk = (reqid: number) => {
    const request = { db_id: dbId, reqid, pnn: 2, client_reqid: 4, srvid: SRVID };
    return caller.call("TRAVERSE_ALL", request, { clientId: 0, srcnode: 2 }).reply?.status;
  };
  for (const begin of [start, walk]) {
    const begun = Array.from({ length: TRAVERSES_MAX }, (_, i) => begin(i));
    expect(begun.filter((status) => status === 0).length).toBe(TRAVERSES_MAX);
    expect(begin(TRAVERSES_MAX)).toBe(-1);
  }
});

test("DB_PUSH_CONFIRM says why, when more than PUSH_WAITING_BYTES_MAX would have waited", () => {
  const records = [{ reqid: 0, key: textBytes("k"), data: recordValue({ data: "x" }) }];
  const why = 'Cannot store pushed records of database "x.tdb": 0 bytes wait to be stored already';
  for (const [bytes, status, error] of [
    [PUSH_WAITING_BYTES_MAX, 0, undefined],
    [PUSH_WAITING_BYTES_MAX + 1, -1, why],
  ] as const) {
    const host = new FakeHost();
    const caller = new ControlCaller(host);
    const { dbId } = caller.open("x.tdb");
    caller.now("DB_FREEZE", dbId);
    caller.now("DB_TRANSACTION_START", { db_id: dbId, tid: 78 });
    caller.now("DB_PUSH_START", { db_id: dbId, lmaster: 0xffffffff, srvid: SRVID });
    host.handlers.get(`${SRVID.hi}:${SRVID.lo}`)?.(bufferOf(bytes, records), 1);
    const confirmed = caller.now("DB_PUSH_CONFIRM", dbId);
    expect([confirmed.status, confirmed.error]).toEqual([status, error]);
    if (status === 0) expect(confirmed.data).toEqual(encode(u32Codec, 1));
  }
});

test("DB_ATTACH is refused when DATABASES_MAX are attached, unless it is one of them", () => {
  const host = new FakeHost();
  const caller = new ControlCaller(host);
  for (let i = 0; i < DATABASES_MAX; i++) caller.attach(`${i}.tdb`);
  expect(caller.now("DB_ATTACH", "one_more.tdb").status).toBe(-1);
  expect(caller.now("DB_ATTACH", "0.tdb").status).toBe(0);
});

test("Packets wait for an attach up to ATTACH_WAITERS_MAX, and are answered beyond", () => {
  const { host, caller } = calledNode(1);
  host.memory.busyPaths.add("/v/y.tdb.0");
  caller.call("DB_ATTACH", "y.tdb");
  const body = { flags: 0, db_id: databaseId("y.tdb"), callid: NULL_FUNC, hopcount: 0 };
  const call = () => {
    const header = { generation: 77, destnode: 0, srcnode: 2, reqid: 5 };
    caller.set.nodePacket(buildReqCall(header, { ...body, key: textBytes("k"), calldata: EMPTY }));
    return host.toNodes.splice(0).map(({ packet }) => packet.operation);
  };
  // The control itself waits, too.
  for (let i = 1; i < ATTACH_WAITERS_MAX; i++) expect(call()).toEqual([]);
  expect(call()).toEqual([OPERATIONS.REPLY_ERROR]);
});
