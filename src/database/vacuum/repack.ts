/**
 * Packs the file when its freelist has become long, in the middle of everybody's work: in a transaction
 * of the file, which keeps other processes from writing meanwhile, and behind the closed gate of the
 * database, which keeps our own work parked.
 *
 * Invariants:
 * 1. Nothing waits: when another process holds a lock the attempt is made again a few times, then by the
 *    next run.
 * 2. The gate is open again when the transaction has ended, unless a freeze has closed it.
 * 3. A freeze ends it at once, or, when the packed file is being written already, waits for that like
 *    for any other holder of the file's lock.
 */
import type { SlicedWork } from "../../tdb/types.ts";
import { type Budget, howToGoOn, runTdbWork } from "../slices.ts";
import { REPACK_RETRY_MS, REPACK_TRIES_MAX } from "./limits.ts";
import type { VacuumStage, VacuumWork } from "./vacuum_work.ts";

export class VacuumRepack implements VacuumStage {
  readonly name = "repacking";
  readonly #work: VacuumWork;
  readonly #isFull: boolean;
  #packing: SlicedWork<void> | undefined;
  #tries = 0;

  constructor(work: VacuumWork, isFull: boolean) {
    this.#work = work;
    this.#isFull = isFull;
  }

  step(budget: Budget): "done" | "more" | number {
    if (this.#packing !== undefined) return this.#pack(this.#packing, budget);
    if (!this.#isNeeded()) return "done";
    const { database } = this.#work;
    database.gate.close();
    this.#packing = database.tdb.repack();
    return this.#pack(this.#packing, budget);
  }

  cancel(): void {
    const packing = this.#packing;
    if (packing === undefined) return;
    this.#packing = undefined;
    packing.cancel();
    const { host, database } = this.#work;
    if (!database.tdb.inTransaction || database.detached) this.#openGate();
    else runTdbWork(host, "end of repack", packing, () => this.#openGate());
  }

  /** Looked at when records have gone, and now and then. */
  #isNeeded(): boolean {
    const { host, database, counts } = this.#work;
    const limit = host.tunable("RepackLimit");
    if (limit === 0 || (!this.#isFull && counts.deleted === 0 && this.#tries === 0)) return false;
    const size = database.tdb.freelistSize();
    if (!size.ok || size.value < limit) return false;
    if (this.#tries === 0) {
      host.log.notice(`Repacking ${database.name} with ${size.value} freelist entries`);
    }
    return true;
  }

  #pack(packing: SlicedWork<void>, budget: Budget): "done" | "more" | number {
    const outcome = packing.step(budget.remainingMs);
    if (outcome === undefined) return howToGoOn(packing);
    this.#packing = undefined;
    this.#openGate();
    const { host, database, counts } = this.#work;
    if (outcome.ok) {
      counts.repacks += 1;
      return "done";
    }
    this.#tries += 1;
    if (outcome.error.code === "busy" && this.#tries < REPACK_TRIES_MAX) return REPACK_RETRY_MS;
    host.log.info(`Database "${database.name}" was not repacked: ${outcome.error.reason}`);
    return "done";
  }

  #openGate(): void {
    const { database } = this.#work;
    if (database.freeze.state !== "frozen" && !database.detached) database.gate.open();
  }
}
