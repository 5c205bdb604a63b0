/**
 * Random valid values of every struct of the protocol, for property tests and as seeds of the fuzzer.
 * A generator belongs to a codec object, so that the table of controls finds its own.
 */
import { type U64, u64 } from "../../src/base/u64.ts";
import * as c from "../../src/wire/codec.ts";
import { tunableName } from "../../src/wire/controls.ts";
import * as s from "../../src/wire/structs.ts";
import { must } from "../support/must.ts";
import type { SeededRandom } from "./seeded_random.ts";

export type Generator<T> = (random: SeededRandom) => T;

const EDGES_U32 = [0, 1, 2, 7, 8, 0x7fffffff, 0x80000000, 0xf0000001, 0xffffffff] as const;

export const anyU32: Generator<number> = (random) =>
  random.chance(0.3) ? random.pick(EDGES_U32) : random.u32();
export const anyI32: Generator<number> = (random) => anyU32(random) | 0;
export const anyU64: Generator<U64> = (random) => u64(anyU32(random), anyU32(random));
const anyU16: Generator<number> = (random) => anyU32(random) & 0xffff;
const anyBool: Generator<boolean> = (random) => random.chance(0.5);
const anyF64: Generator<number> = (random) =>
  random.chance(0.2) ? 0 : (random.u32() - 0x7fffffff) / 1024;

export const anyBytes: Generator<Uint8Array> = (random) =>
  random.bytes(random.pick([0, 1, 7, 8, 24, random.below(64), random.below(2000)]));

const CHARACTERS = "abcdefghijklmnopqrstuvwxyzABC0123456789 ._-:/äß€𝄞";
export const anyText: Generator<string> = (random) => {
  const letters = [...CHARACTERS] as [string, ...string[]];
  return Array.from({ length: random.below(20) }, () => random.pick(letters)).join("");
};
const anyOptionalText: Generator<string | undefined> = (random) =>
  random.chance(0.2) ? undefined : anyText(random);

function listOf<T>(element: Generator<T>, most: number): Generator<T[]> {
  return (random) => Array.from({ length: random.below(most + 1) }, () => element(random));
}

function exactly<T>(element: Generator<T>, count: number): Generator<T[]> {
  return (random) => Array.from({ length: count }, () => element(random));
}

type GeneratorsOf<T> = { readonly [K in keyof T]: Generator<T[K]> };

function record<T extends object>(fields: GeneratorsOf<T>): Generator<T> {
  const entries = Object.entries(fields) as [keyof T, Generator<T[keyof T]>][];
  return (random) => {
    const value: Partial<T> = {};
    for (const [name, generate] of entries) value[name] = generate(random);
    return value as T;
  };
}

const generators = new Map<c.AnyCodec, Generator<unknown>>();

function given<T>(codec: c.Codec<T>, generate: Generator<T>): Generator<T> {
  generators.set(codec, generate);
  return generate;
}

/** The generator that belongs to a codec; a codec without one is a hole in the tests. */
export function generatorOf(codec: c.AnyCodec): Generator<unknown> {
  const generate = generators.get(codec);
  if (generate === undefined) throw new Error("a codec without generator: add it to generators.ts");
  return generate;
}

// --- scalars and texts

given(c.nothing, () => undefined);
given(c.u32Codec, anyU32);
given(c.i32Codec, anyI32);
given(c.u64Codec, anyU64);
given(c.f64Codec, anyF64);
given(c.restBytes, anyBytes);
given(c.stringZ, anyText);
given(c.countedString, anyText);
given(c.countedBytes, anyBytes);
given(tunableName, record({ name: anyText }));

// --- addresses

const timeval = given(s.timeval, (random) => ({
  sec: random.chance(0.1) ? -random.u32() : random.below(2 ** 40),
  usec: random.below(1000000),
}));

export const anyAddress = given(s.sockAddr, (random) => {
  if (random.chance(0.1)) return s.NO_ADDRESS;
  const bytes = random.bytes(16);
  if (random.chance(0.5)) {
    const address = bytes.subarray(0, 4).join(".");
    return { family: "ipv4", address, port: anyU16(random), scope: 0 } as const;
  }
  // Runs of zero groups are where the text form is difficult.
  const from = random.below(16);
  bytes.fill(0, from, from + random.below(16));
  const wire = new Uint8Array(28);
  wire[0] = 10;
  wire.set(bytes, 8);
  const address = must(c.decodeExact(s.sockAddr, wire));
  return { ...address, port: anyU16(random), scope: anyU32(random) };
});

