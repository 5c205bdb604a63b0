/** What a slow reader does to traverses and pulls: they wait, and what waits stays bounded. */
import { expect, test } from "bun:test";
import { ControlCaller, FakeHost } from "../../../test/database/fake_host.ts";
import type { MemoryTdb } from "../../../test/database/memory_tdb.ts";
import { recordValue } from "../../../test/database/record_values.ts";
import { must } from "../../../test/support/must.ts";
import { err, ok } from "../../base/result.ts";
import { u64 } from "../../base/u64.ts";
import { decodeExact, EMPTY, encode, textBytes, u32Codec } from "../../wire/codec.ts";
import { CONTROL_NOREPLY, PING_BACKLOG } from "../../wire/controls.ts";
import { Reader } from "../../wire/reader.ts";
import { traverseAll } from "../../wire/structs/databases.ts";
import { recData } from "../../wire/structs/records.ts";
import { PULL_QUEUED_BYTES_MAX } from "../recovery/limits.ts";
import {
  BACKLOG_ASK_BYTES,
  TRAVERSE_BACKLOG_BYTES_MAX,
  TRAVERSE_HOLD_MS_MAX,
  TRAVERSE_WINDOW_BYTES,
} from "./limits.ts";

const RECORDS = 500;
/** Five windows and a half, all records together. */
const DATA_BYTES = Math.ceil((5.5 * TRAVERSE_WINDOW_BYTES) / RECORDS) - 24 - 40;
const SRVID = u64(3, 4);
const TRAVERSE_TIMEOUT_MS = 20_000;

function setUp() {
  const host = new FakeHost(0);
  for (const node of [0, 1, 2]) host.flags.set(node, 0);
  const caller = new ControlCaller(host);
  const { dbId, database } = caller.open("x.tdb");
  return { host, caller, dbId, tdb: database.tdb as MemoryTdb };
}

const value = (dataBytes: number) => recordValue({ data: new Uint8Array(dataBytes) });

function fill(tdb: MemoryTdb): void {
  for (let i = 0; i < RECORDS; i++) tdb.store(textBytes(`key ${i}`), value(DATA_BYTES));
}

function keyOf(data: Uint8Array): string {
  const record = decodeExact(recData, data);
  return record.ok ? Buffer.from(record.value.key).toString() : "undecodable";
}

/** A walk of this node for node 2; `keys` are those sent so far. */
function walk() {
  const world = setUp();
  fill(world.tdb);
  const { host, caller, dbId } = world;
  const request = { db_id: dbId, reqid: 8, pnn: 2, client_reqid: 4, srvid: SRVID };
  caller.now("TRAVERSE_ALL", request);
  const keys = () => [
    ...host.controlsSent.map(({ data }) => keyOf(data)),
    ...host.requests.map(({ data }) => keyOf(data)),
  ];
  return { ...world, request, keys };
}

test("TRAVERSE_ALL sends a window of records and waits for the acknowledgement of its last", () => {
  const { host, keys } = walk();
  for (let window = 1; window <= 5; window++) {
    host.time.advance(10_000);
    expect(host.requests.length).toBe(window);
    const last = host.requests.at(-1);
    expect([last?.pnn, last?.name, last?.timeoutMs]).toEqual([2, "TRAVERSE_DATA", 20_000]);
    const bytes = keys().length * DATA_BYTES;
    // A whole chain is sent before anything else.
    expect(bytes).toBeGreaterThan((window - 0.3) * TRAVERSE_WINDOW_BYTES);
    expect(bytes).toBeLessThan((window + 0.3) * TRAVERSE_WINDOW_BYTES);
    last?.finished(ok({ status: 0, data: EMPTY }));
  }
  host.time.advance(1000);
  expect(host.requests.length).toBe(5);
  expect(new Set(keys()).size).toBe(RECORDS + 1);
  expect(keys().length).toBe(RECORDS + 1);
  expect(keyOf(host.controlsSent.at(-1)?.data ?? EMPTY)).toBe("");
});

