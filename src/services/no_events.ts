/** There is no event daemon: every event succeeds at once, and the log says so once. */
import type { Logger } from "../base/log.ts";
import type { Timers } from "../platform/types/time.ts";
import type { EventName } from "../wire/events.ts";
import type {
  EventFailure,
  EventRunner,
  EventStatus,
  RunningEvent,
  ScriptRun,
} from "./event_runner.ts";

export class NoEvents implements EventRunner {
  readonly runsScripts = false;
  readonly #log: Logger;
  readonly #timers: Timers;
  #said = false;

  constructor(log: Logger, timers: Timers) {
    this.#log = log;
    this.#timers = timers;
  }

  run(
    event: EventName,
    _args: readonly string[],
    _timeoutMs: number,
    done: (status: EventStatus) => void,
  ): RunningEvent {
    if (!this.#said) {
      this.#said = true;
      this.#log.warning(`Event "${event}" is not run: there are no event scripts`);
    }
    let cancelled = false;
    this.#timers.soon(() => {
      if (!cancelled) done(0);
    });
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }

  explain(_event: EventName, done: (failure: EventFailure | undefined) => void): void {
    this.#timers.soon(() => done(undefined));
  }

  lastRun(_event: EventName, done: (scripts: readonly ScriptRun[]) => void): void {
    this.#timers.soon(() => done([]));
  }
}
