/**
 * One run of the vacuum over one database, in slices and without a process: its stages follow one
 * another (docs/database.md, "Deleted records").
 *
 *     [walking] → fetching → sorting → offering → deleting → repacking → ended
 *
 * Invariants:
 * 1. It goes on only while the database is thawed, in the generation in which the run began, and this
 *    node is active and not recovering: looked at before every slice.
 * 2. It ends once, by itself, by a freeze or detach, or after `VacuumMaxRunTime`. What it has not dealt
 *    with goes back into the queue.
 */
import { done, err, type Result } from "../../base/result.ts";
import type { Timer } from "../../platform/types/time.ts";
import { NODE_FLAGS_INACTIVE } from "../../wire/constants.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { type Budget, runSliced } from "../slices.ts";
import { VacuumSort } from "./decide_deletions.ts";
import { VacuumDelete } from "./delete_everywhere.ts";
import { VacuumFetch } from "./fetch_offered.ts";
import { VacuumWalk } from "./full_walk.ts";
import { VACUUM_SLICE_MS } from "./limits.ts";
import { VacuumOffer } from "./offer_to_lmasters.ts";
import { VacuumRepack } from "./repack.ts";
import { type VacuumParts, type VacuumStage, type VacuumState, VacuumWork } from "./vacuum_work.ts";

export interface VacuumRequest {
  /** With a walk over all records. */
  readonly full: boolean;
  /** Somebody waits for its end. */
  readonly asked: boolean;
}

/** Why the vacuum must leave a database alone now. */
export function vacuumProblem(host: DatabaseHost, database: Database): string | undefined {
  if (host.recovering()) return "the cluster recovers";
  if ((host.nodeFlags(host.pnn) & NODE_FLAGS_INACTIVE) !== 0) return "this node is inactive";
  if (database.freeze.state !== "thawed") return "it is frozen";
  if (database.detached) return "it was detached";
  if (database.generation !== host.generation()) return "it is not of the current generation";
  return undefined;
}

export class VacuumRun {
  readonly database: Database;
  readonly request: VacuumRequest;
  readonly #host: DatabaseHost;
  readonly #finished: (run: VacuumRun, outcome: Result<void>) => void;
  readonly #work: VacuumWork;
  readonly #generation: number;
  readonly #startedMs: number;
  readonly #deadline: Timer;
  readonly #stages: VacuumStage[];
  #waits = false;

  /** There is no `vacuumProblem`. The first slice runs in a later turn. */
  constructor(
    parts: VacuumParts,
    database: Database,
    request: VacuumRequest,
    finished: (run: VacuumRun, outcome: Result<void>) => void,
  ) {
    const { host } = parts;
    this.#host = host;
    this.database = database;
    this.request = request;
    this.#finished = finished;
    this.#generation = host.generation();
    this.#startedMs = host.clock.monotonicMs();
    this.#work = new VacuumWork(parts, database, () => this.#resume());
    const work = this.#work;
    this.#stages = [
      ...(request.full ? [new VacuumWalk(work)] : []),
      new VacuumFetch(work, request.asked),
      new VacuumSort(work),
      new VacuumOffer(work),
      new VacuumDelete(work),
      new VacuumRepack(work, request.full),
    ];
    const limitMs = host.tunable("VacuumMaxRunTime") * 1000;
    this.#deadline = host.timers.after(limitMs, () => {
      const text = `Vacuuming of database ${database.name} timed out in state ${this.state}`;
      host.databaseWarning(database.name, "vacuum", text);
      this.cancel("it took longer than VacuumMaxRunTime");
    });
    database.vacuum = this;
    this.#continue();
  }

  get state(): VacuumState | "ended" {
    return this.#work.ended ? "ended" : (this.#stages[0]?.name ?? "ended");
  }

  cancel(reason: string): void {
    if (!this.#work.ended) this.#end(err(`The vacuum of "${this.database.name}" ended: ${reason}`));
  }

  #continue(): void {
    this.#host.timers.nextTurn(() => {
      if (this.#work.ended) return;
      runSliced(this.#host, "vacuum", (budget) => this.#slice(budget), VACUUM_SLICE_MS);
    });
  }

  #resume(): void {
    if (!this.#waits || this.#work.ended) return;
    this.#waits = false;
    this.#continue();
  }

  #slice(budget: Budget): "done" | "more" | number {
    while (!this.#work.ended) {
      const problem = this.#problem();
      if (problem !== undefined) {
        this.cancel(problem);
        break;
      }
      const stage = this.#stages[0];
      if (stage === undefined) {
        this.#end(done);
        break;
      }
      const outcome = this.#host.trace.span(stage.name, () => stage.step(budget));
      if (outcome === "wait") {
        this.#waits = true;
        break;
      }
      if (outcome !== "done") return outcome;
      this.#stages.shift();
    }
    return "done";
  }

  #problem(): string | undefined {
    if (this.#generation !== this.#host.generation()) return "the generation has changed";
    return vacuumProblem(this.#host, this.database);
  }

  #end(outcome: Result<void>): void {
    const { database } = this;
    const work = this.#work;
    work.ended = true;
    this.#deadline.cancel();
    database.vacuum = undefined;
    // Those that have not run yet may hold records, too.
    for (const stage of this.#stages) stage.cancel?.();
    database.deleteQueue.giveBackAll(work.table);
    const durationMs = this.#host.clock.monotonicMs() - this.#startedMs;
    const { full } = this.request;
    database.statistics.vacuumEnded(work.counts, { full, ok: outcome.ok, durationMs });
    const { found, fetched, offered, deleted, refused, kept, skipped } = work.counts;
    this.#host.log.info(
      `Vacuuming took ${(durationMs / 1000).toFixed(3)} seconds for database ${database.name}: ` +
        `${found} found, ${fetched} fetched, ${offered} offered, ${deleted} deleted, ` +
        `${refused} refused, ${kept} kept, ${skipped} skipped`,
    );
    this.#finished(this, outcome);
  }
}
