/**
 * Empty records that wait for the vacuum: key → the header that they had when they were queued. The
 * vacuum acts only on a record whose header still is that one.
 *
 * Invariant: bounded. A record that found no room is still empty in the file, and the vacuum's full
 * walk finds it there.
 */

import { KeyMap } from "./key_map.ts";
import { DELETE_QUEUE_MAX } from "./limits.ts";
import { RecordHeader } from "./record_header.ts";

export interface QueuedDeletion {
  readonly key: Uint8Array;
  readonly header: RecordHeader;
}

export class DeleteQueue {
  readonly #entries = new KeyMap<QueuedDeletion>();
  /** Records that found no room since the queue was last cleared. */
  overflows = 0;

  get size(): number {
    return this.#entries.size;
  }

  schedule(hash: number, key: Uint8Array, header: RecordHeader): void {
    let entry = this.#entries.get(hash, key);
    if (entry === undefined) {
      if (this.#entries.size >= DELETE_QUEUE_MAX) {
        this.overflows += 1;
        return;
      }
      entry = { key: key.slice(), header: new RecordHeader() };
      this.#entries.set(hash, entry.key, entry);
    }
    entry.header.set(header.rsnHi, header.rsnLo, header.dmaster, header.flags);
  }

  remove(hash: number, key: Uint8Array): void {
    if (this.#entries.size > 0) this.#entries.delete(hash, key);
  }

  get(hash: number, key: Uint8Array): QueuedDeletion | undefined {
    return this.#entries.get(hash, key);
  }

  clear(): void {
    this.#entries.clear();
    this.overflows = 0;
  }
}
