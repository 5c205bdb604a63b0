/**
 * Record buffers by the hundred thousand records, without an object for each (docs/protocol.md,
 * "Structs": rec_buffer). The codec `recBuffer` of structs.ts is for small ones; both read and write the
 * same bytes.
 *
 * Invariants:
 * 1. A cursor never leaves its bytes: a record is handed out only after its lengths were compared with
 *    what remains, and a count that cannot fit is refused at the start.
 * 2. A cursor can stop after any record and go on in a later turn, as long as the bytes stay.
 * 3. A builder's memory is at most twice what was added, plus its first 64 KiB.
 */
import { assert } from "../../base/assert.ts";
import { copyInto } from "../../base/copy_into.ts";
import { freeNow } from "../../base/free_now.ts";
import { REC_DATA_HEAD_BYTES } from "../structs/records.ts";

export const REC_BUFFER_HEAD_BYTES = 8;

/**
 * Walks the records of a buffer:
 *
 *     const cursor = new RecBufferCursor(bytes);
 *     while (cursor.next()) use(cursor.key(), cursor.data());
 *     if (cursor.error !== undefined) …
 *
 * The offsets are for those who need no views of their own.
 */
export class RecBufferCursor {
  bytes: Uint8Array;
  #view: DataView;
  #nextAt = REC_BUFFER_HEAD_BYTES;
  #kept = false;

  readonly db_id: number;
  /** As many records as the buffer says; at most as many as can fit. */
  readonly count: number;
  /** Records handed out so far. */
  index = 0;
  /** Why the walk ended before `count` records; undefined otherwise. */
  error: string | undefined;

  // The current record, valid after next() returned true. Offsets are in `bytes`.
  reqid = 0;
  keyAt = 0;
  keyLength = 0;
  dataAt = 0;
  dataLength = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < REC_BUFFER_HEAD_BYTES) {
      this.db_id = 0;
      this.count = 0;
      this.error = `record buffer of ${bytes.length} bytes, at least 8 are expected`;
      return;
    }
    this.db_id = this.#view.getUint32(0, true);
    const count = this.#view.getUint32(4, true);
    const room = bytes.length - REC_BUFFER_HEAD_BYTES;
    const fits = count * REC_DATA_HEAD_BYTES <= room;
    this.count = fits ? count : 0;
    if (!fits) this.error = `${count} records of at least 16 bytes, ${room} bytes remain`;
  }

  /** From now on it has a copy of the bytes: what it was given is used for something else. */
  keepBytes(): void {
    this.bytes = this.bytes.slice();
    this.#kept = true;
    this.#view = new DataView(this.bytes.buffer);
  }

  /** After the last record: what `keepBytes()` took is given back. */
  freeBytes(): void {
    if (this.#kept) freeNow(this.bytes);
  }

  /** Moves to the next record; false at the end and at the first record that does not fit. */
  next(): boolean {
    if (this.index >= this.count || this.error !== undefined) return false;
    const at = this.#nextAt;
    const room = this.bytes.length - at - REC_DATA_HEAD_BYTES;
    if (room < 0) return this.#fail(`its head needs 16 bytes, ${room + 16} remain`);
    const view = this.#view;
    const length = view.getUint32(at, true);
    const keyLength = view.getUint32(at + 8, true);
    const dataLength = view.getUint32(at + 12, true);
    if (keyLength + dataLength > room) {
      return this.#fail(`key ${keyLength} and data ${dataLength}, ${room} bytes remain`);
    }
    if (length !== REC_DATA_HEAD_BYTES + keyLength + dataLength) {
      return this.#fail(`length ${length} is not 16+${keyLength}+${dataLength}`);
    }
    this.reqid = view.getUint32(at + 4, true);
    this.keyAt = at + REC_DATA_HEAD_BYTES;
    this.keyLength = keyLength;
    this.dataAt = this.keyAt + keyLength;
    this.dataLength = dataLength;
    this.#nextAt = at + length;
    this.index += 1;
    return true;
  }

  /** Views of the current record, valid as long as the bytes are. */
  key(): Uint8Array {
    return this.bytes.subarray(this.keyAt, this.dataAt);
  }
  data(): Uint8Array {
    return this.bytes.subarray(this.dataAt, this.dataAt + this.dataLength);
  }

  #fail(reason: string): false {
    this.error = `record ${this.index} at byte ${this.#nextAt}: ${reason}`;
    return false;
  }
}

