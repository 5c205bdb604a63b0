/**
 * Tells the lmasters of records that are empty here (VACUUM_FETCH), some at a time: each fetches its
 * records with its own next run.
 *
 * Invariant: a record whose lmaster could not be told is kept for a later run.
 */
import { EMPTY } from "../../wire/codec.ts";
import type { RecBufferBuilder } from "../../wire/records/rec_buffer.ts";
import type { Budget } from "../slices.ts";
import { VACUUM_RECORDS_MAX } from "./limits.ts";
import type { VacuumStage, VacuumWork } from "./vacuum_work.ts";

export class VacuumOffer implements VacuumStage {
  readonly name = "offering";
  readonly #work: VacuumWork;
  #buffer: RecBufferBuilder | undefined;
  #asking = false;
  /** Lmasters that did not answer. */
  readonly #failed = new Set<number>();

  constructor(work: VacuumWork) {
    this.#work = work;
  }

  step(budget: Budget): "done" | "more" | "wait" {
    if (this.#asking) return "wait";
    const { toOffer, host } = this.#work;
    for (const [lmaster, slots] of toOffer) {
      if (slots.length === 0) {
        toOffer.delete(lmaster);
        continue;
      }
      if (!host.nodeConnected(lmaster) || this.#failed.has(lmaster)) {
        this.#keep(slots, budget);
        return "more";
      }
      this.#tell(lmaster, slots);
      return "wait";
    }
    return "done";
  }

  #tell(lmaster: number, slots: number[]): void {
    const { host, table, counts } = this.#work;
    this.#buffer ??= this.#work.newBuffer();
    const buffer = this.#buffer;
    buffer.reset();
    const told: number[] = [];
    while (told.length < VACUUM_RECORDS_MAX) {
      const slot = slots.at(-1);
      if (slot === undefined) break;
      const key = table.keyOf(slot);
      if (!buffer.fits(key.length, 0)) break;
      buffer.add(host.pnn, key, EMPTY);
      told.push(slot);
      slots.pop();
    }
    this.#asking = true;
    const timeoutMs = host.tunable("ControlTimeout") * 1000;
    host.requestControl(lmaster, "VACUUM_FETCH", buffer.finish(), timeoutMs, (outcome) => {
      this.#asking = false;
      if (this.#work.ended) return;
      if (outcome.ok) {
        counts.offered += told.length;
        for (const slot of told) table.remove(slot);
      } else {
        const { name } = this.#work.database;
        const text = `Node ${lmaster} was not told of ${told.length} deleted records of database "${name}": ${outcome.error}`;
        host.databaseWarning(name, "vacuum", text);
        this.#failed.add(lmaster);
        slots.push(...told);
      }
      this.#work.resume();
    });
  }

  /** As many as the slice has time for. */
  #keep(slots: number[], budget: Budget): void {
    for (let slot = slots.pop(); slot !== undefined; slot = slots.pop()) {
      this.#work.keep(slot);
      if (budget.spent) return;
    }
  }
}
