/**
 * The events of this node, with the rules that hold for all of them (docs/protocol.md, "Events"): each has
 * EventScriptTimeout for all of its scripts, in a recovery only some may run, of some a hung script counts for nothing.
 * The end of an event is a turn.
 *
 * Invariants:
 * 1. An event that failed is told of when it is known which script made it fail, or EXPLAINED_WITHIN_MS later: what
 *    follows from it has its cause in the journal then.
 * 2. A monitor event that goes on failing alike is written down when it begins to, and every REPEATED_AFTER_MS.
 */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { Clock } from "../../platform/types/time.ts";
import {
  EVENT_CANCELLED,
  EVENT_REFUSED,
  EVENT_TIMED_OUT,
  type EventFailure,
  type EventRunner,
  type EventStatus,
  type RunningEvent,
  type ScriptRun,
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

/** The event daemon says at once which script it was, unless it hangs. */
const EXPLAINED_WITHIN_MS = 1000;
const REPEATED_AFTER_MS = 600_000;
/** Scripts of the last runs that are remembered; more come only from a directory that is full of them. */
const SCRIPT_RUNS_MAX = 256;

export interface NodeEventsParts {
  readonly runner: EventRunner;
  readonly turns: Turns;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Logger;
  readonly journal: Journal;
  tunable(name: string): number;
  recovering(): boolean;
}

/** `failure`: the script that made it fail, when that is known. */
export type EventEnded = (status: EventStatus, failure?: EventFailure) => void;

export class NodeEvents {
  readonly #parts: NodeEventsParts;
  /** Events whose last run has failed: how, and when that was written down. */
  readonly #failing = new Map<EventName, { readonly how: string; readonly writtenMs: number }>();
  /** Events that ran since somebody asked how long their scripts took. */
  readonly #ran = new Set<EventName>();
  readonly #scripts = new Map<EventName, readonly ScriptRun[]>();

  constructor(parts: NodeEventsParts) {
    this.#parts = parts;
  }

  /** False: nothing happens on an event, and nothing needs to wait for one. */
  get runsScripts(): boolean {
    return this.#parts.runner.runsScripts;
  }

  /** `done` as in EventRunner.run(); with EVENT_REFUSED in a recovery, if the event may not run in one. */
  run<N extends EventName>(event: N, args: EventArguments[N], done: EventEnded): RunningEvent {
    const { runner, turns, tunable, recovering, log, clock } = this.#parts;
    if (recovering() && !ALLOWED_IN_RECOVERY.has(event)) {
      log.error(`Refusing to run event '${event}' while in recovery`);
      return this.#refuse(done);
    }
    const timeoutMs = tunable("EventScriptTimeout") * 1000;
    log.info(`Running event: ${event}${args.length === 0 ? "" : ` [${args.join(" ")}]`}`);
    const startMs = clock.monotonicMs();
    let cancelled = false;
    const running = runner.run(event, args, timeoutMs, (status) =>
      turns.run("event", () => {
        this.#ran.add(event);
        if (status === 0 || status === EVENT_CANCELLED) {
          if (status === 0) this.#succeeded(event);
          return done(status);
        }
        this.#explain(event, (failure) => {
          this.#failed(event, status, failure, clock.monotonicMs() - startMs);
          if (!cancelled) done(this.#judged(event, status), failure);
        });
      }),
    );
    return {
      cancel: () => {
        cancelled = true;
        running.cancel();
      },
    };
  }

  /** How the scripts of the last run of each event ended; told once, never inside the call. */
  scriptRuns(done: (runs: readonly ScriptRun[]) => void): void {
    const { runner, turns } = this.#parts;
    const ran = [...this.#ran];
    this.#ran.clear();
    let open = ran.length + 1;
    const answered = (): void => {
      open -= 1;
      if (open === 0) done([...this.#scripts.values()].flat().slice(0, SCRIPT_RUNS_MAX));
    };
    for (const event of ran) {
      runner.lastRun(event, (scripts) =>
        turns.run("event", () => {
          this.#scripts.set(event, scripts);
          answered();
        }),
      );
    }
    turns.timers("event").soon(answered);
  }

  #explain(event: EventName, done: (failure: EventFailure | undefined) => void): void {
    const { runner, turns } = this.#parts;
    let told = false;
    const tell = (failure: EventFailure | undefined): void => {
      if (told) return;
      told = true;
      limit.cancel();
      done(failure);
    };
    const limit = turns.timers("event").after(EXPLAINED_WITHIN_MS, () => tell(undefined));
    runner.explain(event, (failure) => turns.run("event", () => tell(failure)));
  }

  #succeeded(event: EventName): void {
    if (this.#failing.delete(event)) this.#parts.journal.record({ kind: "event_recovered", event });
  }

  #failed(
    event: EventName,
    status: EventStatus,
    failure: EventFailure | undefined,
    durationMs: number,
  ): void {
    const { journal, clock } = this.#parts;
    const how = `${status} ${failure?.script} ${failure?.result}`;
    const nowMs = clock.monotonicMs();
    const before = this.#failing.get(event);
    const isRepeated = event === "monitor" && before?.how === how;
    if (isRepeated && nowMs - before.writtenMs < REPEATED_AFTER_MS) return;
    this.#failing.set(event, { how, writtenMs: nowMs });
    if (failure !== undefined) {
      const { script, result, line = null, durationMs: scriptMs = null } = failure;
      journal.record({ kind: "script_failed", event, script, result, line, duration_ms: scriptMs });
    }
    const text = status === EVENT_TIMED_OUT ? "timed out" : `failed with status ${status}`;
    journal.record({ kind: "event_failed", event, status: text, duration_ms: durationMs });
  }

  #judged(event: EventName, status: EventStatus): EventStatus {
    if (status !== EVENT_TIMED_OUT || !HANGING_IS_SUCCESS.has(event)) return status;
    this.#parts.log.error(`Ignoring hung script for ${event} event`);
    return 0;
  }

  #refuse(done: EventEnded): RunningEvent {
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

/** In words: `its monitor script 50.samba ended with 1 after 0.1 s and said "…"`. */
export function failureText(event: EventName, failure: EventFailure): string {
  const { script, result, line, durationMs } = failure;
  const how = result === -EVENT_TIMED_OUT ? "timed out" : `ended with ${result}`;
  const said = line === undefined ? "printed nothing" : `said "${line}"`;
  const after = durationMs === undefined ? "" : ` after ${(durationMs / 1000).toFixed(1)} s`;
  return `${event} script ${script} ${how}${after} and ${said}`;
}
