/** How long the steps of a recovery took, as events: the time since the last step is that of the one that has ended. */
import type { Journal } from "../base/journal_event.ts";
import type { Clock } from "../platform/types/time.ts";

export class StepEvents {
  readonly #journal: Journal;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #generation: number;
  #sinceMs: number;

  constructor(journal: Journal, clock: Pick<Clock, "monotonicMs">, generation: number) {
    this.#journal = journal;
    this.#clock = clock;
    this.#generation = generation;
    this.#sinceMs = clock.monotonicMs();
  }

  ended(step: string): void {
    const nowMs = this.#clock.monotonicMs();
    const durationMs = nowMs - this.#sinceMs;
    this.#sinceMs = nowMs;
    const generation = this.#generation;
    this.#journal.record({ kind: "recovery_step", generation, step, duration_ms: durationMs });
  }
}
