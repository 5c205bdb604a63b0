/** Takes old events out of the journal, in pieces, so that nothing else waits long. */
import type { Logger } from "../../base/log.ts";
import type { Clock, Timer, Timers } from "../../platform/types/time.ts";
import { RETAIN_INTERVAL_MS, RETAIN_PAUSE_MS } from "../limits.ts";
import type { JournalStore } from "../types.ts";

export class RetentionTimer {
  readonly #store: Pick<JournalStore, "retain">;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #log: Logger;
  #timer: Timer;
  /** What was logged last, so that a full disk is not told every minute. */
  #problem = "";

  constructor(store: Pick<JournalStore, "retain">, clock: Clock, timers: Timers, log: Logger) {
    this.#store = store;
    this.#clock = clock;
    this.#timers = timers;
    this.#log = log;
    this.#timer = timers.after(RETAIN_PAUSE_MS, () => this.#retain());
  }

  close(): void {
    this.#timer.cancel();
  }

  #retain(): void {
    const { sec, usec } = this.#clock.wallTime();
    const more = this.#store.retain(sec * 1_000_000 + usec);
    const problem = more.ok ? "" : more.error;
    if (problem !== this.#problem && problem !== "") this.#log.warning(problem);
    this.#problem = problem;
    const delayMs = more.ok && more.value ? RETAIN_PAUSE_MS : RETAIN_INTERVAL_MS;
    this.#timer = this.#timers.after(delayMs, () => this.#retain());
  }
}
