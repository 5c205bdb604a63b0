/**
 * The events of this node, with the rules that hold for all of them (docs/protocol.md, "Events"): each has
 * EventScriptTimeout for all of its scripts, in a recovery only some may run, of some a hung script counts for nothing.
 * The end of an event is a turn.
 */
import type { Logger } from "../../base/log.ts";
import {
  EVENT_REFUSED,
  EVENT_TIMED_OUT,
  type EventFailure,
  type EventRunner,
  type EventStatus,
  type RunningEvent,
} from "../../services/event_runner.ts";
import type { Turns } from "../../transport/turns.ts";
import type { EventArguments, EventName } from "../../wire/events.ts";

const ALLOWED_IN_RECOVERY: ReadonlySet<EventName> = new Set<EventName>([
  "init",
  "setup",
  "startrecovery",
  "shutdown",
  "releaseip",
  "ipreallocated",
  "startipreallocate",
]);
const HANGING_IS_SUCCESS: ReadonlySet<EventName> = new Set<EventName>([
  "startrecovery",
  "recovered",
  "takeip",
  "releaseip",
]);

export interface NodeEventsParts {
  readonly runner: EventRunner;
  readonly turns: Turns;
  readonly log: Logger;
  tunable(name: string): number;
  recovering(): boolean;
}

export class NodeEvents {
  readonly #parts: NodeEventsParts;

  constructor(parts: NodeEventsParts) {
    this.#parts = parts;
  }

  /** False: nothing happens on an event, and nothing needs to wait for one. */
  get runsScripts(): boolean {
    return this.#parts.runner.runsScripts;
  }

  /** `done` as in EventRunner.run(); with EVENT_REFUSED in a recovery, if the event may not run in one. */
  run<N extends EventName>(
    event: N,
    args: EventArguments[N],
    done: (status: EventStatus) => void,
  ): RunningEvent {
    const { runner, turns, tunable, recovering, log } = this.#parts;
    if (recovering() && !ALLOWED_IN_RECOVERY.has(event)) {
      log.error(`Refusing to run event '${event}' while in recovery`);
      return this.#refuse(done);
    }
    const timeoutMs = tunable("EventScriptTimeout") * 1000;
    log.info(`Running event: ${event}${args.length === 0 ? "" : ` [${args.join(" ")}]`}`);
    return runner.run(event, args, timeoutMs, (status) =>
      turns.run("event", () => done(this.#judged(event, status))),
    );
  }

  /** What made the last run of the event fail, when that is known. */
  explain(event: EventName, done: (failure: EventFailure | undefined) => void): void {
    const { runner, turns } = this.#parts;
    runner.explain(event, (failure) => turns.run("event", () => done(failure)));
  }

  #judged(event: EventName, status: EventStatus): EventStatus {
    if (status !== EVENT_TIMED_OUT || !HANGING_IS_SUCCESS.has(event)) return status;
    this.#parts.log.error(`Ignoring hung script for ${event} event`);
    return 0;
  }

  #refuse(done: (status: EventStatus) => void): RunningEvent {
    let cancelled = false;
    this.#parts.turns.timers("event").soon(() => {
      if (!cancelled) done(EVENT_REFUSED);
    });
    return {
      cancel: () => {
        cancelled = true;
      },
    };
  }
}
