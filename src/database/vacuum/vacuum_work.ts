/**
 * What the stages of a vacuum run share (docs/database.md, "Deleted records"): the queued records as
 * one table, what became of them, and the rules of when a record may be deleted.
 *
 * Invariant: whatever was read before a turn ended is read again: a record is judged under its chain's
 * lock in the turn that deletes it.
 */
import { RECORD_FLAGS_RO } from "../../wire/constants.ts";
import { RecBufferBuilder } from "../../wire/records/rec_buffer.ts";
import type { PendingCalls } from "../calls/pending_calls.ts";
import { lmasterOf } from "../calls/replies.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { RecordHeader } from "../record/record_header.ts";
import type { Budget } from "../slices.ts";
import type { LostHolders } from "./holders.ts";
import type { KeyTable } from "./key_table.ts";
import { newVacuumCounts, type VacuumCounts } from "./vacuum_statistics.ts";

/**
 * A stage works until the budget is spent ("more"), until an answer is needed ("wait": it calls
 * `resume` then), for a pause in milliseconds, or until it is "done".
 */
export interface VacuumStage {
  readonly name: VacuumState;
  step(budget: Budget): "done" | "more" | "wait" | number;
  /** The run ends here; what the stage has outside of the run is given back. */
  cancel?(): void;
}

export type VacuumState =
  | "walking"
  | "fetching"
  | "sorting"
  | "offering"
  | "deleting"
  | "repacking";

export interface VacuumParts {
  readonly host: DatabaseHost;
  readonly pending: PendingCalls;
  readonly holders: LostHolders;
}

export class VacuumWork {
  readonly parts: VacuumParts;
  readonly host: DatabaseHost;
  readonly database: Database;
  /** Empty records to delete. A slot that is removed is dealt with. */
  readonly table: KeyTable;
  readonly counts: VacuumCounts = newVacuumCounts();
  /** Slots of records whose lmaster is another node, by lmaster. */
  readonly toOffer = new Map<number, number[]>();
  /** Slots of records that other nodes may have copies of. */
  readonly toDelete: number[] = [];
  readonly #header = new RecordHeader();
  readonly #resume: () => void;

  constructor(parts: VacuumParts, database: Database, resume: () => void) {
    this.parts = parts;
    this.host = parts.host;
    this.database = database;
    this.table = database.deleteQueue.take();
    this.#resume = resume;
  }

  /** Set by the run: answers that come now find nobody. */
  ended = false;

  /** For a list of records; made by those stages that send any. */
  newBuffer(): RecBufferBuilder {
    return new RecBufferBuilder(this.database.dbId, this.host.tunable("RecBufferSizeLimit"));
  }

  resume(): void {
    this.#resume();
  }

  /** When something that cannot be done now is tried again, by a scheduled run. */
  get nextTryMs(): number {
    const intervalSec = Math.max(1, this.host.tunable("VacuumInterval"));
    return this.host.clock.monotonicMs() + intervalSec * 1000;
  }

  /** Not now: kept for a later run. */
  keep(slot: number): void {
    this.counts.kept += 1;
    this.database.deleteQueue.giveBack(this.table, slot, this.nextTryMs, this.#header);
    this.table.remove(slot);
  }

  /** It is not its time yet. */
  putOff(slot: number): void {
    const dueMs = this.table.dueMsOf(slot);
    this.database.deleteQueue.giveBack(this.table, slot, dueMs, this.#header);
    this.table.remove(slot);
  }

  drop(slot: number): void {
    this.counts.skipped += 1;
    this.table.remove(slot);
  }

  /** Runs `action` with the record's chain locked; false: the chain is held elsewhere. */
  withChain(hash: number, key: Uint8Array, action: () => void): boolean {
    const { gate, tdb } = this.database;
    const chain = tdb.chainOf(key, hash);
    if (gate.enter(chain) !== "granted") return false;
    action();
    gate.leave(chain);
    return true;
  }

  /**
   * With the chain locked: the record is as it was queued: empty, and this node is its data master. So
   * it has not been away since, and nobody has put data into it. `records.header` is its header.
   */
  isAsQueued(slot: number, key: Uint8Array): boolean {
    const { records } = this.database;
    if (records.read(this.table.hashOf(slot), key, 0) !== undefined || !records.found) return false;
    if (records.dataLength !== 0) return false;
    if (records.header.dmaster !== this.host.pnn) return false;
    return this.table.hasRsn(slot, records.header);
  }

  isLmaster(slot: number): boolean {
    return lmasterOf(this.host, this.table.hashOf(slot)) === this.host.pnn;
  }

  /** With the chain locked and the record as it was queued: deletes it from the file. */
  deleteHere(slot: number, key: Uint8Array): void {
    const { header } = this.database.records;
    if ((header.flags & RECORD_FLAGS_RO) !== 0 || !this.isLmaster(slot)) {
      this.drop(slot);
      return;
    }
    const deleted = this.database.tdb.delete(key, this.table.hashOf(slot));
    if (!deleted.ok) {
      this.keep(slot);
      return;
    }
    this.counts.deleted += 1;
    this.table.remove(slot);
  }
}
