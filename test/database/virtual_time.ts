/** Clock and timers on virtual time, for tests of the database part. */
import type { Clock, Timer, Timers } from "../../src/platform/types/time.ts";
import type { SlicedWork, TdbResult } from "../../src/tdb/types.ts";

interface Event {
  readonly atMs: number;
  readonly action: () => void;
}

export class VirtualTime implements Clock, Timers {
  nowMs = 0;
  /** Added to the clock at every look: makes slices end. */
  tickPerLookMs = 0;
  /** In the order in which they were asked for. */
  readonly #events = new Set<Event>();
  #soon: (() => void)[] = [];

  monotonicMs(): number {
    this.nowMs += this.tickPerLookMs;
    return this.nowMs;
  }
  wallTime() {
    return { sec: 1_700_000_000 + Math.floor(this.nowMs / 1000), usec: 0 };
  }
  after(delayMs: number, action: () => void): Timer {
    const event = { atMs: this.nowMs + delayMs, action };
    this.#events.add(event);
    return { cancel: () => void this.#events.delete(event) };
  }
  every(intervalMs: number, action: () => void): Timer {
    let timer: Timer = { cancel() {} };
    let cancelled = false;
    const again = () => {
      timer = this.after(intervalMs, () => {
        action();
        if (!cancelled) again();
      });
    };
    again();
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  }
  soon(action: () => void): void {
    this.#soon.push(action);
  }
  nextTurn(action: () => void): void {
    this.after(0, action);
  }

  /** One thing that was asked for with `soon`; false when there is none. */
  runOneSoon(): boolean {
    const action = this.#soon.shift();
    action?.();
    return action !== undefined;
  }
  get soonCount(): number {
    return this.#soon.length;
  }
  settle(): void {
    for (let turns = 0; this.runOneSoon(); turns++) {
      if (turns > 1_000_000) throw new Error("the turns do not end");
    }
  }
  /** Runs the earliest timer, moving time; false when there is none. */
  runNextTimer(): boolean {
    const next = this.#first;
    if (next === undefined) return false;
    this.#events.delete(next);
    this.nowMs = Math.max(this.nowMs, next.atMs);
    next.action();
    return true;
  }
  get nextTimerMs(): number | undefined {
    return this.#first?.atMs;
  }
  get #first(): Event | undefined {
    let first: Event | undefined;
    for (const event of this.#events) {
      if (first === undefined || event.atMs < first.atMs) first = event;
    }
    return first;
  }
  advance(byMs: number): void {
    const end = this.nowMs + byMs;
    this.settle();
    for (let next = this.nextTimerMs; next !== undefined && next <= end; next = this.nextTimerMs) {
      this.runNextTimer();
      this.settle();
    }
    this.nowMs = Math.max(this.nowMs, end);
  }
}

/** Work of a test that needs more never ends. */
const SLICES_MAX = 10_000;

/** Runs work to its end over virtual time. */
export function finishOn<T>(time: VirtualTime, work: SlicedWork<T>): TdbResult<T> {
  for (let slices = 0; slices < SLICES_MAX; slices++) {
    const outcome = work.step(1000);
    if (outcome !== undefined) return outcome;
    time.advance(10);
  }
  throw new Error(`work that has not ended after ${SLICES_MAX} slices`);
}
