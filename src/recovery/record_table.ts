/**
 * The records of one database as a recovery collects them from several nodes: at most one copy of
 * each key, the one that wins by the rules of merging (docs/recovery.md, "Merging").
 *
 * Invariants:
 * 1. No JavaScript object for each record. Records lie in large slabs in the form of the wire
 *    (length, reqid, key length, data length, key, data), so that a run of them is moved as one
 *    copy; the index is open addressing over plain words.
 * 2. The result does not depend on the order in which copies arrive, only on the order of their
 *    sources (`rank`): pulls from several nodes may be interleaved.
 * 3. A buffer that does not parse changes nothing.
 *
 * The word "reqid" of a stored record holds the rank of its source, or DEAD once a better copy
 * came.
 */
import { err, ok, type Result } from "../base/result.ts";
import { u64Order } from "../base/u64.ts";
import { REC_BUFFER_HEAD_BYTES } from "../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES, REC_DATA_HEAD_BYTES } from "../wire/structs/records.ts";
import { RecordIndex } from "./record_index.ts";
import type { SlabMemory } from "./slab_memory.ts";
import { Slabs } from "./slabs.ts";

/** Place of the reqid in a record, reused while the record is in the table. */
export const RANK_AT = 4;
export const DEAD = 0xffffffff;
const KEY_LENGTH_AT = 8;
const DATA_LENGTH_AT = 12;
/** Inside the ltdb header, which begins the data. */
const RSN_HIGH_AT = 4;
const DMASTER_AT = 8;

export interface RecordTableOptions {
  readonly db_id: number;
  /** Of equal copies one whose dmaster is this node gives way to others. */
  readonly leaderPnn: number;
  /** Against keys that were made to collide. */
  readonly hashSeed: number;
  readonly memory: SlabMemory;
}

export class RecordTable {
  readonly slabs: Slabs;
  readonly #options: RecordTableOptions;
  readonly #index = new RecordIndex();
  /** Different keys. */
  get size(): number {
    return this.#index.size;
  }

  constructor(options: RecordTableOptions) {
    this.slabs = new Slabs(options.memory);
    this.#options = options;
  }

  /**
   * Takes the records of one buffer from the source `rank` (its place in the list of nodes).
   * The number of records in the buffer, or why it is refused. The bytes are copied.
   */
  addBuffer(bytes: Uint8Array, rank: number): Result<number> {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const problem = bufferProblem(view, this.#options.db_id);
    if (problem !== undefined) return err(problem);
    const count = view.getUint32(4, true);
    const run = new PendingRun(this.slabs, bytes, rank);
    let at = REC_BUFFER_HEAD_BYTES;
    for (let i = 0; i < count; i++) {
      const end = at + view.getUint32(at, true);
      this.#addRecord(view, bytes, at, end, rank, run);
      at = end;
    }
    run.flush();
    this.slabs.touched(bytes.length);
    return ok(count);
  }

  /** Bytes of records, dead ones included. */
  get bytesHeld(): number {
    return this.slabs.bytesUsed;
  }

  #addRecord(
    view: DataView,
    bytes: Uint8Array,
    at: number,
    end: number,
    rank: number,
    run: PendingRun,
  ): void {
    const keyLength = view.getUint32(at + KEY_LENGTH_AT, true);
    const keyAt = at + REC_DATA_HEAD_BYTES;
    const hash = hashKey(bytes, keyAt, keyLength, this.#options.hashSeed);
    const slot = this.#find(bytes, keyAt, keyLength, hash, run);
    if (slot >= 0) {
      const slab = this.slabs.list[this.#index.slabOf(slot)] as DataView;
      const stored = this.#index.offsetOf(slot);
      const storedRank = slab.getUint32(stored + RANK_AT, true);
      const storedData = stored + REC_DATA_HEAD_BYTES + keyLength;
      const data = keyAt + keyLength;
      if (!this.#wins(view, data, rank, slab, storedData, storedRank)) {
        run.flush();
        return;
      }
      if (slab.getUint32(stored, true) === end - at) {
        // The usual case after a recovery: the leader's copy is one step ahead of all others.
        this.slabs.write(this.#index.slabOf(slot), stored, bytes.subarray(at, end));
        slab.setUint32(stored + RANK_AT, rank, true);
        return;
      }
      slab.setUint32(stored + RANK_AT, DEAD, true);
    }
    // The place is known before the bytes are there: they are copied when the run ends.
    const place = run.place(at, end);
    if (slot >= 0) this.#index.move(slot, place.slab, place.offset);
    else this.#index.insert(hash, place.slab, place.offset);
  }

  #find(
    bytes: Uint8Array,
    keyAt: number,
    keyLength: number,
    hash: number,
    run: PendingRun,
  ): number {
    const index = this.#index;
    for (let slot = index.first(hash); slot >= 0; slot = index.next(slot, hash)) {
      const slab = index.slabOf(slot);
      const offset = index.offsetOf(slot);
      // The same key twice in one buffer: its first copy must be in place to be compared.
      if (run.covers(slab, offset)) run.flush();
      if (this.slabs.keyEquals(slab, offset, bytes, keyAt, keyLength)) return slot;
    }
    return -1;
  }

  /** Is the arriving copy the one to keep? */
  #wins(
    view: DataView,
    data: number,
    rank: number,
    storedView: DataView,
    storedData: number,
    storedRank: number,
  ): boolean {
    const high = view.getUint32(data + RSN_HIGH_AT, true);
    const storedHigh = storedView.getUint32(storedData + RSN_HIGH_AT, true);
    const low = view.getUint32(data, true);
    const storedLow = storedView.getUint32(storedData, true);
    const order = u64Order(high, low, storedHigh, storedLow);
    if (order !== 0) return order > 0;
    const ours = view.getUint32(data + DMASTER_AT, true) === this.#options.leaderPnn;
    const storedOurs =
      storedView.getUint32(storedData + DMASTER_AT, true) === this.#options.leaderPnn;
    if (ours !== storedOurs) return storedOurs;
    // Both alike: what taking the nodes one after another would have left.
    return ours ? rank >= storedRank : rank < storedRank;
  }
}

/**
 * Records of one buffer that go to the table and lie side by side: one copy moves them all. Their
 * places in the slab are given out before the copy.
 */
class PendingRun {
  readonly #slabs: Slabs;
  readonly #bytes: Uint8Array;
  readonly #rank: number;
  #start = 0;
  #end = 0;
  #slab = -1;
  #offset = 0;
  readonly #place = { slab: 0, offset: 0 };

