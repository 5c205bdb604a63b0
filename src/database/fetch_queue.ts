/**
 * Records that other nodes have offered to this one, their lmaster: empty there, and to be fetched by
 * the next run of the vacuum.
 *
 * Invariant: bounded. Who offered a record that found no room offers it again after its next full walk.
 */
import { jenkinsHash } from "../base/jenkins_hash.ts";
import { KeyTable } from "./key_table.ts";
import { FETCH_QUEUE_BYTES_MAX, FETCH_QUEUE_MAX } from "./limits.ts";
import { RecordHeader } from "./record_header.ts";

const NO_HEADER = new RecordHeader();

export class FetchQueue {
  #entries = newTable();

  get size(): number {
    return this.#entries.size;
  }
  get memoryBytes(): number {
    return this.#entries.memoryBytes;
  }

  add(key: Uint8Array): void {
    this.#entries.put(jenkinsHash(key), key, NO_HEADER);
  }

  take(): KeyTable {
    const taken = this.#entries;
    this.#entries = newTable();
    return taken;
  }

  giveBack(table: KeyTable, slot: number, dueMs: number): void {
    const own = this.#entries.put(table.hashOf(slot), table.keyOf(slot), NO_HEADER);
    if (own >= 0) this.#entries.setDueMs(own, dueMs);
  }

  clear(): void {
    this.#entries = newTable();
  }
}

function newTable(): KeyTable {
  return new KeyTable(FETCH_QUEUE_MAX, FETCH_QUEUE_BYTES_MAX);
}