test("TRAVERSE_ALL ends when nobody collects any more", () => {
  const { host, keys, caller, request } = walk();
  const sent = keys().length;
  host.requests[0]?.finished(err("No traverse has number 8"));
  host.time.advance(1000);
  expect(keys().length).toBe(sent);
  // The place is free again, and the next one is served.
  caller.now("TRAVERSE_ALL", request);
  expect(host.requests.length).toBe(2);
});

test("TRAVERSE_KILL stops a walk that waits", () => {
  const { host, keys, caller, request } = walk();
  const sent = keys().length;
  caller.now("TRAVERSE_KILL", { db_id: request.db_id, reqid: 4, srvid: SRVID });
  host.requests[0]?.finished(ok({ status: 0, data: EMPTY }));
  host.time.advance(1000);
  expect(keys().length).toBe(sent);
});

/** A traverse that a client of this node has started, with nodes 1 and 2 to come. */
function collect() {
  const world = setUp();
  const { host, caller, dbId } = world;
  caller.now("TRAVERSE_START", { db_id: dbId, reqid: 1, srvid: SRVID });
  const { reqid } = must(decodeExact(traverseAll, host.controlsSent[0]?.data ?? EMPTY));
  const give = (srcnode: number, key: string, flags = 0) => {
    const data = key === "" ? EMPTY : value(10);
    const request = { reqid, key: textBytes(key), data };
    return caller.call("TRAVERSE_DATA", request, { srcnode, flags, clientId: 0 });
  };
  return { ...world, give };
}

test("TRAVERSE_DATA that wants an answer gets it when the client has caught up", () => {
  const { host, give } = collect();
  expect(give(1, "a").reply?.status).toBe(0);
  host.waitingBytes = TRAVERSE_BACKLOG_BYTES_MAX + 1;
  expect(give(1, "b", CONTROL_NOREPLY).reply?.status).toBe(0);
  const held = [give(1, "c"), give(2, "d")];
  host.time.advance(1000);
  expect(held.map(({ reply }) => reply)).toEqual([undefined, undefined]);
  // Held back is only the answer, not the record.
  expect(host.messagesSent.map(({ data }) => keyOf(data))).toEqual(["a", "b", "c", "d"]);
  host.waitingBytes = 0;
  host.time.advance(20);
  expect(held.map(({ reply }) => reply?.status)).toEqual([0, 0]);
});

test("TRAVERSE_DATA is answered in time for a node that would give up", () => {
  const { host, give } = collect();
  host.waitingBytes = TRAVERSE_BACKLOG_BYTES_MAX + 1;
  const held = give(1, "a");
  host.time.advance(TRAVERSE_HOLD_MS_MAX - 100);
  expect(held.reply).toBeUndefined();
  host.time.advance(200);
  expect(held.reply?.status).toBe(0);
});

test("a traverse whose client is behind does not time out; one whose nodes are silent does", () => {
  const { host, give } = collect();
  host.waitingBytes = TRAVERSE_BACKLOG_BYTES_MAX + 1;
  give(1, "a");
  host.time.advance(3 * TRAVERSE_TIMEOUT_MS);
  expect(host.statistics.timeouts.traverse).toBe(0);
  expect(give(1, "b", CONTROL_NOREPLY).reply?.status).toBe(0);
  host.waitingBytes = 0;
  host.time.advance(TRAVERSE_TIMEOUT_MS + 1);
  expect(host.statistics.timeouts.traverse).toBe(1);
  expect(give(1, "c").reply?.status).toBe(-1);
});

test("nodes that wait are told when the client leaves or the traverse ends", () => {
  for (const how of ["client", "detach"] as const) {
    const { host, caller, dbId, give } = collect();
    host.waitingBytes = TRAVERSE_BACKLOG_BYTES_MAX + 1;
    const held = give(1, "a");
    if (how === "client") caller.set.clientGone(1);
    else {
      host.tunables["AllowClientDBAttach"] = 0;
      caller.now("DB_DETACH", dbId, { clientId: 0 });
    }
    expect([how, held.reply?.status]).toEqual([how, -1]);
    host.time.advance(2 * TRAVERSE_TIMEOUT_MS);
    expect(host.statistics.timeouts.traverse).toBe(0);
  }
});

