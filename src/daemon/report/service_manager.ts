/**
 * What a service manager is told (sd_notify(3)): which process serves, when it is ready, how it stands, and that its
 * event loop turns.
 *
 * Invariants:
 * 1. READY is told once: when the node is RUNNING, or when it waits as a stopped node, which may be for ever.
 * 2. Until then more time is asked for again and again: peers, the cluster lock and the first recovery take as long as
 *    they take.
 * 3. WATCHDOG comes from a timer of the loop, at twice the pace that is asked for: a loop that stands still is silent.
 */
import type { Timer, Timers } from "../../platform/types/time.ts";
import type { Runstate } from "../../wire/constants.ts";

const EXTEND_EACH_MS = 10_000;
const EXTEND_BY_USEC = 60_000_000;

export interface ServiceManagerHost {
  readonly timers: Timers;
  readonly pid: number;
  /** Silence for so long counts as a hang; undefined: nobody looks. */
  readonly watchdogMs: number | undefined;
  /** The node waits for `ctdb continue`. */
  readonly startsStopped: boolean;
  send(text: string): void;
}

const STATUS: Readonly<Record<Runstate, string>> = {
  UNKNOWN: "starting",
  INIT: "runs the init event",
  SETUP: "opens databases and links",
  FIRST_RECOVERY: "waits for other nodes, a leader and the first recovery",
  STARTUP: "runs the startup event",
  RUNNING: "serves",
  SHUTDOWN: "gives its addresses away and ends",
};

export class ServiceManager {
  readonly #host: ServiceManagerHost;
  readonly #watchdog: Timer | undefined;
  #extend: Timer | undefined;
  #ready = false;

  constructor(host: ServiceManagerHost) {
    this.#host = host;
    const { timers, pid, watchdogMs } = host;
    host.send(`MAINPID=${pid}\nSTATUS=${STATUS.UNKNOWN}`);
    this.#extend = timers.every(EXTEND_EACH_MS, () => this.#askForTime());
    this.#askForTime();
    if (watchdogMs === undefined) return;
    this.#watchdog = timers.every(watchdogMs / 2, () => host.send("WATCHDOG=1"));
  }

  runstateChanged(runstate: Runstate): void {
    const { send, startsStopped } = this.#host;
    const lines = [`STATUS=${STATUS[runstate]}`];
    const isReady = runstate === "RUNNING" || (startsStopped && runstate === "FIRST_RECOVERY");
    if (isReady && !this.#ready) {
      this.#ready = true;
      this.#endExtending();
      lines.unshift("READY=1");
    }
    if (runstate === "SHUTDOWN") {
      this.#endExtending();
      lines.unshift("STOPPING=1");
    }
    send(lines.join("\n"));
  }

  /** Logs are reopened: between two of these the manager waits. */
  reloaded(monotonicUsec: number): void {
    if (!this.#ready) return;
    this.#host.send(`RELOADING=1\nMONOTONIC_USEC=${Math.round(monotonicUsec)}`);
    this.#host.send("READY=1");
  }

  close(): void {
    this.#watchdog?.cancel();
    this.#endExtending();
  }

  #askForTime(): void {
    this.#host.send(`EXTEND_TIMEOUT_USEC=${EXTEND_BY_USEC}`);
  }

  #endExtending(): void {
    this.#extend?.cancel();
    this.#extend = undefined;
  }
}
