/** What happened between two samples. Counters begin anew when somebody resets them: what came of that is not known. */
import { bytesHex } from "../../base/bytes_hex.ts";
import { TURN_BUCKETS_MS } from "../../base/trace.ts";
import { RECOVERY_NORMAL } from "../../wire/constants.ts";
import { INVALID_GENERATION } from "../../wire/packet.ts";
import type { LatencyCounter, Statistics } from "../../wire/structs/statistics.ts";
import { hex8 } from "../format.ts";
import { flagNames } from "../node_flags.ts";
import type { TopFacts, TopNode } from "../schemas/top.ts";
import type { DatabaseSample, NodeSample, Sample } from "./sample.ts";

const SLOW_TURN_MS = 10;
const DATABASES_MAX = 50;
const HOT_KEYS_MAX = 20;

export interface RateOptions {
  readonly intervalMs: number;
  readonly timeSec: number;
  nameOf(id: number): string | undefined;
}

/** Without an earlier sample rates are since the counters began, where they tell when. */
export function ratesOf(now: Sample, before: Sample | undefined, options: RateOptions): TopFacts {
  const earlier = (pnn: number) => before?.nodes.find(({ node }) => node.pnn === pnn);
  const sec = before === undefined ? undefined : (now.atMs - before.atMs) / 1000;
  const { generation, recoveryMode, leader } = now;
  return {
    time: options.timeSec,
    interval_seconds: options.intervalMs / 1000,
    leader: leader ?? null,
    generation: generation === undefined || generation === INVALID_GENERATION ? null : generation,
    recovering: recoveryMode !== undefined && recoveryMode !== RECOVERY_NORMAL,
    nodes: now.nodes.map((each) => nodeRates(each, earlier(each.node.pnn), sec, leader)),
    databases: now.nodes
      .flatMap((each) => databaseRates(each, earlier(each.node.pnn), sec, options))
      .sort(
        (a, b) =>
          (b.lock_latency_ms ?? 0) - (a.lock_latency_ms ?? 0) ||
          b.locks_pending - a.locks_pending ||
          (b.locks_per_second ?? 0) - (a.locks_per_second ?? 0),
      )
      .slice(0, DATABASES_MAX),
    hot_keys: now.nodes
      .flatMap((each) => hotKeys(each, options))
      .sort((a, b) => b.count - a.count)
      .slice(0, HOT_KEYS_MAX),
  };
}

function nodeRates(
  { node, statistics, turns, isSilent }: NodeSample,
  before: NodeSample | undefined,
  sec: number | undefined,
  leader: number | undefined,
): TopNode {
  const old = before?.statistics;
  const span = old === undefined ? sinceStart(statistics) : sec;
  const rate = (read: (s: Statistics) => number) =>
    statistics === undefined ? null : perSecond(read(statistics), old && read(old), span);
  const latency = (read: (s: Statistics) => LatencyCounter) =>
    statistics === undefined ? null : meanMs(read(statistics), old && read(old));
  const slow = turns && slowTurns(turns.buckets);
  const slowBefore = before?.turns && slowTurns(before.turns.buckets);
  return {
    pnn: node.pnn,
    address: node.addr.address,
    state: flagNames(node.flags),
    leader: node.pnn === leader,
    silent: isSilent,
    longest_turn_ms: turns === undefined ? null : turns.longest_us / 1000,
    slow_turns_per_second:
      slow === undefined || slowBefore === undefined ? null : perSecond(slow, slowBefore, sec),
    calls_per_second: rate((s) => s.total_calls),
    migrations_per_second: rate((s) => s.node.reply_dmaster),
    pending_calls: statistics?.pending_calls ?? null,
    call_latency_ms: latency((s) => s.call_latency),
    lock_latency_ms: latency((s) => s.locks.latency),
    clients: statistics?.num_clients ?? null,
    recoveries: statistics?.num_recoveries ?? null,
    recovering: statistics === undefined ? null : statistics.recovering !== 0,
  };
}

function sinceStart(statistics: Statistics | undefined): number | undefined {
  if (statistics === undefined) return undefined;
  return statistics.statistics_current_time.sec - statistics.statistics_start_time.sec;
}

function slowTurns(buckets: readonly number[]): number {
  const from = TURN_BUCKETS_MS.indexOf(SLOW_TURN_MS) + 1;
  return buckets.slice(from).reduce((sum, count) => sum + count, 0);
}

/** Rounded: nobody reads more. */
function perSecond(now: number, before = 0, sec: number | undefined): number | null {
  if (sec === undefined || sec <= 0 || now < before) return null;
  return rounded((now - before) / sec, 10);
}

function meanMs(now: LatencyCounter, before: LatencyCounter | undefined): number | null {
  const count = now.num - (before?.num ?? 0);
  const total = now.total - (before?.total ?? 0);
  return count <= 0 || total < 0 ? null : rounded((total / count) * 1000, 1000);
}

function rounded(value: number, parts: number): number {
  return Math.round(value * parts) / parts;
}

function databaseRates(
  { node, databases }: NodeSample,
  before: NodeSample | undefined,
  sec: number | undefined,
  { nameOf }: RateOptions,
): TopFacts["databases"] {
  return databases.map(({ id, statistics }: DatabaseSample) => {
    const { locks } = statistics;
    const old = before?.databases.find((each) => each.id === id)?.statistics.locks;
    return {
      name: nameOf(id) ?? `0x${hex8(id)}`,
      id: `0x${hex8(id)}`,
      node: node.pnn,
      locks_per_second: old === undefined ? null : perSecond(locks.num_calls, old.num_calls, sec),
      locks_pending: locks.num_pending,
      lock_latency_ms: meanMs(locks.latency, old?.latency),
      lock_latency_max_ms: rounded(locks.latency.max * 1000, 1000),
    };
  });
}

function hotKeys({ node, databases }: NodeSample, { nameOf }: RateOptions): TopFacts["hot_keys"] {
  return databases.flatMap(({ id, statistics }) =>
    statistics.hot_keys
      .filter(({ count, key }) => count > 0 && key.length > 0)
      .map(({ count, key }) => ({
        database: nameOf(id) ?? `0x${hex8(id)}`,
        node: node.pnn,
        count,
        key_hex: bytesHex(key),
      })),
  );
}
