/**
 * When the vacuum runs: every volatile database each `VacuumInterval`, every so many successful runs
 * (`VacuumFastPathCount`) with a full walk; or when somebody asks (DB_VACUUM).
 *
 * Invariants:
 * 1. One run at a time; between the runs of two databases is a pause.
 * 2. Tunables are read when they are needed: a changed one counts from the next look on, at the latest
 *    VACUUM_LOOK_MS later.
 * 3. A database that cannot be vacuumed now is looked at again after a full interval.
 */
import type { Result } from "../../base/result.ts";
import type { Timer } from "../../platform/types/time.ts";
import type { PendingCalls } from "../calls/pending_calls.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { LostHolders } from "./holders.ts";
import { VACUUM_LOOK_MS, VACUUM_STAGGER_MS } from "./limits.ts";
import { VacuumRun, vacuumProblem } from "./run.ts";

interface Plan {
  /** When the last run ended, or was given up. */
  lastMs: number;
  fastRuns: number;
}

export class VacuumSchedule {
  readonly #host: DatabaseHost;
  readonly #pending: PendingCalls;
  readonly #holders: LostHolders;
  readonly #plans = new Map<Database, Plan>();
  #running: VacuumRun | undefined;
  #timer: Timer | undefined;

  constructor(host: DatabaseHost, pending: PendingCalls) {
    this.#host = host;
    this.#pending = pending;
    this.#holders = new LostHolders(host);
  }

  attached(database: Database): void {
    if (database.kind !== "volatile") return;
    this.#plans.set(database, { lastMs: this.#host.clock.monotonicMs(), fastRuns: 0 });
    if (this.#timer === undefined) this.#look();
  }

  detached(database: Database): void {
    this.#plans.delete(database);
    database.vacuum?.cancel("the database goes away");
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#running?.cancel("the daemon ends");
    this.#plans.clear();
  }

  nodeLost(pnn: number): void {
    this.#holders.nodeLost(pnn);
  }

  /** Somebody asks for a run; the reason when there can be none now. */
  run(
    database: Database,
    full: boolean,
    finished: (outcome: Result<void>) => void,
  ): string | undefined {
    if (database.kind !== "volatile") return `Database "${database.name}" is not volatile`;
    if (this.#running !== undefined) {
      return `Vacuuming collision: database "${this.#running.database.name}" is being vacuumed`;
    }
    const problem = vacuumProblem(this.#host, database);
    if (problem !== undefined) return `Cannot vacuum database "${database.name}": ${problem}`;
    this.#start(database, full, true, finished);
    return undefined;
  }

  // --- by the clock

  #dueMs(plan: Plan): number {
    return plan.lastMs + Math.max(1, this.#host.tunable("VacuumInterval")) * 1000;
  }

  /** Starts what is due most, if nothing runs, and looks again in time. */
  #look(): void {
    const nowMs = this.#host.clock.monotonicMs();
    let next: Database | undefined;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const [database, plan] of this.#plans) {
      const dueMs = this.#dueMs(plan);
      if (dueMs >= nextMs) continue;
      next = database;
      nextMs = dueMs;
    }
    if (next !== undefined && nextMs <= nowMs && this.#running === undefined) this.#begin(next);
    const delayMs = Math.min(Math.max(nextMs - nowMs, VACUUM_STAGGER_MS), VACUUM_LOOK_MS);
    this.#timer = this.#host.timers.after(delayMs, () => this.#look());
  }

  #begin(database: Database): void {
    const plan = this.#plans.get(database);
    if (plan === undefined) return;
    const problem = vacuumProblem(this.#host, database);
    if (problem !== undefined) {
      this.#host.log.debug(`Not vacuuming ${database.name}: ${problem}`);
      plan.lastMs = this.#host.clock.monotonicMs();
      return;
    }
    const fastRunsMax = this.#host.tunable("VacuumFastPathCount");
    const isTime = plan.fastRuns >= fastRunsMax;
    if (isTime) plan.fastRuns = 0;
    // What found no room in the queue is found only by a walk.
    const full = (isTime && fastRunsMax > 0) || database.deleteQueue.overflows > 0;
    this.#start(database, full, false, () => {});
  }

  #start(
    database: Database,
    full: boolean,
    asked: boolean,
    finished: (outcome: Result<void>) => void,
  ): void {
    if (full) database.deleteQueue.overflows = 0;
    const parts = {
      host: this.#host,
      pending: this.#pending,
      holders: this.#holders,
    };
    this.#running = new VacuumRun(parts, database, { full, asked }, (run, outcome) => {
      if (this.#running === run) this.#running = undefined;
      const plan = this.#plans.get(database);
      if (plan !== undefined) {
        plan.lastMs = this.#host.clock.monotonicMs();
        if (outcome.ok) plan.fastRuns += 1;
      }
      if (!outcome.ok) this.#host.log.info(outcome.error);
      finished(outcome);
    });
  }
}
