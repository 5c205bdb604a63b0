/**
 * Running the scripts of an event, as the daemon needs it: a name and its arguments in, a status out. When
 * each event comes and what a status means is in docs/protocol.md, "Events".
 *
 * Every implementation passes test/contract/event_runner.ts.
 */
import { ECANCELED, EPERM, ETIMEDOUT } from "../base/errno.ts";
import type { EventArguments, EventName } from "../wire/events.ts";

/** An errno number of the event daemon's answer; 0 is success. */
export type EventStatus = number;
export const EVENT_TIMED_OUT = ETIMEDOUT;
/** Another event took the place of this one, which was `monitor`. */
export const EVENT_CANCELLED = ECANCELED;
/** It may not run now. */
export const EVENT_REFUSED = EPERM;

/** The script that made an event fail. */
export interface EventFailure {
  readonly script: string;
  /** Exit status, or a negative errno: −ETIMEDOUT when it hung. */
  readonly result: number;
  /** Of what it printed, the line that says why. */
  readonly line: string | undefined;
  /** Undefined when nobody knows when it ended. */
  readonly durationMs: number | undefined;
}

/** How a script of an event ended when that ran last. */
export interface ScriptRun {
  readonly event: EventName;
  readonly script: string;
  /** As in EventFailure; 0 is success. */
  readonly result: number;
  /** Undefined when nobody knows when it ended. */
  readonly durationMs: number | undefined;
  /** By the wall clock, 0 when that is not known. */
  readonly endedUs: number;
}

export interface RunningEvent {
  /** Its status is not told. A `monitor` of it ends with the next event, another runs to its end. */
  cancel(): void;
}

export interface EventRunner {
  /** False: nothing happens on an event, and nothing needs to wait for one. */
  readonly runsScripts: boolean;
  /**
   * Runs the scripts of an event one after the other. `done` comes once, never inside the call, and not after a
   * cancel. After `timeoutMs` for all of them the script that runs is ended, and the status is EVENT_TIMED_OUT.
   */
  run<N extends EventName>(
    event: N,
    args: EventArguments[N],
    timeoutMs: number,
    done: (status: EventStatus) => void,
  ): RunningEvent;
  /** What made the last run of the event fail, when that is known; told once, never inside the call. */
  explain(event: EventName, done: (failure: EventFailure | undefined) => void): void;
  /** How the scripts of the last run of the event ended, those that ran; told once, never inside the call. */
  lastRun(event: EventName, done: (scripts: readonly ScriptRun[]) => void): void;
}
