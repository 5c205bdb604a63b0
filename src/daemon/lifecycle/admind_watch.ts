/**
 * ctdb-admind as a child, where the configuration wants one: started, started again when it ends, at growing intervals
 * while it does not live long. Nothing waits for it, and nothing depends on it.
 *
 *     unwanted ── want(true) ──▶ running ── it ends ──▶ waiting ── after a while ──▶ running
 *         ▲─────────────────── want(false), stop ──────────────────┘
 *
 * Invariant: at most one of ours runs, and none after `stop` or while it is not wanted.
 */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { Clock, Timer, Timers } from "../../platform/types/time.ts";
import type { DaemonChild, StartChild } from "./recoverd_watch.ts";

const RESTART_DELAY_MS = 1000;
const RESTART_DELAY_MAX_MS = 300_000;
/** One that has lived as long has not died of its start. */
const STEADY_MS = 60_000;

export interface AdmindWatchParts {
  readonly start: StartChild;
  readonly timers: Timers;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly log: Logger;
  readonly journal: Journal;
  readonly version: string;
}

export class AdmindWatch {
  readonly #p: AdmindWatchParts;
  #wanted = false;
  #stopped = false;
  #child: DaemonChild | undefined;
  #startedMs = 0;
  #delayMs = RESTART_DELAY_MS;
  #restart: Timer | undefined;

  constructor(parts: AdmindWatchParts) {
    this.#p = parts;
  }

  want(wanted: boolean): void {
    this.#wanted = wanted;
    if (!wanted) this.#end("it is not wanted any more");
    else if (this.#child === undefined && this.#restart === undefined) this.#launch();
  }

  /** What it is configured with has changed: it reads that when it starts. */
  reconfigured(wanted: boolean): void {
    this.#end("its configuration has changed");
    this.#delayMs = RESTART_DELAY_MS;
    this.#wanted = wanted;
    // The one before may have to give up what it listens on.
    if (wanted) this.#plan();
  }

  stop(): void {
    this.#stopped = true;
    this.#end("this daemon ends");
  }

  #launch(): void {
    const { start, clock, journal, log, version } = this.#p;
    if (this.#stopped || !this.#wanted) return;
    const child = start((how) => this.#exited(child, how));
    if (typeof child === "string") {
      log.error(child);
      this.#plan();
      return;
    }
    this.#child = child;
    this.#startedMs = clock.monotonicMs();
    log.notice(`Started ctdb-admind as PID ${child.pid}`);
    journal.record({ kind: "process_started", process: "admind", pid: child.pid, version });
  }

  #exited(child: DaemonChild | string, how: string): void {
    if (typeof child === "string" || this.#child !== child) return;
    this.#forget(child, how);
    const livedMs = this.#p.clock.monotonicMs() - this.#startedMs;
    if (livedMs >= STEADY_MS) this.#delayMs = RESTART_DELAY_MS;
    this.#p.log.error(`ctdb-admind ended (${how}). Starting it again in ${this.#delayMs / 1000} s`);
    this.#plan();
  }

  #plan(): void {
    const delayMs = this.#delayMs;
    this.#delayMs = Math.min(2 * delayMs, RESTART_DELAY_MAX_MS);
    this.#restart?.cancel();
    this.#restart = this.#p.timers.after(delayMs, () => {
      this.#restart = undefined;
      this.#launch();
    });
  }

  #end(why: string): void {
    this.#restart?.cancel();
    this.#restart = undefined;
    const child = this.#child;
    if (child === undefined) return;
    this.#forget(child, `it was ended: ${why}`);
    child.kill();
  }

  #forget({ pid }: DaemonChild, how: string): void {
    this.#child = undefined;
    this.#p.journal.record({ kind: "process_ended", process: "admind", pid, how });
  }
}