/**
 * Why the bytes are no record buffer, or undefined. With `leastDataBytes` every record's data must
 * be so long (LTDB_HEADER_BYTES where headers are carried).
 */
export function recBufferProblem(bytes: Uint8Array, leastDataBytes = 0): string | undefined {
  const cursor = new RecBufferCursor(bytes);
  while (cursor.next()) {
    if (cursor.dataLength < leastDataBytes) {
      return `record ${cursor.index - 1}: data of ${cursor.dataLength} bytes, at least ${leastDataBytes} are expected`;
    }
  }
  return cursor.error;
}

const FIRST_BYTES = 64 * 1024;

/** Collects records into one buffer. One builder serves many buffers: `reset()` between them. */
export class RecBufferBuilder {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = REC_BUFFER_HEAD_BYTES;
  #count = 0;
  readonly #db_id: number;
  readonly #bytesMax: number;

  /** `bytesMax` is for `fits()`: where a buffer should be sent off and the next begun. */
  constructor(db_id: number, bytesMax = Number.POSITIVE_INFINITY) {
    this.#db_id = db_id;
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }
  /** Bytes of the buffer so far, its head included. */
  get byteLength(): number {
    return this.#length;
  }
  /** Where `reserve()` gave room; replaced when the buffer grows. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** False when the record would go over the limit; a first record always fits. */
  fits(keyLength: number, dataLength: number): boolean {
    const length = this.#length + REC_DATA_HEAD_BYTES + keyLength + dataLength;
    return this.#count === 0 || length <= this.#bytesMax;
  }

  add(reqid: number, key: Uint8Array, data: Uint8Array): void {
    const at = this.reserve(reqid, key.length, data.length);
    copyInto(this.#bytes, at, key);
    copyInto(this.#bytes, at + key.length, data);
  }

  /** Key and data that lie side by side in other bytes (a record of a TDB page). */
  addRange(
    reqid: number,
    source: Uint8Array,
    keyAt: number,
    keyLength: number,
    dataLength: number,
  ): void {
    const length = keyLength + dataLength;
    assert(keyAt + length <= source.length, "a record lies within its source");
    const at = this.reserve(reqid, keyLength, dataLength);
    copyInto(this.#bytes, at, source, keyAt, length);
  }

  /**
   * Appends a record whose key and data the caller writes itself: returns where the key begins in
   * `bytes`; the data follows it.
   */
  reserve(reqid: number, keyLength: number, dataLength: number): number {
    const at = this.#length;
    const length = REC_DATA_HEAD_BYTES + keyLength + dataLength;
    if (at + length > this.#bytes.length) this.#grow(at + length);
    const view = this.#view;
    view.setUint32(at, length, true);
    view.setUint32(at + 4, reqid, true);
    view.setUint32(at + 8, keyLength, true);
    view.setUint32(at + 12, dataLength, true);
    this.#length = at + length;
    this.#count += 1;
    return at + REC_DATA_HEAD_BYTES;
  }

  /** The finished buffer as a view: valid until the next record is added or the builder reset. */
  finish(): Uint8Array {
    this.#view.setUint32(0, this.#db_id, true);
    this.#view.setUint32(4, this.#count, true);
    return this.#bytes.subarray(0, this.#length);
  }

  /** Empty again, with its memory. */
  reset(): void {
    this.#length = REC_BUFFER_HEAD_BYTES;
    this.#count = 0;
  }

  #grow(least: number): void {
    const grown = new Uint8Array(Math.max(least, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
