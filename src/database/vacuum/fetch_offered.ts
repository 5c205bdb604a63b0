/**
 * Fetches the records that other nodes have offered to this one, their lmaster. A record that comes
 * is queued by the store rule, so the next run deletes it.
 *
 * Invariants:
 * 1. At most VACUUM_FETCHES_MAX calls of the vacuum are under way at once.
 * 2. A record that is here already, or unknown here, is not called for.
 */
import type { Timer } from "../../platform/types/time.ts";
import { EMPTY } from "../../wire/codec.ts";
import { CALL_FLAGS, NULL_FUNC } from "../../wire/constants.ts";
import { lmasterOf } from "../calls/replies.ts";
import type { Budget } from "../slices.ts";
import type { KeyTable } from "./key_table.ts";
import { VACUUM_FETCH_PATIENCE_MS, VACUUM_FETCHES_MAX } from "./limits.ts";
import type { VacuumStage, VacuumWork } from "./vacuum_work.ts";

export class VacuumFetch implements VacuumStage {
  readonly name = "fetching";
  readonly #work: VacuumWork;
  readonly #table: KeyTable;
  /** Whoever asked for the run wants to know that the records are here. */
  readonly #untilAllAreHere: boolean;
  #slot = 0;
  #underWay = 0;
  #patience: Timer | undefined;
  #impatient = false;
  #over = false;

  constructor(work: VacuumWork, untilAllAreHere: boolean) {
    this.#work = work;
    this.#table = work.database.fetchQueue.take();
    this.#untilAllAreHere = untilAllAreHere;
  }

  step(budget: Budget): "done" | "more" | "wait" {
    const table = this.#table;
    while (this.#slot < table.slots && !this.#impatient) {
      if (this.#underWay >= VACUUM_FETCHES_MAX) return this.#await();
      const slot = this.#slot;
      this.#slot += 1;
      if (table.isUsed(slot)) {
        this.#fetch(slot);
        table.remove(slot);
      }
      if (budget.spent) return "more";
    }
    if (this.#underWay > 0 && !this.#impatient) return this.#await();
    this.#patience?.cancel();
    this.#giveBackRest();
    return "done";
  }

  cancel(): void {
    this.#patience?.cancel();
    this.#giveBackRest();
  }

  #await(): "wait" {
    if (!this.#untilAllAreHere) {
      this.#patience ??= this.#work.host.timers.after(VACUUM_FETCH_PATIENCE_MS, () => {
        this.#impatient = true;
        this.#work.resume();
      });
    }
    return "wait";
  }

  /** What has not been looked at. */
  #giveBackRest(): void {
    if (this.#over) return;
    this.#over = true;
    this.#work.database.fetchQueue.giveBackAll(this.#table);
  }

  #giveBack(slot: number, dueMs: number): void {
    this.#work.database.fetchQueue.giveBack(this.#table, slot, dueMs);
  }

  #fetch(slot: number): void {
    const { host, database } = this.#work;
    const table = this.#table;
    const dueMs = table.dueMsOf(slot);
    if (dueMs > host.clock.monotonicMs()) {
      this.#giveBack(slot, dueMs);
      return;
    }
    const hash = table.hashOf(slot);
    if (lmasterOf(host, hash) !== host.pnn) return;
    const key = table.keyOf(slot);
    let dmaster: number | undefined;
    const looked = this.#work.withChain(hash, key, () => {
      const { records } = database;
      const failed = records.read(hash, key, host.pnn) !== undefined;
      if (!failed && records.found) dmaster = records.header.dmaster;
    });
    if (!looked) this.#giveBack(slot, this.#work.nextTryMs);
    else if (dmaster !== undefined && dmaster !== host.pnn) this.#call(key, dmaster);
  }

  #call(key: Uint8Array, dmaster: number): void {
    const { host, database, parts } = this.#work;
    this.#underWay += 1;
    host.statistics.pending_calls += 1;
    parts.pending.send({
      database,
      clientId: 0,
      clientReqid: 0,
      flags: CALL_FLAGS.IMMEDIATE_MIGRATION | CALL_FLAGS.VACUUM_MIGRATION,
      callid: NULL_FUNC,
      key,
      calldata: EMPTY,
      destnode: dmaster,
      startedMs: host.clock.monotonicMs(),
      collapse: undefined,
      ended: () => {
        this.#underWay -= 1;
        this.#work.counts.fetched += 1;
        this.#work.resume();
      },
    });
  }
}
