/**
 * Running the scripts of an event (startup, recovered, monitor …), as the daemon needs it: a name in, a
 * status out. 0 is success; other values are errno numbers of the event daemon's answer.
 */
import type { Logger } from "../../base/log.ts";
import type { Timers } from "../../platform/types/time.ts";

export type EventName =
  | "init"
  | "setup"
  | "startup"
  | "startrecovery"
  | "recovered"
  | "monitor"
  | "ipreallocated"
  | "startipreallocate"
  | "shutdown";

export interface EventRunner {
  /** False: nothing happens on an event, and nothing needs to wait for one. */
  readonly runsScripts: boolean;
  run(event: EventName, done: (status: number) => void): void;
}

export const EVENT_TIMED_OUT = 110;
export const EVENT_CANCELLED = 125;

/** There is no event daemon: every event succeeds at once, and the log says so once. */
export class NoEvents implements EventRunner {
  readonly runsScripts = false;
  readonly #log: Logger;
  readonly #timers: Timers;
  #said = false;

  constructor(log: Logger, timers: Timers) {
    this.#log = log;
    this.#timers = timers;
  }

  run(event: EventName, done: (status: number) => void): void {
    if (!this.#said) {
      this.#said = true;
      this.#log.warning(`Event "${event}" is not run: this release runs no event scripts`);
    }
    this.#timers.soon(() => done(0));
  }
}
