/**
 * The state of this node as a whole: how far it has come, whether a recovery is under way, what it may
 * become. Plain values with named transitions; what follows from a transition is for those who listen.
 *
 * Invariants:
 * 1. The runstate only goes forward.
 * 2. Every change of the recovery mode is announced once.
 */
import { assert } from "../../base/assert.ts";
import type { Logger } from "../../base/log.ts";
import type { Clock, Timeval } from "../../platform/types/time.ts";
import {
  CAPABILITIES,
  RECOVERY_ACTIVE,
  RECOVERY_NORMAL,
  RUNSTATES,
  type Runstate,
} from "../../wire/constants.ts";

export interface NodeStateListener {
  recoveryModeChanged(active: boolean, reason: string): void;
  runstateChanged(runstate: Runstate): void;
}

export class NodeState {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #listener: NodeStateListener;
  readonly startedMs: number;
  readonly startTime: Timeval;
  capabilities: number;
  lastRecoveryStarted: Timeval;
  lastRecoveryFinished: Timeval;
  lastRecoveryFinishedMs: number;
  #runstate: Runstate = "UNKNOWN";
  /** The first recovery sorts things out: until then the node counts as recovering. */
  #recoveryActive = true;

  constructor(clock: Clock, log: Logger, capabilities: number, listener: NodeStateListener) {
    this.#clock = clock;
    this.#log = log;
    this.#listener = listener;
    this.capabilities = capabilities;
    this.startedMs = clock.monotonicMs();
    this.startTime = clock.wallTime();
    this.lastRecoveryStarted = this.startTime;
    this.lastRecoveryFinished = this.startTime;
    this.lastRecoveryFinishedMs = this.startedMs;
  }

  get runstate(): Runstate {
    return this.#runstate;
  }
  get runstateNumber(): number {
    return RUNSTATES.indexOf(this.#runstate);
  }
  runstateBefore(state: Runstate): boolean {
    return this.runstateNumber < RUNSTATES.indexOf(state);
  }

  becomeRunstate(runstate: Runstate): void {
    assert(
      RUNSTATES.indexOf(runstate) > this.runstateNumber,
      `runstate ${runstate} comes after ${this.#runstate}`,
    );
    this.#log.notice(`Set runstate to ${runstate} (${RUNSTATES.indexOf(runstate)})`);
    this.#runstate = runstate;
    this.#listener.runstateChanged(runstate);
  }

  get recovering(): boolean {
    return this.#recoveryActive;
  }
  get recoveryMode(): number {
    return this.#recoveryActive ? RECOVERY_ACTIVE : RECOVERY_NORMAL;
  }

  /** `reason`: why it is to be so. */
  setRecovering(active: boolean, reason: string): void {
    if (active === this.#recoveryActive) return;
    this.#recoveryActive = active;
    this.#listener.recoveryModeChanged(active, reason);
  }

  recoveryStarted(): void {
    this.lastRecoveryStarted = this.#clock.wallTime();
  }
  recoveryFinished(): void {
    this.lastRecoveryFinished = this.#clock.wallTime();
    this.lastRecoveryFinishedMs = this.#clock.monotonicMs();
  }
  msSinceRecovery(): number {
    return this.#clock.monotonicMs() - this.lastRecoveryFinishedMs;
  }
  uptimeSec(): number {
    return Math.floor((this.#clock.monotonicMs() - this.startedMs) / 1000);
  }

  setCapability(name: "LMASTER" | "RECMASTER", on: boolean): void {
    if (on) this.capabilities |= CAPABILITIES[name];
    else this.capabilities &= ~CAPABILITIES[name];
  }
}
