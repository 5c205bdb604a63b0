/**
 * Empty records that wait for the vacuum: key → the header that they had when they were queued. The
 * vacuum acts only on a record whose header still is that one.
 *
 * Invariants:
 * 1. Bounded. A record that found no room is still empty in the file, and the vacuum's full walk finds
 *    it there.
 * 2. What a run has taken out and could not deal with comes back, unless the key was queued again
 *    meanwhile: then the newer entry counts.
 */
import type { RecordHeader } from "../record/record_header.ts";
import { KeyTable } from "./key_table.ts";
import { DELETE_QUEUE_BYTES_MAX, DELETE_QUEUE_MAX } from "./limits.ts";

export class DeleteQueue {
  #entries = newTable();
  /** Tables of runs that were cut short. */
  #unfinished: KeyTable[] = [];
  /** Records that found no room since the last full walk. */
  overflows = 0;

  get size(): number {
    return this.#unfinished.reduce((sum, table) => sum + table.size, this.#entries.size);
  }
  get memoryBytes(): number {
    return this.#unfinished.reduce((sum, t) => sum + t.memoryBytes, this.#entries.memoryBytes);
  }
  schedule(hash: number, key: Uint8Array, header: RecordHeader): void {
    if (this.#entries.put(hash, key, header) < 0) this.overflows += 1;
  }

  remove(hash: number, key: Uint8Array): void {
    const slot = this.#entries.find(hash, key);
    if (slot >= 0) this.#entries.remove(slot);
  }

  /** For a run: the queue is empty afterwards, or nearly so after a run that was cut short. */
  take(): KeyTable {
    const unfinished = this.#unfinished.shift();
    if (unfinished !== undefined) return unfinished;
    const taken = this.#entries;
    this.#entries = newTable();
    return taken;
  }

  /** One entry of a run, not to be tried again before `dueMs`. */
  giveBack(table: KeyTable, slot: number, dueMs: number, header: RecordHeader): void {
    const key = table.keyOf(slot);
    const hash = table.hashOf(slot);
    if (this.#entries.find(hash, key) >= 0) return;
    table.readHeader(slot, header);
    const own = this.#entries.put(hash, key, header);
    if (own < 0) this.overflows += 1;
    else this.#entries.setDueMs(own, dueMs);
  }

  /** Everything that a run has left, at once. */
  giveBackAll(table: KeyTable): void {
    if (table.size > 0) this.#unfinished.push(table);
  }

  clear(): void {
    this.#entries = newTable();
    this.#unfinished = [];
    this.overflows = 0;
  }
}

function newTable(): KeyTable {
  return new KeyTable(DELETE_QUEUE_MAX, DELETE_QUEUE_BYTES_MAX);
}
