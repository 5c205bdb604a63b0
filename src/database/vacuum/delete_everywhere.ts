/**
 * Deletes records of which this node is lmaster and data master, and of which other nodes may have
 * older copies: first those copies (TRY_DELETE_RECORDS to every other active node), then our own.
 *
 * Invariants:
 * 1. Our own copy goes only when every node that may have another one has answered that it is gone.
 *    Otherwise an old copy could win a later recovery: a deleted record would be back.
 * 2. A node that does not answer, or a node that comes or goes meanwhile, or one that only others reach,
 *    ends the stage: what is left is kept for a later run.
 * 3. A record that a node did not delete is kept.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { decodeExact, EMPTY } from "../../wire/codec.ts";
import { CONTROLS } from "../../wire/controls.ts";
import { type RecBufferBuilder, RecBufferCursor } from "../../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import type { ControlAnswered } from "../host.ts";
import { RecordHeader } from "../record/record_header.ts";
import type { Budget } from "../slices.ts";
import { VACUUM_RECORDS_MAX } from "./limits.ts";
import type { VacuumStage, VacuumWork } from "./vacuum_work.ts";

const REFUSED = 1;

export class VacuumDelete implements VacuumStage {
  readonly name = "deleting";
  readonly #work: VacuumWork;
  #buffer: RecBufferBuilder | undefined;
  readonly #header = new RecordHeader();
  /** Slots that the others are asked about, or have answered for. */
  #batch: number[] = [];
  #asked: readonly number[] = [];
  #answersMissing = 0;
  #failure: string | undefined;

  constructor(work: VacuumWork) {
    this.#work = work;
  }

  step(budget: Budget): "done" | "more" | "wait" {
    if (this.#answersMissing > 0) return "wait";
    if (this.#failure !== undefined) return this.#abandon(budget, this.#failure);
    if (this.#batch.length > 0) {
      const others = this.#work.parts.holders.others();
      if (others?.join() !== this.#asked.join()) {
        return this.#abandon(budget, "the active nodes have changed");
      }
      return this.#deleteBatch(budget);
    }
    if (this.#work.toDelete.length === 0) return "done";
    return this.#ask(budget);
  }

  #ask(budget: Budget): "more" | "wait" | "done" {
    const { host, table, toDelete, parts } = this.#work;
    const others = parts.holders.others();
    if (others === undefined) return this.#abandon(budget, "a node cannot be asked");
    this.#asked = others;
    this.#buffer ??= this.#work.newBuffer();
    const buffer = this.#buffer;
    buffer.reset();
    while (this.#batch.length < VACUUM_RECORDS_MAX) {
      const slot = toDelete.at(-1);
      if (slot === undefined) break;
      const key = table.keyOf(slot);
      if (!buffer.fits(key.length, LTDB_HEADER_BYTES)) break;
      table.readHeader(slot, this.#header);
      const at = buffer.reserve(this.#work.database.dbId, key.length, LTDB_HEADER_BYTES);
      buffer.bytes.set(key, at);
      this.#header.writeTo(buffer.bytes, at + key.length);
      table.setMark(slot, 0);
      this.#batch.push(slot);
      toDelete.pop();
    }
    // On the same link behind the deletion: what a node sees is not older than its answer to that.
    const asksForNodes = parts.holders.someoneIsAway;
    this.#answersMissing = asksForNodes ? 2 * others.length : others.length;
    const timeoutMs = host.tunable("ControlTimeout") * 1000;
    for (const pnn of others) {
      host.requestControl(pnn, "TRY_DELETE_RECORDS", buffer.finish(), timeoutMs, (outcome) =>
        this.#answered(pnn, outcome, (data) => this.#markRefused(data)),
      );
      if (!asksForNodes) continue;
      host.requestControl(pnn, "GET_NODEMAP", EMPTY, timeoutMs, (outcome) =>
        this.#answered(pnn, outcome, (data) => this.#hiddenProblem(data)),
      );
    }
    return others.length > 0 ? "wait" : "more";
  }

  #answered(
    pnn: number,
    outcome: ControlAnswered,
    read: (data: Uint8Array) => string | undefined,
  ): void {
    this.#answersMissing -= 1;
    if (this.#work.ended) return;
    const problem = outcome.ok ? read(outcome.value.data) : outcome.error;
    if (problem !== undefined) this.#failure ??= `node ${pnn}: ${problem}`;
    if (this.#answersMissing === 0) this.#work.resume();
  }

  /** The answer holds the records that stay; the reason when it makes no sense. */
  #markRefused(bytes: Uint8Array): string | undefined {
    const { table, counts } = this.#work;
    const cursor = new RecBufferCursor(bytes);
    while (cursor.next()) {
      const key = cursor.key();
      const slot = table.find(jenkinsHash(key), key);
      if (slot < 0) return "it answers with a record that it was not asked about";
      table.setMark(slot, REFUSED);
      counts.refused += 1;
    }
    return cursor.error;
  }

  #hiddenProblem(bytes: Uint8Array): string | undefined {
    const seen = decodeExact(CONTROLS.GET_NODEMAP.reply, bytes);
    if (!seen.ok) return `its node map cannot be read: ${seen.error}`;
    const hidden = this.#work.parts.holders.hidden(seen.value);
    return hidden === undefined ? undefined : `it sees node ${hidden}, which cannot be asked`;
  }

  #deleteBatch(budget: Budget): "more" | "done" {
    const { table } = this.#work;
    for (;;) {
      const slot = this.#batch.pop();
      if (slot === undefined) return "more";
      if (table.markOf(slot) === REFUSED) this.#work.keep(slot);
      else this.#delete(slot);
      if (budget.spent) return "more";
    }
  }

  #delete(slot: number): void {
    const work = this.#work;
    const key = work.table.keyOf(slot);
    const looked = work.withChain(work.table.hashOf(slot), key, () => {
      if (work.isAsQueued(slot, key)) work.deleteHere(slot, key);
      else work.drop(slot);
    });
    if (!looked) work.keep(slot);
  }

  #abandon(budget: Budget, reason: string): "more" | "done" {
    const { host, toDelete, database } = this.#work;
    if (this.#failure === undefined) this.#failure = reason;
    for (;;) {
      const slot = this.#batch.pop() ?? toDelete.pop();
      if (slot === undefined) break;
      this.#work.keep(slot);
      if (budget.spent) return "more";
    }
    const text = `Deleted records of database "${database.name}" are kept for now: ${this.#failure}`;
    host.databaseWarning(database.name, "vacuum", text);
    return "done";
  }
}
