/**
 * The recovery daemon as a child: started, watched, started again.
 *
 * It pings us with every round of its main loop. After RecdFailCount × RecdPingTimeout seconds of silence
 * it is ended and started anew; the same when it exits by itself.
 *
 * Invariant: at most one recovery daemon of ours runs, and none after `stop`.
 */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";

/** A daemon that this one has started. */
export interface DaemonChild {
  readonly pid: number;
  /** Ends it for good, whatever it does. */
  kill(): void;
}

/** Starts one; `exited` comes once when it ends by itself. The reason when it cannot be started. */
export type StartChild = (exited: (how: string) => void) => DaemonChild | string;

const RESTART_DELAY_MS = 1000;

export interface RecoverdWatchParts {
  readonly start: StartChild;
  readonly timers: Timers;
  readonly log: Logger;
  readonly journal: Journal;
  readonly version: string;
  tunable(name: string): number;
}

export class RecoverdWatch {
  readonly #p: RecoverdWatchParts;
  #child: DaemonChild | undefined;
  #restart: Timer | undefined;
  #silence: Timer | undefined;
  #missedPings = 0;
  #stopped = true;

  constructor(parts: RecoverdWatchParts) {
    this.#p = parts;
  }

  /** The reason when it cannot be started at all. */
  start(): string | undefined {
    this.#stopped = false;
    this.ping();
    return this.#launch();
  }

  /** It is alive. */
  ping(): void {
    if (this.#stopped) return;
    this.#missedPings = 0;
    this.#watchSilence();
  }

  stop(): void {
    this.#stopped = true;
    this.#restart?.cancel();
    this.#silence?.cancel();
    this.#restart = undefined;
    this.#silence = undefined;
    this.#kill("this daemon ends");
  }

  #launch(): string | undefined {
    const { start, journal, version } = this.#p;
    const child = start((how) => this.#exited(child, how));
    if (typeof child === "string") return child;
    this.#child = child;
    journal.record({ kind: "process_started", process: "recoverd", pid: child.pid, version });
    return undefined;
  }

  #kill(why: string): void {
    const child = this.#child;
    if (child === undefined) return;
    this.#ended(child, `it was ended: ${why}`);
    child.kill();
  }

  #ended({ pid }: DaemonChild, how: string): void {
    this.#child = undefined;
    this.#p.journal.record({ kind: "process_ended", process: "recoverd", pid, how });
  }

  #exited(child: DaemonChild | string, how: string): void {
    if (this.#stopped || this.#child !== child || typeof child === "string") return;
    this.#p.log.error(`Recovery daemon ended (${how}). Trying to restart`);
    this.#ended(child, how);
    this.#planRestart();
  }

  #planRestart(): void {
    this.#restart?.cancel();
    this.#restart = this.#p.timers.after(RESTART_DELAY_MS, () => {
      this.#restart = undefined;
      const problem = this.#launch();
      if (problem === undefined) return;
      this.#p.log.error(`Cannot restart the recovery daemon: ${problem}`);
      this.#planRestart();
    });
  }

  #watchSilence(): void {
    this.#silence?.cancel();
    this.#silence = undefined;
    const timeoutSec = this.#p.tunable("RecdPingTimeout");
    if (timeoutSec === 0) return;
    this.#silence = this.#p.timers.after(timeoutSec * 1000, () => {
      this.#p.log.error(`Recovery daemon ping timeout. Count : ${this.#missedPings}`);
      if (this.#missedPings < this.#p.tunable("RecdFailCount")) {
        this.#missedPings += 1;
        return this.#watchSilence();
      }
      this.#p.log.error("Final timeout for recovery daemon ping. Restarting recovery daemon");
      this.#kill("it was silent for too long");
      this.#planRestart();
      this.ping();
    });
  }
}
