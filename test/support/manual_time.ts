/**
 * Clock and timers that a test moves by hand; `soon` is a microtask, so that promises and turns take
 * their course by themselves.
 */
import type { Clock, Timer, Timers } from "../../src/platform/types/time.ts";

interface Pending {
  readonly atMs: number;
  readonly action: () => void;
}

export class ManualTime implements Clock, Timers {
  nowMs = 0;
  #pending = new Set<Pending>();

  monotonicMs(): number {
    return this.nowMs;
  }
  wallTime() {
    return { sec: 1_700_000_000 + Math.floor(this.nowMs / 1000), usec: 0 };
  }
  after(delayMs: number, action: () => void): Timer {
    const entry = { atMs: this.nowMs + delayMs, action };
    this.#pending.add(entry);
    return { cancel: () => this.#pending.delete(entry) };
  }
  every(intervalMs: number, action: () => void): Timer {
    let timer = this.after(intervalMs, () => repeat());
    const repeat = () => {
      timer = this.after(intervalMs, () => repeat());
      action();
    };
    return { cancel: () => timer.cancel() };
  }
  soon(action: () => void): void {
    queueMicrotask(action);
  }
  nextTurn(action: () => void): void {
    this.after(0, action);
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Moves time, runs what is due in order, and lets promises settle in between. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.nowMs + byMs;
    await settle();
    for (;;) {
      const due = this.#first();
      if (due === undefined || due.atMs > endMs) break;
      this.#pending.delete(due);
      this.nowMs = Math.max(this.nowMs, due.atMs);
      due.action();
      await settle();
    }
    this.nowMs = endMs;
  }

  /** Of those that are due at the same time the one that was asked for first. */
  #first(): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.#pending) {
      if (first === undefined || entry.atMs < first.atMs) first = entry;
    }
    return first;
  }
}

/** Until all microtasks have run, those that they start included. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
