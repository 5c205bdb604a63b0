/**
 * Records that other nodes have offered to this one, their lmaster: empty there, and to be fetched by
 * the next run of the vacuum.
 *
 * Invariant: bounded. Who offered a record that found no room offers it again after its next full walk.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { RecordHeader } from "../record/record_header.ts";
import { KeyTable } from "./key_table.ts";
import { FETCH_QUEUE_BYTES_MAX, FETCH_QUEUE_MAX } from "./limits.ts";

const NO_HEADER = new RecordHeader();

export class FetchQueue {
  #entries = newTable();
  /** What runs that ended have left, whole: moving the entries of one would take long. */
  #unfinished: KeyTable[] = [];

  get size(): number {
    return this.#unfinished.reduce((sum, table) => sum + table.size, this.#entries.size);
  }
  get memoryBytes(): number {
    return this.#unfinished.reduce((sum, t) => sum + t.memoryBytes, this.#entries.memoryBytes);
  }

  add(key: Uint8Array): void {
    this.#entries.put(jenkinsHash(key), key, NO_HEADER);
  }

  /** For a run: the queue is empty afterwards, or nearly so after a run that was cut short. */
  take(): KeyTable {
    const unfinished = this.#unfinished.shift();
    if (unfinished !== undefined) return unfinished;
    const taken = this.#entries;
    this.#entries = newTable();
    return taken;
  }

  giveBack(table: KeyTable, slot: number, dueMs: number): void {
    const own = this.#entries.put(table.hashOf(slot), table.keyOf(slot), NO_HEADER);
    if (own >= 0) this.#entries.setDueMs(own, dueMs);
  }

  /** Everything that a run has left, at once. */
  giveBackAll(table: KeyTable): void {
    if (table.size > 0) this.#unfinished.push(table);
  }

  clear(): void {
    this.#entries = newTable();
    this.#unfinished = [];
  }
}

function newTable(): KeyTable {
  return new KeyTable(FETCH_QUEUE_MAX, FETCH_QUEUE_BYTES_MAX);
}
