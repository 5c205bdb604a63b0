/**
 * Counters of one database (GET_DB_STATISTICS), and the helpers that move latency counters and
 * histograms, here and in the node's own statistics (docs/protocol.md, "Statistics").
 */
import {
  type DbStatistics,
  type LatencyCounter,
  MAX_COUNT_BUCKETS,
} from "../wire/structs/statistics.ts";
import type { HotKeys } from "./record/hot_keys.ts";
import { type VacuumCounts, VacuumStatistics } from "./vacuum/vacuum_statistics.ts";

export type MutableLatency = { -readonly [K in keyof LatencyCounter]: number };

export interface MutableLocks {
  num_calls: number;
  num_current: number;
  num_pending: number;
  num_failed: number;
  latency: MutableLatency;
  buckets: number[];
}

function newLatency(): MutableLatency {
  return { num: 0, min: 0, max: 0, total: 0 };
}

export function newLocks(): MutableLocks {
  return {
    num_calls: 0,
    num_current: 0,
    num_pending: 0,
    num_failed: 0,
    latency: newLatency(),
    buckets: new Array<number>(MAX_COUNT_BUCKETS).fill(0),
  };
}

/** Counters are in seconds. */
export function addLatency(counter: MutableLatency, durationMs: number): void {
  const seconds = durationMs / 1000;
  if (counter.num === 0 || seconds < counter.min) counter.min = seconds;
  if (seconds > counter.max) counter.max = seconds;
  counter.total += seconds;
  counter.num += 1;
}

/** Upper bounds of waits in milliseconds; the last bucket has none. */
export const WAIT_BUCKETS_MS = [
  1, 10, 100, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000,
] as const;

/** Index of a histogram of waits: below 1 ms, 10 ms, 100 ms, 1 s, 2 s, 4 s … 64 s, and the rest. */
function waitBucket(durationMs: number): number {
  let bucket = 0;
  while (bucket < WAIT_BUCKETS_MS.length && durationMs >= (WAIT_BUCKETS_MS[bucket] as number)) {
    bucket += 1;
  }
  return bucket;
}

/** Bit length of the hop count, capped at the last bucket. */
export function hopBucket(hopcount: number): number {
  return Math.min(32 - Math.clz32(hopcount), MAX_COUNT_BUCKETS - 1);
}

export function increment(buckets: number[], index: number): void {
  buckets[index] = (buckets[index] as number) + 1;
}

/** A wait for a lock began; the result ends it. Counts in each of `counters`. */
export function countLockWait(
  counters: readonly MutableLocks[],
): (durationMs: number, granted: boolean) => void {
  for (const locks of counters) locks.num_current += 1;
  return (durationMs, granted) => {
    for (const locks of counters) {
      if (locks.num_current > 0) locks.num_current -= 1;
      locks.num_calls += 1;
      if (granted) {
        increment(locks.buckets, waitBucket(durationMs));
        addLatency(locks.latency, durationMs);
      } else {
        locks.num_failed += 1;
      }
    }
  };
}

export class DatabaseStatistics {
  readonly locks = newLocks();
  readonly hopCountBuckets = new Array<number>(MAX_COUNT_BUCKETS).fill(0);
  readonly vacuumLatency = newLatency();
  /** Calls that were answered by another node, or by its record. */
  readonly migrations = {
    latency: newLatency(),
    buckets: new Array<number>(WAIT_BUCKETS_MS.length + 1).fill(0),
  };
  vacuum = new VacuumStatistics();
  delegations = 0;
  revokes = 0;

  vacuumEnded(counts: VacuumCounts, how: { full: boolean; ok: boolean; durationMs: number }): void {
    addLatency(this.vacuumLatency, how.durationMs);
    this.vacuum.ended(counts, how);
  }

  migrated(durationMs: number): void {
    addLatency(this.migrations.latency, durationMs);
    increment(this.migrations.buckets, waitBucket(durationMs));
  }

  reset(): void {
    Object.assign(this.migrations.latency, newLatency());
    this.migrations.buckets.fill(0);
    this.vacuum = new VacuumStatistics();
    // Waits that are running end later: the gauges stay.
    Object.assign(this.locks, { num_calls: 0, num_failed: 0 });
    Object.assign(this.locks.latency, newLatency());
    this.locks.buckets.fill(0);
    this.hopCountBuckets.fill(0);
    Object.assign(this.vacuumLatency, newLatency());
    this.delegations = 0;
    this.revokes = 0;
  }

  snapshot(hotKeys: HotKeys): DbStatistics {
    return {
      locks: this.locks,
      vacuum_latency: this.vacuumLatency,
      db_ro_delegations: this.delegations,
      db_ro_revokes: this.revokes,
      hop_count_bucket: this.hopCountBuckets,
      hot_keys: hotKeys.list(),
    };
  }
}