test("DB_PULL pauses while too much waits for the node that pulls", () => {
  const { host, caller, dbId, tdb } = setUp();
  fill(tdb);
  host.tunables["RecBufferSizeLimit"] = 100_000;
  caller.now("DB_FREEZE", dbId);
  host.waitingBytes = PULL_QUEUED_BYTES_MAX + 1;
  const request = { db_id: dbId, lmaster: 0xffffffff, srvid: SRVID };
  const answer = caller.call("DB_PULL", request, { srcnode: 2, clientId: 0 });
  host.time.advance(60_000);
  expect(host.messagesSent.length).toBe(0);
  expect(answer.reply).toBeUndefined();
  host.waitingBytes = 0;
  host.time.advance(1000);
  expect(host.messagesSent.length).toBeGreaterThan(25);
  expect(new Reader(answer.reply?.data ?? EMPTY).u32()).toBe(RECORDS);
});

/** A pull of this node for a client of node 2. */
function pullForOther(dataBytes: number) {
  const world = setUp();
  const { host, caller, dbId, tdb } = world;
  for (let i = 0; i < RECORDS; i++) tdb.store(textBytes(`key ${i}`), value(dataBytes));
  host.tunables["RecBufferSizeLimit"] = 100_000;
  caller.now("DB_FREEZE", dbId);
  const request = { db_id: dbId, lmaster: 0xffffffff, srvid: SRVID };
  const answer = caller.call("DB_PULL", request, { srcnode: 2, clientId: 0 });
  const sentBytes = () => host.messagesSent.reduce((sum, { data }) => sum + data.length, 0);
  const tell = (data: Uint8Array) => host.requests.at(-1)?.finished(ok({ status: 3, data }));
  return { ...world, answer, sentBytes, tell };
}

test("DB_PULL pauses while the daemon of who pulls says that too much waits there", () => {
  const { host, answer, sentBytes, tell } = pullForOther(4 * DATA_BYTES);
  const asked = () => host.requests.map(({ pnn, name, more }) => ({ pnn, name, more }));
  const question = { pnn: 2, name: "PING", more: { srvid: SRVID, flags: PING_BACKLOG } } as const;
  host.time.advance(1000);
  expect(asked()).toEqual([question]);
  const sent = sentBytes();
  tell(encode(u32Codec, PULL_QUEUED_BYTES_MAX + 1));
  host.time.advance(1000);
  // It has asked again, and waits for the answer.
  expect(asked()).toEqual([question, question]);
  expect(sentBytes()).toBe(sent);
  expect(answer.reply).toBeUndefined();
  for (let i = 0; i < 10 && answer.reply === undefined; i++) {
    tell(encode(u32Codec, 0));
    host.time.advance(1000);
  }
  expect(new Reader(answer.reply?.data ?? EMPTY).u32()).toBe(RECORDS);
});

test("DB_PULL sends only so much ahead of an answer, and asks a node that cannot tell only once", () => {
  const { host, answer, sentBytes, tell } = pullForOther(4 * DATA_BYTES);
  host.time.advance(1000);
  expect(host.requests.length).toBe(1);
  expect(sentBytes()).toBeGreaterThan(PULL_QUEUED_BYTES_MAX);
  expect(sentBytes()).toBeLessThan(BACKLOG_ASK_BYTES + PULL_QUEUED_BYTES_MAX + 1_000_000);
  expect(answer.reply).toBeUndefined();
  tell(EMPTY);
  host.time.advance(1000);
  expect(host.requests.length).toBe(1);
  expect(new Reader(answer.reply?.data ?? EMPTY).u32()).toBe(RECORDS);
});
