/**
 * Records of one database: reads and stores with the ltdb header apart from the data.
 *
 * Invariants:
 * 1. `header` and `data` describe the record of the last `read`; both are overwritten by the next one.
 *    `data` is a copy, so it may be stored while it is looked at.
 * 2. A store that answers an error has changed neither the file nor the queue of deletions; the header
 *    object that it was given may have been adjusted.
 * 3. Only volatile databases follow the store rule; others are stored as they are and never deleted.
 */
import { done } from "../../base/result.ts";
import type { Tdb, TdbError, TdbResult } from "../../tdb/types.ts";
import { RECORD_FLAGS } from "../../wire/constants.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import type { DeleteQueue } from "../vacuum/delete_queue.ts";
import { RecordHeader } from "./record_header.ts";
import { STORE, storeRule } from "./store_rule.ts";

const TEMPORARY_FLAGS = RECORD_FLAGS.VACUUM_MIGRATED | RECORD_FLAGS.AUTOMATIC;
const SCRATCH_BYTES_KEPT_MAX = 1024 * 1024;

export class Records {
  readonly header = new RecordHeader();
  /** Whether the last read found the record in the file. */
  found = false;

  readonly #tdb: Tdb;
  readonly #volatile: boolean;
  readonly #ownPnn: number;
  readonly #deleteQueue: DeleteQueue;
  readonly #head = new Uint8Array(LTDB_HEADER_BYTES);
  #scratch = new Uint8Array(1024);
  #dataLength = 0;
  /** Made once: a closure for each read would be garbage on the hottest path. */
  readonly #visit = (value: Uint8Array): void => this.#take(value);

  constructor(tdb: Tdb, isVolatile: boolean, ownPnn: number, deleteQueue: DeleteQueue) {
    this.#tdb = tdb;
    this.#volatile = isVolatile;
    this.#ownPnn = ownPnn;
    this.#deleteQueue = deleteQueue;
  }

  /** Data of the last read, without header; valid until the next read. */
  get data(): Uint8Array {
    return this.#scratch.subarray(0, this.#dataLength);
  }
  get dataLength(): number {
    return this.#dataLength;
  }

  /**
   * Reads header and data. A missing record (or one too short for a header) reads as a new one: rsn 0,
   * the lmaster as data master, AUTOMATIC, no data; it is not written. `hash`, as everywhere here, is
   * jenkinsHash() of the key: the caller needs it to know the lmaster.
   */
  read(hash: number, key: Uint8Array, lmaster: number): TdbError | undefined {
    this.found = false;
    this.#dataLength = 0;
    const outcome = this.#tdb.parse(key, this.#visit, hash);
    if (!outcome.ok && outcome.error.code !== "missing") return outcome.error;
    if (!this.found) this.header.set(0, 0, lmaster, RECORD_FLAGS.AUTOMATIC);
    return undefined;
  }

  #take(value: Uint8Array): void {
    if (value.length < LTDB_HEADER_BYTES) return;
    this.found = true;
    this.header.readFrom(value);
    const length = value.length - LTDB_HEADER_BYTES;
    this.#dataLength = length;
    if (length === 0) return;
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(length * 2);
    else if (this.#scratch.length > SCRATCH_BYTES_KEPT_MAX && length < 1024) {
      this.#scratch = new Uint8Array(1024);
    }
    this.#scratch.set(value.subarray(LTDB_HEADER_BYTES));
  }

  /** Stores by the rule of the database's kind; adjusts `header` as it is stored. */
  store(
    hash: number,
    key: Uint8Array,
    header: RecordHeader,
    data: Uint8Array,
    lmaster: number,
  ): TdbResult<void> {
    if (!this.#volatile) return this.#write(hash, key, header, data);
    const rule = storeRule(header.flags, header.dmaster, data.length, this.#ownPnn, lmaster);
    header.flags = (header.flags & ~TEMPORARY_FLAGS) >>> 0;
    if ((rule & STORE.KEEP) === 0) return this.#remove(hash, key);
    if ((rule & STORE.BUMP_RSN) !== 0) header.bumpRsn();
    const stored = this.#write(hash, key, header, data);
    if (!stored.ok) return stored;
    if ((rule & STORE.SCHEDULE_FOR_DELETION) !== 0) this.#deleteQueue.schedule(hash, key, header);
    else if ((rule & STORE.LEAVE_DELETE_QUEUE) !== 0) this.#deleteQueue.remove(hash, key);
    return stored;
  }

  #write(hash: number, key: Uint8Array, header: RecordHeader, data: Uint8Array): TdbResult<void> {
    header.writeTo(this.#head);
    return this.#tdb.storeParts(key, this.#head, data, hash);
  }

  #remove(hash: number, key: Uint8Array): TdbResult<void> {
    const removed = this.#tdb.delete(key, hash);
    return removed.ok || removed.error.code === "missing" ? done : removed;
  }
}
