/**
 * The counters of this node (STATISTICS) and what they were in the last intervals
 * (GET_STAT_HISTORY).
 *
 * Invariant: `current` is one object for the life of the node; a reset zeroes it in place, so that
 * those who count can keep it.
 */
import { assert } from "../../base/assert.ts";
import { addLatency } from "../../database/database_statistics.ts";
import type { MutableStatistics } from "../../database/host.ts";
import type { Clock, Timer, Timers, Timeval } from "../../platform/types/time.ts";
import { decodePadded, encode } from "../../wire/codec.ts";
import { MAX_STAT_HISTORY, type Statistics, statistics } from "../../wire/structs/statistics.ts";

/** The counters of one interval, in the order of the leaves. */
interface Interval {
  readonly values: Float64Array;
  readonly started: Timeval;
  readonly ended: Timeval;
}

export class NodeStatistics {
  readonly current: MutableStatistics;
  readonly #clock: Clock;
  readonly #leaves: readonly Leaf[];
  /** Newest first. */
  #history: Interval[] = [];
  /** Counters when the running interval began, and what a reset in between took away. */
  #intervalStart: Float64Array;
  #intervalCarry: Float64Array | undefined;
  #intervalStarted: Timeval;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.current = zeroStatistics() as MutableStatistics;
    this.current.statistics_start_time = clock.wallTime();
    this.#leaves = leavesOf(this.current);
    this.#intervalStart = valuesOf(this.#leaves);
    this.#intervalStarted = clock.wallTime();
  }

  /** Keeps the history; the interval is in seconds and read each time. */
  start(timers: Timers, intervalSec: () => number): void {
    this.stop();
    this.#timer = timers.after(Math.max(1, intervalSec()) * 1000, () => {
      this.#endInterval();
      this.start(timers, intervalSec);
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  reset(): void {
    this.#intervalCarry = this.#interval(valuesOf(this.#leaves));
    for (const { holder, key } of this.#leaves) holder[key] = 0;
    this.current.statistics_start_time = this.#clock.wallTime();
    this.#intervalStart = valuesOf(this.#leaves);
  }

  /** The last intervals, newest first, filled up to what the wire wants. */
  history(): Statistics[] {
    const missing = MAX_STAT_HISTORY - this.#history.length;
    return [
      ...this.#history.map(statisticsOf),
      ...Array.from({ length: missing }, () => zeroStatistics()),
    ];
  }

  get historyBytes(): number {
    return this.#history.length * statistics.minSize;
  }

  addClusterLockLatency(from: "ctdbd" | "recd", seconds: number): void {
    addLatency(this.current.reclock[from], seconds * 1000);
  }

  /**
   * What was counted until now since the interval began, never below zero. Gauges and the extremes of
   * latencies are those of now: they cannot be told apart by interval.
   */
  #interval(now: Float64Array): Float64Array {
    const values = now.slice();
    const start = this.#intervalStart;
    const carry = this.#intervalCarry;
    const leaves = this.#leaves;
    for (let at = 0; at < values.length; at++) {
      if (leaves[at]?.isGauge === true) continue;
      const since = Math.max(0, (now[at] as number) - (start[at] as number));
      values[at] = carry === undefined ? since : since + (carry[at] as number);
    }
    return values;
  }

  #endInterval(): void {
    const ended = this.#clock.wallTime();
    const now = valuesOf(this.#leaves);
    const interval = { values: this.#interval(now), started: this.#intervalStarted, ended };
    this.#intervalStarted = ended;
    this.#history.unshift(interval);
    if (this.#history.length > MAX_STAT_HISTORY) this.#history.pop();
    this.#intervalStart = now;
    this.#intervalCarry = undefined;
  }
}

function zeroStatistics(): Statistics {
  const zero = decodePadded(statistics, new Uint8Array(statistics.minSize));
  assert(zero.ok, "zero bytes are statistics");
  return structuredClone(zero.value);
}

/**
 * Where one number of the statistics is. With all of them in a list a snapshot is an array of
 * numbers; as copies of the whole tree the snapshots of each second were most of what an idle
 * daemon did.
 */
interface Leaf {
  readonly holder: Record<string, unknown>;
  readonly key: string;
  readonly isGauge: boolean;
}

const TIMES = new Set(["statistics_start_time", "statistics_current_time"]);

const GAUGES = new Set([
  "min",
  "max",
  "num_clients",
  "frozen",
  "recovering",
  "memory_used",
  "max_hop_count",
  "num_current",
  "num_pending",
  "pending_calls",
]);

function leavesOf(tree: object): Leaf[] {
  const holder = tree as Record<string, unknown>;
  return Object.entries(holder).flatMap(([key, value]) => {
    if (TIMES.has(key)) return [];
    if (typeof value === "object" && value !== null) return leavesOf(value);
    return [{ holder, key, isGauge: GAUGES.has(key) }];
  });
}

function valuesOf(leaves: readonly Leaf[]): Float64Array {
  const values = new Float64Array(leaves.length);
  let at = 0;
  for (const { holder, key } of leaves) values[at++] = holder[key] as number;
  return values;
}

function statisticsOf({ values, started, ended }: Interval): Statistics {
  const result = zeroStatistics() as MutableStatistics;
  for (const [at, { holder, key }] of leavesOf(result).entries()) holder[key] = values[at];
  result.statistics_start_time = started;
  result.statistics_current_time = ended;
  return result;
}

/** The counters as the wire has them, with the gauges filled in. */
export function encodeStatistics(
  current: MutableStatistics,
  gauges: {
    readonly num_clients: number;
    readonly frozen: boolean;
    readonly recovering: boolean;
    readonly memory_used: number;
    readonly now: Timeval;
  },
): Uint8Array {
  current.num_clients = gauges.num_clients;
  current.frozen = gauges.frozen ? 1 : 0;
  current.recovering = gauges.recovering ? 1 : 0;
  current.memory_used = Math.min(gauges.memory_used, 0xffffffff);
  current.statistics_current_time = gauges.now;
  return encode(statistics, current);
}
