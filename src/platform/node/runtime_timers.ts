/**
 * Timers of the runtime's own loop, for who starts without ours (unix_connect.ts).
 *
 * Invariants:
 * 1. `soon` runs after every callback of the current turn (one look at the sockets and timers) and
 *    before the loop looks again: one setImmediate for all actions. Microtasks would run between two
 *    sockets of one turn, and output would be written in more pieces.
 * 2. Actions that `soon` actions add run in the same drain, up to a limit; then input gets its turn.
 * 3. Between a call of `nextTurn` and its action the loop looks at the sockets and timers at least once, with
 *    no wait: the second of two nested setImmediates. A timer of 0 ms would sleep a millisecond or more.
 * 4. A delay of any length is waited out. The runtime's timers take 31 bits of milliseconds and run what is
 *    longer at once, so a longer one is armed again and again until it is over.
 *
 * Must not: swallow what an action throws.
 */
import { assert } from "../../base/assert.ts";
import type { Timer, Timers } from "../types/time.ts";
import { SoonQueue } from "./soon_queue.ts";

/** What setTimeout takes. */
const STEP_MS_MAX = 0x7fffffff;

export class RuntimeTimers implements Timers {
  readonly #stepMsMax: number;
  readonly #queue = new SoonQueue();
  #scheduled = false;

  /** `stepMsMax`: longer delays are waited for in steps; tests take a short one. */
  constructor(stepMsMax: number = STEP_MS_MAX) {
    this.#stepMsMax = stepMsMax;
  }

  after(delayMs: number, action: () => void): Timer {
    assert(!Number.isNaN(delayMs), "a delay is a number");
    if (delayMs > this.#stepMsMax) return this.#inSteps(delayMs, action);
    const handle = setTimeout(action, Math.max(delayMs, 0));
    return { cancel: () => clearTimeout(handle) };
  }

  every(intervalMs: number, action: () => void): Timer {
    assert(!Number.isNaN(intervalMs), "an interval is a number");
    if (intervalMs > this.#stepMsMax) return this.#everyInSteps(intervalMs, action);
    const handle = setInterval(action, Math.max(intervalMs, 0));
    return { cancel: () => clearInterval(handle) };
  }

  soon(action: () => void): void {
    this.#queue.push(action);
    if (!this.#scheduled) this.#schedule();
  }

  nextTurn(action: () => void): void {
    setImmediate(() => setImmediate(action));
  }

  #inSteps(delayMs: number, action: () => void): Timer {
    let leftMs = delayMs;
    let step: Timer;
    const next = (): void => {
      const stepMs = Math.min(leftMs, this.#stepMsMax);
      leftMs -= stepMs;
      step = this.after(stepMs, leftMs > 0 ? next : action);
    };
    next();
    return { cancel: () => step.cancel() };
  }

  #everyInSteps(intervalMs: number, action: () => void): Timer {
    let timer: Timer;
    const arm = (): void => {
      timer = this.after(intervalMs, () => {
        arm();
        action();
      });
    };
    arm();
    return { cancel: () => timer.cancel() };
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  #drain(): void {
    try {
      this.#queue.drain();
    } finally {
      this.#scheduled = false;
      if (!this.#queue.isEmpty) this.#schedule();
    }
  }
}
