/**
 * The recovery daemon as a child: started, watched, started again.
 *
 * It pings us with every round of its main loop. After RecdFailCount × RecdPingTimeout seconds of silence
 * it is ended and started anew; the same when it exits by itself.
 *
 * Invariant: at most one recovery daemon of ours runs, and none after `stop`.
 */
import type { Logger } from "../../base/log.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";

export interface RecoverdChild {
  readonly pid: number;
  /** Ends it for good, whatever it does. */
  kill(): void;
}

/** Starts one; `exited` comes once when it ends by itself. The reason when it cannot be started. */
export type StartRecoverd = (exited: (how: string) => void) => RecoverdChild | string;

const RESTART_DELAY_MS = 1000;

export class RecoverdWatch {
  readonly #start: StartRecoverd;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #tunable: (name: string) => number;
  #child: RecoverdChild | undefined;
  #restart: Timer | undefined;
  #silence: Timer | undefined;
  #missedPings = 0;
  #stopped = true;

  constructor(
    start: StartRecoverd,
    timers: Timers,
    log: Logger,
    tunable: (name: string) => number,
  ) {
    this.#start = start;
    this.#timers = timers;
    this.#log = log;
    this.#tunable = tunable;
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
    this.#child?.kill();
    this.#child = undefined;
  }

  #launch(): string | undefined {
    const child = this.#start((how) => this.#exited(child, how));
    if (typeof child === "string") return child;
    this.#child = child;
    return undefined;
  }

  #exited(child: RecoverdChild | string, how: string): void {
    if (this.#stopped || this.#child !== child) return;
    this.#log.error(`Recovery daemon ended (${how}). Trying to restart`);
    this.#child = undefined;
    this.#planRestart();
  }

  #planRestart(): void {
    this.#restart?.cancel();
    this.#restart = this.#timers.after(RESTART_DELAY_MS, () => {
      this.#restart = undefined;
      const problem = this.#launch();
      if (problem === undefined) return;
      this.#log.error(`Cannot restart the recovery daemon: ${problem}`);
      this.#planRestart();
    });
  }

  #watchSilence(): void {
    this.#silence?.cancel();
    this.#silence = undefined;
    const timeoutSec = this.#tunable("RecdPingTimeout");
    if (timeoutSec === 0) return;
    this.#silence = this.#timers.after(timeoutSec * 1000, () => {
      this.#log.error(`Recovery daemon ping timeout. Count : ${this.#missedPings}`);
      if (this.#missedPings < this.#tunable("RecdFailCount")) {
        this.#missedPings += 1;
        return this.#watchSilence();
      }
      this.#log.error("Final timeout for recovery daemon ping. Restarting recovery daemon");
      const child = this.#child;
      this.#child = undefined;
      child?.kill();
      this.#planRestart();
      this.ping();
    });
  }
}