const connection = given(s.connection, record({ src: anyAddress, dst: anyAddress }));
const connections = listOf(connection, 4);
given(s.tickleList, record({ addr: anyAddress, connections }));
given(s.addrInfo, record({ addr: anyAddress, mask: anyU32, iface: anyText }));
const publicIp = given(s.publicIp, record({ pnn: anyU32, addr: anyAddress }));
given(s.publicIpList, listOf(publicIp, 5));

const shortText: Generator<string> = (random) => random.u32().toString(36).slice(0, 15);
const iface = given(s.iface, record({ name: shortText, link_state: anyU16, references: anyU32 }));
const ifaces = given(s.ifaceList, listOf(iface, 4));
given(s.publicIpInfo, record({ head: record({ ip: publicIp, active_idx: anyU32 }), ifaces }));

// --- cluster

const node = given(s.nodeAndFlags, record({ pnn: anyU32, flags: anyU32, addr: anyAddress }));
given(s.nodeMap, listOf(node, 5));
const peerProblem = given(s.peerProblem, record({ pnn: anyU32, text: anyText }));
given(s.peerProblems, listOf(peerProblem, 5));
given(
  s.nodeKnowledge,
  record({
    leader: anyU32,
    leader_age: anyU32,
    heard: listOf(anyU32, 5),
    problems: listOf(peerProblem, 5),
    versions: listOf(anyU32, 5),
    missing_links: listOf(record({ pnn: anyU32, text: anyText }), 3),
  }),
);
const monitorFailure = given(
  s.monitorFailure,
  record({ script: anyText, result: anyI32, duration_ms: anyU32, line: anyText }),
);
given(
  s.nodeHealth,
  record({ magic: anyU32, monitor_events: anyU32, failures: listOf(monitorFailure, 3) }),
);
given(s.nodeTurns, record({ magic: anyU32, longest_us: anyU32, buckets: listOf(anyU32, 11) }));
given(
  s.nodeStanding,
  record({
    magic: anyU32,
    flags: listOf(record({ pnn: anyU32, flag: anyU32, age_ms: anyU32, reason: anyText }), 5),
    recovery_age_ms: anyU32,
    recovery_reason: anyText,
    databases: anyU32,
    ready: anyU32,
    recovering: listOf(
      record({ name: anyText, doing: anyU32, age_ms: anyU32, records: anyU32 }),
      4,
    ),
  }),
);
given(
  s.runningOptions,
  record({ magic: anyU32, options: listOf(record({ path: anyText, text: anyText }), 5) }),
);
given(s.vnnMap, record({ generation: anyU32, map: listOf(anyU32, 8) }));
const dbId = given(s.dbId, record({ db_id: anyU32, flags: (random) => anyU32(random) & 0xff }));
given(s.dbIdMap, listOf(dbId, 6));
given(
  s.uptime,
  record({
    current_time: timeval,
    ctdbd_start_time: timeval,
    last_recovery_started: timeval,
    last_recovery_finished: timeval,
  }),
);
given(
  s.electionMessage,
  record({ num_connected: anyU32, priority_time: timeval, pnn: anyU32, node_flags: anyU32 }),
);
given(s.srvidMessage, record({ pnn: anyU32, srvid: anyU64 }));
given(s.disableMessage, record({ pnn: anyU32, srvid: anyU64, timeout: anyU32 }));
given(s.flagChange, record({ pnn: anyU32, new_flags: anyU32, old_flags: anyU32 }));
given(s.banState, record({ pnn: anyU32, time: anyU32 }));
const serverId = given(
  s.serverId,
  record({ pid: anyU64, task: anyU32, vnn: anyU32, unique: anyU64 }),
);
const gLock = given(s.gLock, record({ type: anyU32, server_id: serverId }));
given(s.gLockList, listOf(gLock, 4));

// --- tunables

given(s.tunableValue, record({ value: anyU32, name: anyText }));
given(s.tunableList, exactly(anyU32, s.TUNABLE_COUNT));

// --- records

const ltdbHeader = given(
  s.ltdbHeader,
  record({ rsn: anyU64, dmaster: anyU32, reserved1: anyU32, flags: anyU32 }),
);
const recData = given(s.recData, record({ reqid: anyU32, key: anyBytes, data: anyBytes }));
given(s.recBuffer, record({ db_id: anyU32, records: listOf(recData, 6) }));
given(s.keyData, record({ db_id: anyU32, header: ltdbHeader, key: anyBytes }));
given(
  s.pushRecord,
  record({
    generation: anyU32,
    db_id: anyU32,
    header: ltdbHeader,
    key: anyBytes,
    data: anyBytes,
  }),
);

