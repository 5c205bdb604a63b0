/**
 * How checkers end a run. They often run inside callbacks and promises of the product, which may
 * swallow what is thrown: so the violation is kept, and the scheduler throws it at the end of the
 * turn.
 */
import type { Scheduler } from "./scheduler.ts";

export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

export class Judge {
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** Never returns; the first violation of a run counts. */
  violated(text: string): never {
    const violation = new InvariantViolation(text);
    this.#scheduler.failure ??= violation;
    throw violation;
  }
}
