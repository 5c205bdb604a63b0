/** How long the steps of a recovery took, for the log. */
import type { Clock } from "../platform/types/time.ts";

export class StepTimes {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #steps: string[] = [];
  #sinceMs: number;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** The time since the last step is this one's. */
  ended(step: string): void {
    const nowMs = this.#clock.monotonicMs();
    this.#steps.push(`${step} ${Math.round(nowMs - this.#sinceMs)}`);
    this.#sinceMs = nowMs;
  }

  /** `freeze 2, pull 40, …`, in milliseconds. */
  toString(): string {
    return this.#steps.join(", ");
  }
}
