/**
 * The counters of this node (STATISTICS) and what they were in the last intervals (GET_STAT_HISTORY).
 *
 * Invariant: `current` is one object for the life of the node; a reset zeroes it in place, so that
 * those who count can keep it.
 */
import { assert } from "../base/assert.ts";
import { addLatency } from "../database/database_statistics.ts";
import type { MutableStatistics } from "../database/host.ts";
import type { Clock, Timer, Timers, Timeval } from "../platform/types.ts";
import { decodePadded, encode } from "../wire/codec.ts";
import { MAX_STAT_HISTORY, type Statistics, statistics } from "../wire/structs.ts";

export class NodeStatistics {
  readonly current: MutableStatistics;
  readonly #clock: Clock;
  /** Newest first. */
  #history: Statistics[] = [];
  /** Counters when the running interval began, and what a reset in between took away. */
  #intervalStart: Statistics;
  #intervalCarry: Statistics;
  #intervalStarted: Timeval;
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.current = zeroStatistics() as MutableStatistics;
    this.current.statistics_start_time = clock.wallTime();
    this.#intervalStart = copyOf(this.current) as Statistics;
    this.#intervalCarry = zeroStatistics();
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
    this.#intervalCarry = combine(this.#sinceIntervalStart(), this.#intervalCarry, 1);
    assignInPlace(this.current, zeroStatistics());
    this.current.statistics_start_time = this.#clock.wallTime();
    this.#intervalStart = copyOf(this.current) as Statistics;
  }

  /** The last intervals, newest first, filled up to what the wire wants. */
  history(): Statistics[] {
    const missing = MAX_STAT_HISTORY - this.#history.length;
    return [...this.#history, ...Array.from({ length: missing }, zeroStatistics)];
  }

  get historyBytes(): number {
    return this.#history.length * statistics.minSize;
  }

  addClusterLockLatency(from: "ctdbd" | "recd", seconds: number): void {
    addLatency(this.current.reclock[from], seconds * 1000);
  }

  #sinceIntervalStart(): Statistics {
    return combine(this.current, this.#intervalStart, -1);
  }

  #endInterval(): void {
    const interval = combine(
      this.#sinceIntervalStart(),
      this.#intervalCarry,
      1,
    ) as MutableStatistics;
    const now = this.#clock.wallTime();
    interval.statistics_current_time = now;
    interval.statistics_start_time = this.#intervalStarted;
    this.#intervalStarted = now;
    this.#history = [interval, ...this.#history.slice(0, MAX_STAT_HISTORY - 1)];
    this.#intervalStart = copyOf(this.current) as Statistics;
    this.#intervalCarry = zeroStatistics();
  }
}

export function zeroStatistics(): Statistics {
  const zero = decodePadded(statistics, new Uint8Array(statistics.minSize));
  assert(zero.ok, "zero bytes are statistics");
  return copyOf(zero.value) as Statistics;
}

/**
 * a + sign × b over all counters, never below zero. Times, gauges and the extremes of latencies are
 * those of `a`: they cannot be told apart by interval.
 */
function combine(a: Statistics, b: Statistics, sign: 1 | -1): Statistics {
  return combineNode(a, b, sign) as Statistics;
}

const KEPT = new Set([
  "statistics_start_time",
  "statistics_current_time",
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

function combineNode(a: unknown, b: unknown, sign: 1 | -1): unknown {
  if (typeof a === "number" && typeof b === "number") return Math.max(0, a + sign * b);
  if (Array.isArray(a) && Array.isArray(b))
    return a.map((value, i) => combineNode(value, b[i], sign));
  const from = a as Record<string, unknown>;
  const other = b as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  for (const name in from) {
    const value = from[name];
    result[name] = KEPT.has(name) ? value : combineNode(value, other[name], sign);
  }
  return result;
}

/** structuredClone costs ten times as much, and each second of each node asks for one. */
function copyOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyOf);
  if (typeof value !== "object" || value === null) return value;
  const from = value as Record<string, unknown>;
  const copy: Record<string, unknown> = {};
  for (const name in from) copy[name] = copyOf(from[name]);
  return copy;
}

function assignInPlace(target: object, source: object): void {
  const into = target as Record<string, unknown>;
  for (const [name, value] of Object.entries(source)) {
    const old = into[name];
    if (typeof value === "object" && typeof old === "object" && old !== null) {
      assignInPlace(old, value as object);
    } else {
      into[name] = value;
    }
  }
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
