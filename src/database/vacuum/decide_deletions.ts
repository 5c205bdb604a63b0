/**
 * Goes through the queued records and decides what is to be done with each: forget it, delete it here
 * at once, ask all nodes to delete it, or tell its lmaster.
 *
 * Invariants:
 * 1. Only the lmaster deletes, and only what never left it with data goes without asking the others.
 * 2. A record of which others have read-only copies is not deleted before these are taken back.
 * 3. A record whose chain is held is kept for a later run, never waited for.
 */
import { RECORD_FLAGS, RECORD_FLAGS_RO } from "../../wire/constants.ts";
import { lmasterOf } from "../calls/replies.ts";
import type { Budget } from "../slices.ts";
import type { VacuumStage, VacuumWork } from "./vacuum_work.ts";

export class VacuumSort implements VacuumStage {
  readonly name = "sorting";
  readonly #work: VacuumWork;
  #slot = 0;

  constructor(work: VacuumWork) {
    this.#work = work;
  }

  step(budget: Budget): "done" | "more" {
    const { table } = this.#work;
    while (this.#slot < table.slots) {
      const slot = this.#slot;
      this.#slot += 1;
      if (table.isUsed(slot)) this.#sort(slot);
      if (budget.spent) return "more";
    }
    return "done";
  }

  #sort(slot: number): void {
    const work = this.#work;
    const { table, host } = work;
    if (table.dueMsOf(slot) > host.clock.monotonicMs()) {
      work.putOff(slot);
      return;
    }
    const key = table.keyOf(slot);
    const looked = work.withChain(work.table.hashOf(slot), key, () => this.#sortLocked(slot, key));
    if (!looked) work.keep(slot);
  }

  #sortLocked(slot: number, key: Uint8Array): void {
    const work = this.#work;
    const { table, host } = work;
    if (!work.isAsQueued(slot, key)) {
      work.drop(slot);
      return;
    }
    const lmaster = lmasterOf(host, table.hashOf(slot));
    const flags = table.flagsOf(slot) | work.database.records.header.flags;
    if (lmaster !== host.pnn) this.#offer(slot, lmaster);
    else if ((work.database.records.header.flags & RECORD_FLAGS_RO) !== 0) {
      this.#takeBack(slot, key);
    } else if ((flags & RECORD_FLAGS.MIGRATED_WITH_DATA) !== 0) work.toDelete.push(slot);
    else work.deleteHere(slot, key);
  }

  /** Read-only copies go first; the store that ends their revoke queues the record again. */
  #takeBack(slot: number, key: Uint8Array): void {
    const { table, database } = this.#work;
    const hash = table.hashOf(slot);
    if (database.revokes.find(hash, key) === undefined) database.revokes.begin(hash, key);
    this.#work.drop(slot);
  }

  #offer(slot: number, lmaster: number): void {
    const slots = this.#work.toOffer.get(lmaster);
    if (slots === undefined) this.#work.toOffer.set(lmaster, [slot]);
    else slots.push(slot);
  }
}
