/**
 * The collected records of one database as record buffers for DB_PUSH, one buffer at a time.
 *
 * Invariants:
 * 1. Records without data behind their header, and copies that lost, are left out.
 * 2. Unless the database is persistent, the leader becomes dmaster and MIGRATED_WITH_DATA is set
 *    (volatile and replicated databases alike).
 * 3. A buffer is at most `limitBytes` long, except that a single larger record fills one alone.
 * 4. Making a buffer costs time for its own size only.
 *
 * The records are patched in place: a table is pushed once.
 */
import { RECORD_FLAGS, SEQUENCE_KEY } from "../wire/constants.ts";
import { REC_BUFFER_HEAD_BYTES } from "../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES, REC_DATA_HEAD_BYTES } from "../wire/structs/records.ts";
import { DEAD, RANK_AT, type RecordTable } from "./record_table.ts";

const KEY_LENGTH_AT = 8;
const DATA_LENGTH_AT = 12;
const DMASTER_AT = 8;
const RESERVED_AT = 12;
const FLAGS_AT = 16;

export interface PushOptions {
  readonly db_id: number;
  readonly limitBytes: number;
  /** The leader; undefined for persistent databases, whose headers stay as they are. */
  readonly dmaster: number | undefined;
  /** Of databases that are recovered by sequence number: how many recoveries, with this one. */
  readonly recoveries?: number | undefined;
}

export class PushBuffers {
  readonly #table: RecordTable;
  readonly #options: PushOptions;
  #out: Uint8Array;
  #view: DataView;
  #length = 0;
  #count = 0;
  #slab = 0;
  #at = 0;
  /** Records in all buffers so far. */
  recordsSent = 0;

  constructor(table: RecordTable, options: PushOptions) {
    this.#table = table;
    this.#options = options;
    const size = Math.min(options.limitBytes, table.bytesHeld) + REC_BUFFER_HEAD_BYTES;
    this.#out = new Uint8Array(size);
    this.#view = new DataView(this.#out.buffer);
  }

  /** The next buffer, valid until the next call; undefined when all records were in one. */
  next(): Uint8Array | undefined {
    this.#length = REC_BUFFER_HEAD_BYTES;
    this.#count = 0;
    const slabs = this.#table.slabs;
    for (; this.#slab < slabs.list.length; this.#slab += 1, this.#at = 0) {
      if (!this.#takeFrom(this.#slab)) break;
    }
    if (this.#count === 0) return undefined;
    this.#view.setUint32(0, this.#options.db_id, true);
    this.#view.setUint32(4, this.#count, true);
    this.recordsSent += this.#count;
    slabs.touched(this.#length);
    return this.#out.subarray(0, this.#length);
  }

  /** Copies runs of live records out of one slab; false when the buffer is full. */
  #takeFrom(slab: number): boolean {
    const slabs = this.#table.slabs;
    const view = slabs.list[slab] as DataView;
    const slabEnd = slabs.endOf(slab);
    let runStart = this.#at;
    let runBytes = 0;
    let full = false;
    while (this.#at < slabEnd) {
      const length = view.getUint32(this.#at, true);
      if (!isPushed(view, this.#at)) {
        this.#copy(slab, runStart, runBytes);
        runBytes = 0;
        this.#at += length;
        runStart = this.#at;
        continue;
      }
      if (this.#length + runBytes + length > this.#options.limitBytes && this.#count > 0) {
        full = true;
        break;
      }
      this.#patch(view, this.#at);
      this.#count += 1;
      runBytes += length;
      this.#at += length;
    }
    this.#copy(slab, runStart, runBytes);
    return !full;
  }

  #copy(slab: number, start: number, count: number): void {
    if (count === 0) return;
    if (this.#length + count > this.#out.length) this.#enlarge(this.#length + count);
    this.#out.set(this.#table.slabs.bytesOf(slab).subarray(start, start + count), this.#length);
    this.#length += count;
  }

  #enlarge(size: number): void {
    const bytes = new Uint8Array(size);
    bytes.set(this.#out.subarray(0, this.#length));
    this.#out = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #patch(view: DataView, at: number): void {
    view.setUint32(at + RANK_AT, 0, true);
    if (this.#options.recoveries !== undefined && isSequenceNumber(view, at)) {
      const header = at + REC_DATA_HEAD_BYTES + SEQUENCE_KEY.length;
      view.setUint32(header + RESERVED_AT, this.#options.recoveries, true);
    }
    if (this.#options.dmaster === undefined) return;
    const data = at + REC_DATA_HEAD_BYTES + view.getUint32(at + KEY_LENGTH_AT, true);
    const flags = view.getUint32(data + FLAGS_AT, true) | RECORD_FLAGS.MIGRATED_WITH_DATA;
    view.setUint32(data + DMASTER_AT, this.#options.dmaster, true);
    view.setUint32(data + FLAGS_AT, flags, true);
  }
}

function isSequenceNumber(view: DataView, at: number): boolean {
  if (view.getUint32(at + KEY_LENGTH_AT, true) !== SEQUENCE_KEY.length) return false;
  const keyAt = at + REC_DATA_HEAD_BYTES;
  return SEQUENCE_KEY.every((byte, i) => view.getUint8(keyAt + i) === byte);
}

function isPushed(view: DataView, at: number): boolean {
  if (view.getUint32(at + RANK_AT, true) === DEAD) return false;
  return view.getUint32(at + DATA_LENGTH_AT, true) > LTDB_HEADER_BYTES;
}
