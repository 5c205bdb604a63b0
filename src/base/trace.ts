/**
 * Named spans and the turn-stall log (DESIGN §5): slowness visible from inside.
 *
 * A turn is what the event loop runs between two looks at its input. Every handler runs inside a
 * span; spans nest. When a turn lasts longer than the threshold (tunable LogLatencyMs; 0 turns the log
 * off), the spans of that turn are reported with their durations. Durations also go to histograms: one of all turns, and
 * one for each name of an outermost span.
 *
 * A turn may also be long because the system let others run. So the thread's processor time is looked at,
 * too: after each turn that took some time and now and then between short ones, which tells at most how
 * much of a long turn was work.
 */
import type { Clock } from "../platform/types/time.ts";

export interface SpanRecord {
  readonly name: string;
  readonly depth: number;
  readonly durationMs: number;
}

export interface TurnStall {
  readonly durationMs: number;
  /** Processor time, at most. */
  readonly busyMs: number;
  /** In order of their end; the longest are kept when there are many. */
  readonly spans: readonly SpanRecord[];
}

/** Upper bounds of the histogram's buckets in milliseconds; the last bucket has none. */
export const TURN_BUCKETS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] as const;

/**
 * The processor time is looked at after turns of this length, together since the last look, and after so many
 * shorter ones: what came before a long turn would count as work of it.
 */
const LOOK_AFTER_MS = 1;
const LOOK_AFTER_TURNS = 64;

const SPANS_KEPT_MAX = 32;
/** Names of outermost spans that are told apart; the others share one histogram. */
const TURN_NAMES_MAX = 48;

/** Turns of one outermost span. */
export class TurnTimes {
  count = 0;
  totalMs = 0;
  longestMs = 0;
  /** See TURN_BUCKETS_MS. */
  readonly buckets: number[] = new Array<number>(TURN_BUCKETS_MS.length + 1).fill(0);
}
const SPAN_KEPT_MIN_MS = 1;

export class TracedTurns {
  readonly #clock: Clock;
  readonly #onStall: (stall: TurnStall) => void;
  readonly #processorMs: () => number;
  #lookedAtMs: number;
  #turnsSinceLook = 0;
  #turnMsSinceLook = 0;
  #thresholdMs = 0;
  #depth = 0;
  #turnStartMs = 0;
  #kept: SpanRecord[] = [];
  /** Turns by duration, see TURN_BUCKETS_MS. */
  readonly histogram: number[] = new Array<number>(TURN_BUCKETS_MS.length + 1).fill(0);
  /** By the name of the outermost span. */
  readonly #times = new Map<string, TurnTimes>();
  readonly #otherTimes = new TurnTimes();
  /** Of the turn before: mostly turns of one kind follow each other. */
  #lastName = "";
  #lastTimes = this.#otherTimes;
  longestMs = 0;
  /** The span that made the longest turn so long, of those that nest in it the innermost. */
  longestSpan = "";
  /** The turn with the most processor time, of which this is at most how much. */
  busiestMs = 0;
  busiestSpan = "";

  /** `processorMs`: what this thread has used; without it all of a turn counts as work. */
  constructor(
    clock: Clock,
    onStall: (stall: TurnStall) => void,
    processorMs = () => clock.monotonicMs(),
  ) {
    this.#clock = clock;
    this.#onStall = onStall;
    this.#processorMs = processorMs;
    this.#lookedAtMs = processorMs();
  }

  /** 0: no stall is reported. */
  setThresholdMs(value: number): void {
    this.#thresholdMs = value;
  }

  /**
   * Runs `action` inside a span. The outermost span is the turn: what the platform calls first
   * (a socket's data, a timer, a finished lock wait).
   */
  span<T>(name: string, action: () => T): T {
    const startMs = this.begin();
    try {
      return action();
    } finally {
      this.end(name, startMs);
    }
  }

  /** As `span`, for paths where a closure for each call is too much: `end` gets what this returns. */
  begin(): number {
    const nowMs = this.#clock.monotonicMs();
    if (this.#depth === 0) this.#turnStartMs = nowMs;
    this.#depth += 1;
    return nowMs;
  }

  /** How long this turn has lasted; 0 outside of any. */
  get turnMs(): number {
    return this.#depth === 0 ? 0 : this.#clock.monotonicMs() - this.#turnStartMs;
  }

  end(name: string, startMs: number): void {
    this.#depth -= 1;
    const durationMs = this.#clock.monotonicMs() - startMs;
    if (durationMs >= SPAN_KEPT_MIN_MS && this.#kept.length < SPANS_KEPT_MAX) {
      this.#kept.push({ name, depth: this.#depth, durationMs });
    }
    if (this.#depth === 0) this.#endTurn(name, durationMs);
  }

  /** Turns by the name of their outermost span; those beyond TURN_NAMES_MAX names have none. */
  turnTimes(): readonly (readonly [name: string | undefined, times: TurnTimes])[] {
    const named: (readonly [string | undefined, TurnTimes])[] = [...this.#times];
    return this.#otherTimes.count === 0 ? named : [...named, [undefined, this.#otherTimes]];
  }

  #timesOf(name: string): TurnTimes {
    if (name === this.#lastName) return this.#lastTimes;
    let times = this.#times.get(name);
    if (times === undefined) {
      times = this.#times.size < TURN_NAMES_MAX ? new TurnTimes() : this.#otherTimes;
      if (times !== this.#otherTimes) this.#times.set(name, times);
    }
    this.#lastName = name;
    this.#lastTimes = times;
    return times;
  }

  #sinceLook(): number {
    const nowMs = this.#processorMs();
    const sinceMs = nowMs - this.#lookedAtMs;
    this.#lookedAtMs = nowMs;
    this.#turnsSinceLook = 0;
    this.#turnMsSinceLook = 0;
    return sinceMs;
  }

  #endTurn(name: string, durationMs: number): void {
    let bucket = 0;
    while (bucket < TURN_BUCKETS_MS.length && durationMs >= (TURN_BUCKETS_MS[bucket] as number)) {
      bucket += 1;
    }
    this.histogram[bucket] = (this.histogram[bucket] as number) + 1;
    const times = this.#timesOf(name);
    times.count += 1;
    times.totalMs += durationMs;
    if (durationMs > times.longestMs) times.longestMs = durationMs;
    times.buckets[bucket] = (times.buckets[bucket] as number) + 1;
    if (durationMs > this.longestMs) {
      this.longestMs = durationMs;
      this.longestSpan = culprit(this.#kept)?.name ?? name;
    }
    let busyMs = durationMs;
    this.#turnsSinceLook += 1;
    this.#turnMsSinceLook += durationMs;
    if (this.#turnMsSinceLook >= LOOK_AFTER_MS || this.#turnsSinceLook === LOOK_AFTER_TURNS) {
      busyMs = Math.min(durationMs, this.#sinceLook());
      if (busyMs > this.busiestMs) {
        this.busiestMs = busyMs;
        this.busiestSpan = culprit(this.#kept)?.name ?? name;
      }
    }
    if (this.#kept.length === 0) return;
    const spans = this.#kept;
    this.#kept = [];
    if (this.#thresholdMs > 0 && durationMs > this.#thresholdMs)
      this.#onStall({ durationMs, busyMs, spans });
  }
}

/** Spans end before those around them: the first that took most of the turn is the innermost of these. */
function culprit(spans: readonly SpanRecord[]): SpanRecord | undefined {
  const longest = Math.max(0, ...spans.map(({ durationMs }) => durationMs));
  return spans.find(({ durationMs }) => durationMs > longest / 2);
}
