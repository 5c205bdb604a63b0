/**
 * From the first recovery to a healthy node: waits for the cluster to be recovered, runs the startup
 * event, then the monitor event again and again.
 *
 *     waiting ── recovered ──▶ starting ── startup event ok ──▶ monitoring
 *                                 ▲  └─ failed: again after 5 s
 *
 * Invariants:
 * 1. Our own UNHEALTHY flag changes here only, and every change is told to the recovery daemon.
 * 2. While the last monitor event that counted has failed, `problem` says why, if that is known.
 */
import { unreachable } from "../../base/assert.ts";
import type { Logger } from "../../base/log.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import type { Timer, Timers } from "../../platform/types/time.ts";
import {
  EVENT_CANCELLED,
  EVENT_TIMED_OUT,
  type EventFailure,
  type RunningEvent,
} from "../../services/event_runner.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { DatabasePart } from "../database_part.ts";
import { type EventEnded, failureText, type NodeEvents } from "./node_events.ts";
import type { NodeFreeze } from "./node_freeze.ts";
import type { NodeState } from "./node_state.ts";

const POLL_MS = 1000;
const STARTUP_RETRY_MS = 5000;
const FIRST_MONITOR_SEC = 2;
const CHANGED_MONITOR_SEC = 5;
/** Waiting is logged this often at first, then every tenth minute. */
const LOGGED_WAITS = 60;
const LOGGED_WAITS_LATER = 600;

export interface HealthDependencies {
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly state: NodeState;
  readonly database: DatabasePart;
  readonly freeze: NodeFreeze;
  readonly events: NodeEvents;
  readonly timers: Timers;
  readonly log: Logger;
  readonly tunable: (name: string) => number;
  /** Test mode: no wait for further recoveries after the first. */
  readonly fastStart: boolean;
  /** This node runs: tell the others. */
  startedUp(): void;
  /** Our flags changed from `before` to what they are. */
  flagsChanged(before: number): void;
  /** A persistent database stays unhealthy. */
  fatal(reason: string): void;
  notify(event: "startup" | "healthy" | "unhealthy"): void;
}

export class Health {
  readonly #d: HealthDependencies;
  #phase: "idle" | "waiting" | "starting" | "monitoring" = "idle";
  #timer: Timer | undefined;
  #event: RunningEvent | undefined;
  #waits = 0;
  #nextIntervalSec = FIRST_MONITOR_SEC;
  #timeouts = 0;
  #monitors = 0;
  #problem: EventFailure | undefined;

  constructor(dependencies: HealthDependencies) {
    this.#d = dependencies;
  }

  waitForFirstRecovery(): void {
    this.#d.state.becomeRunstate("FIRST_RECOVERY");
    this.#phase = "waiting";
    this.#plan(POLL_MS);
  }

