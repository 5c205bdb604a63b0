/**
 * Timers of the event loop.
 *
 * Invariants:
 * 1. `soon` runs after every callback of the current turn (one look at the sockets and timers) and
 *    before the loop looks again: one setImmediate for all actions. Microtasks would run between two
 *    sockets of one turn, and output would be written in more pieces.
 * 2. Actions that `soon` actions add run in the same drain, up to a limit; then input gets its turn.
 * 3. Between a call of `nextTurn` and its action the loop looks at the sockets and timers at least once, with
 *    no wait: the second of two nested setImmediates. A timer of 0 ms would sleep a millisecond or more.
 *
 * Must not: swallow what an action throws.
 */
import type { Timer, Timers } from "../types.ts";

/** Actions of one drain; more wait for the next turn, so that they cannot starve the sockets. */
const DRAIN_ACTIONS_MAX = 10_000;

export class BunTimers implements Timers {
  #queue: (() => void)[] = [];
  #scheduled = false;

  after(delayMs: number, action: () => void): Timer {
    const handle = setTimeout(action, delayMs);
    return { cancel: () => clearTimeout(handle) };
  }

  every(intervalMs: number, action: () => void): Timer {
    const handle = setInterval(action, intervalMs);
    return { cancel: () => clearInterval(handle) };
  }

  soon(action: () => void): void {
    this.#queue.push(action);
    if (!this.#scheduled) this.#schedule();
  }

  nextTurn(action: () => void): void {
    setImmediate(() => setImmediate(action));
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  #drain(): void {
    const queue = this.#queue;
    let index = 0;
    try {
      // `soon` appends to the same array while we walk it.
      while (index < queue.length && index < DRAIN_ACTIONS_MAX) {
        const action = queue[index] as () => void;
        index += 1;
        action();
      }
    } finally {
      this.#scheduled = false;
      if (index === queue.length) queue.length = 0;
      else this.#queue = queue.slice(index);
      if (this.#queue.length > 0) this.#schedule();
    }
  }
}

export const bunTimers: Timers = new BunTimers();