  constructor(slabs: Slabs, bytes: Uint8Array, rank: number) {
    this.#slabs = slabs;
    this.#bytes = bytes;
    this.#rank = rank;
  }

  /** The record at `start`..`end` of the buffer joins; where it will lie. Valid until the next call. */
  place(start: number, end: number): { readonly slab: number; readonly offset: number } {
    const joins =
      this.#slab >= 0 && start === this.#end && this.#slabs.extend(this.#slab, end - start);
    if (!joins) {
      this.flush();
      this.#slab = this.#slabs.reserve(end - start);
      this.#offset = this.#slabs.endOf(this.#slab) - (end - start);
      this.#start = start;
    }
    this.#place.slab = this.#slab;
    this.#place.offset = this.#offset + (start - this.#start);
    this.#end = end;
    return this.#place;
  }

  /** Is this place one whose bytes were not copied yet? */
  covers(slab: number, offset: number): boolean {
    return slab === this.#slab && offset >= this.#offset;
  }

  flush(): void {
    if (this.#slab < 0) return;
    this.#slabs.write(this.#slab, this.#offset, this.#bytes.subarray(this.#start, this.#end));
    const view = this.#slabs.list[this.#slab] as DataView;
    const end = this.#offset + this.#end - this.#start;
    for (let at = this.#offset; at < end; at += view.getUint32(at, true)) {
      view.setUint32(at + RANK_AT, this.#rank, true);
    }
    this.#slab = -1;
  }
}

/** Checks every length of the buffer against the bytes that are there, before anything is stored. */
function bufferProblem(view: DataView, db_id: number): string | undefined {
  if (view.byteLength < REC_BUFFER_HEAD_BYTES) {
    return `a record buffer has at least ${REC_BUFFER_HEAD_BYTES} bytes, got ${view.byteLength}`;
  }
  const id = view.getUint32(0, true);
  if (id !== db_id) {
    return `expected records of database 0x${hex(db_id)}, got those of 0x${hex(id)}`;
  }
  const count = view.getUint32(4, true);
  let at = REC_BUFFER_HEAD_BYTES;
  for (let i = 0; i < count; i++) {
    const remaining = view.byteLength - at;
    if (remaining < REC_DATA_HEAD_BYTES) {
      return `record ${i} of ${count}: expected ${REC_DATA_HEAD_BYTES} bytes, ${remaining} remain`;
    }
    const length = view.getUint32(at, true);
    const keyLength = view.getUint32(at + KEY_LENGTH_AT, true);
    const dataLength = view.getUint32(at + DATA_LENGTH_AT, true);
    if (length !== REC_DATA_HEAD_BYTES + keyLength + dataLength || length > remaining) {
      return (
        `record ${i} of ${count}: length ${length}, key ${keyLength}, data ${dataLength}, ` +
        `${remaining} bytes remain`
      );
    }
    if (dataLength < LTDB_HEADER_BYTES) {
      return `record ${i} of ${count}: expected a header of ${LTDB_HEADER_BYTES} bytes, got ${dataLength}`;
    }
    at += length;
  }
  return undefined;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/** Murmur3's mixing, four bytes at a time; seeded, never leaves this process. */
function hashKey(bytes: Uint8Array, at: number, length: number, seed: number): number {
  let hash = seed | 0;
  const words = at + (length & ~3);
  let i = at;
  for (; i < words; i += 4) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24);
    hash = mix(hash, word);
  }
  let tail = 0;
  for (let end = at + length; i < end; i++) tail = (tail << 8) | (bytes[i] as number);
  hash = mix(hash, tail) ^ length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function mix(hash: number, word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  const turned = hash ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  return (Math.imul((turned << 13) | (turned >>> 19), 5) + 0xe6546b64) | 0;
}
