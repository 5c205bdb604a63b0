/**
 * The recoveries that a leading node runs: whether one is needed, one at a time, and what is remembered of
 * those that failed. docs/recovery.md, "Sequence".
 */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { Result } from "../base/result.ts";
import type { CtdbClient } from "../client/types.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import { INVALID_GENERATION } from "../wire/packet.ts";
import type { Culprits } from "./culprits.ts";
import type { WantedRecovery } from "./decide.ts";
import { OperationGate } from "./operation_gate.ts";
import type { OwnView } from "./own_view.ts";
import { type RecoveryHelper, RecoveryRun } from "./recovery_run.ts";
import { activeNodes } from "./snapshot.ts";
import type { TakeoverRuns } from "./takeover_runs.ts";

export interface RecoveriesHost {
  readonly client: CtdbClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly journal: Journal;
  readonly helper: RecoveryHelper;
  readonly takeoverRuns: TakeoverRuns;
  readonly view: OwnView;
  readonly culprits: Culprits;
  /** This node leads, with everything that it takes. */
  mayRecover(): boolean;
  /** What was read of the cluster before a recovery began, or ended, is void. */
  beginEpoch(): void;
  look(): void;
}

export class Recoveries {
  readonly gate: OperationGate;
  readonly #host: RecoveriesHost;
  /** Why one is needed. */
  #needed: string | undefined;
  #failedInRow = 0;
  #run: RecoveryRun | undefined;
  /** Of the recovery that runs. */
  #generation = INVALID_GENERATION;

  constructor(host: RecoveriesHost) {
    this.#host = host;
    const { log } = host;
    this.gate = new OperationGate(host.timers, (state, seconds) => {
      if (state === "disabled") log.notice(`Disabling recoveries for ${seconds} seconds`);
      else log.notice(`Reenabling recoveries${state === "expired" ? " after timeout" : ""}`);
      host.look();
    });
  }

  /** Why one was wanted, if none has succeeded since. */
  get needed(): string | undefined {
    return this.#needed;
  }
  get running(): boolean {
    return this.#run !== undefined;
  }

  /** Recovers `nodes`, unless it may not be now: then the next look at the cluster asks again. */
  want({ reason, nodes, stale }: WantedRecovery): void {
    const { log, view, culprits } = this.#host;
    const first = this.#needed === undefined;
    this.#needed ??= reason;
    if (this.gate.disabled) {
      if (first) log.notice(`Recovery needed (${reason}), but recoveries are disabled`);
      return;
    }
    if (this.running || !this.#host.mayRecover()) return;
    const generation = newGeneration(this.#host.random);
    log.notice(`Starting recovery, new generation ${generation}: ${reason}`);
    if (culprits.last !== undefined) {
      log.info(`Recovery initiated due to problem with node ${culprits.last}`);
    }
    this.#host.journal.record({
      kind: "recovery_started",
      generation,
      reason,
      nodes: activeNodes(nodes),
      culprit: culprits.last ?? null,
    });
    this.#host.beginEpoch();
    this.gate.inProgress = true;
    const plan = {
      generation,
      nodes,
      stale,
      timeoutMs: view.requestTimeoutMs,
      takeoverTimeoutMs: view.tunable("TakeoverTimeout") * 1000,
    };
    this.#generation = generation;
    this.#run = new RecoveryRun(this.#host, plan, (outcome) => this.#ended(outcome));
  }

  cancel(reason: string): void {
    const run = this.#run;
    run?.cancel(reason);
    this.#run = undefined;
    if (run !== undefined) this.#written(run, `it was given up: ${reason}`);
    this.gate.inProgress = false;
    this.#needed = undefined;
  }

  #written({ startMs }: RecoveryRun, failure: string | undefined): number {
    const { clock, journal } = this.#host;
    const tookMs = clock.monotonicMs() - startMs;
    journal.record({
      kind: "recovery_ended",
      generation: this.#generation,
      succeeded: failure === undefined,
      reason: failure ?? null,
      duration_ms: tookMs,
    });
    return tookMs;
  }

  #ended(outcome: Result<void>): void {
    const { log, view, culprits } = this.#host;
    const run = this.#run;
    if (run === undefined) return;
    const tookMs = this.#written(run, outcome.ok ? undefined : outcome.error);
    this.#run = undefined;
    this.gate.inProgress = false;
    this.#host.beginEpoch();
    if (!outcome.ok) {
      this.#failedInRow += 1;
      culprits.excludeTime(tookMs);
      this.#needed = `the one before has failed: ${outcome.error}`;
      log.error(`Recovery failed (${this.#failedInRow} in a row): ${outcome.error}`);
      return;
    }
    log.notice(`Recovery complete after ${Math.round(tookMs)} ms`);
    this.#needed = undefined;
    this.#failedInRow = 0;
    culprits.clear();
    this.gate.disable(view.tunable("RerecoveryTimeout"));
    this.#host.look();
  }
}

function newGeneration(random: Random): number {
  for (;;) {
    const generation = random.u32() >>> 1;
    if (generation > INVALID_GENERATION) return generation;
  }
}
