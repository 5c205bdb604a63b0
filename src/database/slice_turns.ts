/**
 * One turn of the loop for all long work of a node: a recovery of many databases has a slice of each to do, and
 * their sum is what the sockets wait for.
 *
 * Invariants:
 * 1. Between two looks at the sockets slices begin for at most TURN_BUDGET_MS, whoever they are of. At least
 *    one runs in a turn of its own.
 * 2. What waits runs in the order in which it came.
 */
import type { TracedTurns } from "../base/trace.ts";
import type { Timers } from "../platform/types/time.ts";
import { TURN_BUDGET_MS } from "./limits.ts";

export class SliceTurns {
  readonly #timers: Pick<Timers, "nextTurn">;
  readonly #trace: TracedTurns;
  #waiting: (() => void)[] = [];
  #planned = false;

  constructor(timers: Pick<Timers, "nextTurn">, trace: TracedTurns) {
    this.#timers = timers;
    this.#trace = trace;
  }

  /** What is left of this turn for long work. */
  get remainingMs(): number {
    return Math.max(0, TURN_BUDGET_MS - this.#trace.turnMs);
  }

  /** Inside this call, if the turn has time left; otherwise in a later one. */
  nowOrLater(slice: () => void): void {
    if (this.remainingMs > 0) slice();
    else this.later(slice);
  }

  /** In a later turn, with a look at the sockets in between. */
  later(slice: () => void): void {
    this.#waiting.push(slice);
    this.#plan();
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    this.#timers.nextTurn(() => this.#trace.span("slices", () => this.#run()));
  }

  #run(): void {
    this.#planned = false;
    const slices = this.#waiting;
    this.#waiting = [];
    let ran = 0;
    do {
      slices[ran]?.();
      ran += 1;
    } while (ran < slices.length && this.remainingMs > 0);
    if (ran < slices.length) this.#waiting = [...slices.slice(ran), ...this.#waiting];
    if (this.#waiting.length > 0) this.#plan();
  }
}