// --- databases and recovery

given(s.transDb, record({ db_id: anyU32, tid: anyU32 }));
given(s.pullDbExt, record({ db_id: anyU32, lmaster: anyU32, srvid: anyU64 }));
const traverseStart = { db_id: anyU32, reqid: anyU32, srvid: anyU64 };
const traverseAll = { ...traverseStart, pnn: anyU32, client_reqid: anyU32 };
given(s.traverseStart, record(traverseStart));
given(s.traverseAll, record(traverseAll));
given(s.traverseStartExt, record({ ...traverseStart, with_empty_records: anyBool }));
given(s.traverseAllExt, record({ ...traverseAll, with_empty_records: anyBool }));
given(s.paddedDbId, record({ db_id: anyU32 }));
given(s.dbVacuum, record({ db_id: anyU32, full_vacuum_run: anyBool }));

// --- clients

given(s.notifyData, record({ srvid: anyU64, data: anyBytes }));
given(s.pidSrvid, record({ pid: anyI32, srvid: anyU64 }));
given(s.echoData, record({ timeout: anyU32, data: anyBytes }));

// --- statistics

const latency = given(
  s.latencyCounter,
  record({ num: anyI32, min: anyF64, max: anyF64, total: anyF64 }),
);
const buckets = exactly(anyU32, s.MAX_COUNT_BUCKETS);
const locks = record({
  num_calls: anyU32,
  num_current: anyU32,
  num_pending: anyU32,
  num_failed: anyU32,
  latency,
  buckets,
});
const statistics = given(
  s.statistics,
  record<s.Statistics>({
    num_clients: anyU32,
    frozen: anyU32,
    recovering: anyU32,
    client_packets_sent: anyU32,
    client_packets_recv: anyU32,
    node_packets_sent: anyU32,
    node_packets_recv: anyU32,
    keepalive_packets_sent: anyU32,
    keepalive_packets_recv: anyU32,
    node: record({
      req_call: anyU32,
      reply_call: anyU32,
      req_dmaster: anyU32,
      reply_dmaster: anyU32,
      reply_error: anyU32,
      req_message: anyU32,
      req_control: anyU32,
      reply_control: anyU32,
      req_tunnel: anyU32,
    }),
    client: record({
      req_call: anyU32,
      req_message: anyU32,
      req_control: anyU32,
      req_tunnel: anyU32,
    }),
    timeouts: record({ call: anyU32, control: anyU32, traverse: anyU32 }),
    reclock: record({ ctdbd: latency, recd: latency }),
    locks,
    total_calls: anyU32,
    pending_calls: anyU32,
    childwrite_calls: anyU32,
    pending_childwrite_calls: anyU32,
    memory_used: anyU32,
    __last_counter: anyU32,
    max_hop_count: anyU32,
    hop_count_bucket: buckets,
    call_latency: latency,
    childwrite_latency: latency,
    num_recoveries: anyU32,
    statistics_start_time: timeval,
    statistics_current_time: timeval,
    total_ro_delegations: anyU32,
    total_ro_revokes: anyU32,
  }),
);
given(
  s.statisticsHistory,
  record({ num: (random) => random.below(101), entries: exactly(statistics, s.MAX_STAT_HISTORY) }),
);
given(
  s.dbStatistics,
  record<s.DbStatistics>({
    locks,
    vacuum_latency: latency,
    db_ro_delegations: anyU32,
    db_ro_revokes: anyU32,
    hop_count_bucket: buckets,
    hot_keys: exactly(record({ count: anyU32, key: anyBytes }), s.MAX_HOT_KEYS),
  }),
);

const exported: readonly [string, unknown][] = Object.entries(s);

/** Every codec that structs.ts exports, by name. */
export const STRUCTS: readonly (readonly [string, c.Codec<unknown>])[] = exported.flatMap(
  ([name, value]) => (isCodec(value) ? [[name, value] as const] : []),
);

function isCodec(value: unknown): value is c.Codec<unknown> {
  return typeof value === "object" && value !== null && "decode" in value && "encode" in value;
}

export const anyEventText = anyOptionalText;
export const anyTimeval = timeval;
