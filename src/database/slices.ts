/**
 * Long work in slices of a few milliseconds, so that the loop serves packets in between.
 *
 * Invariants:
 * 1. The first slice runs inside `runSliced` if that turn has time left; each further one in a later turn, with a
 *    look at the sockets in between. (What is asked for with `soon` may run before that look: a timer may not.)
 * 2. After `cancel()` no slice runs.
 */
import type { Timer } from "../platform/types/time.ts";
import type { SlicedWork, TdbResult } from "../tdb/types.ts";
import type { DatabaseHost } from "./host.ts";
import { SLICE_BUDGET_MS } from "./limits.ts";

export interface SlicedRun {
  cancel(): void;
  /** Ends a pause early: what the work waited for is there. */
  wake(): void;
}

/** Looks at the clock every so many steps only: a look costs a tenth of a small step. */
const STEPS_PER_LOOK = 4;
/** A step over so many bytes is looked at by itself. */
const LARGE_STEP_BYTES = 16 * 1024;

/** When a slice's time is over. One object serves a whole run. */
export class Budget {
  readonly #host: DatabaseHost;
  readonly #sliceMs: number;
  #endMs = 0;
  #steps = 0;

  constructor(host: DatabaseHost, sliceMs = SLICE_BUDGET_MS) {
    this.#host = host;
    this.#sliceMs = sliceMs;
  }
  restart(): void {
    const { clock, slices } = this.#host;
    this.#endMs = clock.monotonicMs() + Math.min(this.#sliceMs, slices.remainingMs);
    this.#steps = 0;
  }
  /** To be asked after each step. */
  get spent(): boolean {
    this.#steps += 1;
    return this.#steps % STEPS_PER_LOOK === 0 && this.#host.clock.monotonicMs() >= this.#endMs;
  }
  /** The same after a step over so many bytes. */
  spentOver(bytes: number): boolean {
    if (bytes >= LARGE_STEP_BYTES) this.#steps |= STEPS_PER_LOOK - 1;
    return this.spent;
  }
  get remainingMs(): number {
    return Math.max(0, this.#endMs - this.#host.clock.monotonicMs());
  }
}

/**
 * `step` works until the budget is spent and returns how to go on: "done", "more" (in a later turn),
 * or a pause in milliseconds (something is locked).
 */
export function runSliced(
  host: DatabaseHost,
  name: string,
  step: (budget: Budget) => "done" | "more" | number,
  sliceMs = SLICE_BUDGET_MS,
): SlicedRun {
  let cancelled = false;
  let pause: Timer | undefined;
  const budget = new Budget(host, sliceMs);
  const slice = (): void => {
    pause = undefined;
    if (cancelled) return;
    const outcome = host.trace.span(name, () => {
      budget.restart();
      return step(budget);
    });
    if (outcome === "done") return;
    if (outcome === "more") host.slices.later(slice);
    else pause = host.timers.after(outcome, begin);
  };
  const begin = (): void => host.slices.nowOrLater(slice);
  begin();
  return {
    cancel() {
      cancelled = true;
    },
    wake() {
      if (pause === undefined) return;
      pause.cancel();
      pause = undefined;
      host.timers.soon(begin);
    },
  };
}

/** For a step that waits for a lock or a disk. */
const IDLE_PAUSE_MS = 1;

/** How to go on with work whose step has no outcome yet. */
export function howToGoOn(work: SlicedWork<unknown>): "more" | number {
  return work.waiting === true ? IDLE_PAUSE_MS : "more";
}

/**
 * Long work of a TDB to its end; a step that could do nothing is followed by a short pause, which the
 * disk ends as soon as it is done.
 */
export function runTdbWork<T>(
  host: DatabaseHost,
  name: string,
  work: SlicedWork<T>,
  finished: (outcome: TdbResult<T>) => void,
): SlicedRun {
  const run = runSliced(host, name, (budget) => {
    const outcome = work.step(budget.remainingMs);
    if (outcome === undefined) return howToGoOn(work);
    finished(outcome);
    return "done";
  });
  work.onWake = () => run.wake();
  return run;
}