  /** Something that we wait for may have happened: look now rather than at the next tick. */
  look(): void {
    if (this.#phase === "waiting") this.#plan(0);
    else if (this.#phase === "starting" && this.#event === undefined) this.#plan(0);
  }

  /** The script that says that this node is not healthy. */
  get problem(): EventFailure | undefined {
    return this.#problem;
  }

  /** Monitor events that have ended, whatever they said. */
  get monitors(): number {
    return this.#monitors;
  }

  stop(): void {
    this.#phase = "idle";
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#event?.cancel();
    this.#event = undefined;
  }

  #plan(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#d.timers.after(delayMs, () => {
      this.#timer = undefined;
      this.#step();
    });
  }

  #step(): void {
    switch (this.#phase) {
      case "idle":
        return;
      case "waiting":
        this.#wait();
        return;
      case "starting":
        this.#startUp();
        return;
      case "monitoring":
        this.#monitor();
        return;
      default:
        unreachable(this.#phase);
        return;
    }
  }

  #wait(): void {
    const { nodes, log, database } = this.#d;
    this.#waits += 1;
    if (this.#waits < LOGGED_WAITS || this.#waits % LOGGED_WAITS_LATER === 0) {
      log.notice("CTDB_WAIT_UNTIL_RECOVERED");
      if ((nodes.own.flags & NODE_FLAGS.STOPPED) !== 0) {
        log.notice("Node is STOPPED. Node will NOT recover.");
      }
    }
    if (!this.#isRecovered()) {
      this.#plan(POLL_MS);
      return;
    }
    const unhealthy = database.unhealthyReason();
    if (unhealthy !== undefined) {
      this.#d.fatal(unhealthy);
      return;
    }
    this.#phase = "starting";
    this.#startUp();
  }

  #isRecovered(): boolean {
    const { vnnMap, state, tunable, fastStart } = this.#d;
    if (!vnnMap.valid || state.recovering) return false;
    if (fastStart) return true;
    // Nodes that come a little later cause further recoveries.
    return state.msSinceRecovery() >= (tunable("RerecoveryTimeout") + 3) * 1000;
  }

  #startUp(): void {
    const { state, log } = this.#d;
    if (this.#event !== undefined) return;
    // The end of the first recovery runs an event too: one after the other.
    if (state.runstateBefore("STARTUP") || state.recovering) {
      this.#plan(POLL_MS);
      return;
    }
    log.notice('Running the "startup" event.');
    this.#run("startup", (status) => {
      if (status !== 0) {
        log.error(`startup event failed (status ${status})`);
        return this.#plan(STARTUP_RETRY_MS);
      }
      log.notice("startup event OK - enabling monitoring");
      this.#phase = "monitoring";
      this.#nextIntervalSec = FIRST_MONITOR_SEC;
      state.becomeRunstate("RUNNING");
      this.#d.notify("startup");
      this.#d.startedUp();
      this.#plan(this.#nextIntervalSec * 1000);
    });
  }

  #monitor(): void {
    const { state, nodes, freeze } = this.#d;
    if (state.recovering || nodes.ownInactive || freeze.frozen) {
      this.#plan(this.#nextIntervalSec * 1000);
      return;
    }
    this.#run("monitor", (status, failure) => this.#monitored(status, failure));
  }

  /** One event at a time; `stop` ends it. */
  #run(event: "startup" | "monitor", ended: EventEnded): void {
    this.#event = this.#d.events.run(event, [], (status, failure) => {
      this.#event = undefined;
      ended(status, failure);
    });
  }

  #monitored(status: number, failure: EventFailure | undefined): void {
    const { nodes, tunable } = this.#d;
    const before = nodes.own.flags;
    this.#monitors += 1;
    if (this.#counts(status)) {
      if (status === 0) this.#problem = undefined;
      else this.#problem = failure ?? this.#problem;
      this.#setHealth(status === 0, reasonOf(status, failure));
    }
    const intervalSec = this.#nextIntervalSec;
    this.#nextIntervalSec = Math.min(intervalSec * 2, Math.max(1, tunable("MonitorInterval")));
    this.#plan(intervalSec * 1000);
    if (nodes.own.flags !== before) this.#d.flagsChanged(before);
  }

  /** A cancelled event says nothing, and a few timeouts are tolerated. */
  #counts(status: number): boolean {
    if (status === EVENT_CANCELLED) {
      this.#d.log.info("Monitoring event was cancelled");
      return false;
    }
    if (status !== EVENT_TIMED_OUT) {
      this.#timeouts = 0;
      return true;
    }
    this.#timeouts += 1;
    const limit = this.#d.tunable("MonitorTimeoutCount");
    if (this.#timeouts < limit) return false;
    this.#d.log.error(`Maximum monitor timeout count ${limit} reached. Making node unhealthy`);
    return true;
  }

  #setHealth(healthy: boolean, reason: string): void {
    const { nodes, log } = this.#d;
    const wasHealthy = (nodes.own.flags & NODE_FLAGS.UNHEALTHY) === 0;
    if (healthy === wasHealthy) return;
    this.#nextIntervalSec = CHANGED_MONITOR_SEC;
    const cause = { cause: "monitor", reason, by: { node: nodes.ownPnn } } as const;
    if (healthy) {
      log.notice("monitor event OK - node re-enabled");
      nodes.clearOwnFlag("UNHEALTHY", cause);
    } else {
      log.notice("monitor event failed - disabling node");
      log.error(`Node is UNHEALTHY because ${reason}`);
      nodes.setOwnFlag("UNHEALTHY", cause);
    }
    this.#d.notify(healthy ? "healthy" : "unhealthy");
  }
}

function reasonOf(status: number, failure: EventFailure | undefined): string {
  if (status === 0) return "its monitor event succeeded";
  if (failure !== undefined) return `its ${failureText("monitor", failure)}`;
  if (status === EVENT_TIMED_OUT) return "its monitor event timed out too often";
  return `its monitor event failed with status ${status}`;
}
