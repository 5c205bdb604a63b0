/**
 * Record keys with a header each, by the hundred thousand, without an object for any of them: columns
 * of numbers, and the keys' bytes in slabs. The queues of the vacuum are such tables, and live long
 * enough to trouble a garbage collector.
 *
 * Invariants:
 * 1. A key stands in at most one slot; a slot keeps its number until it is removed.
 * 2. Bounded by entries and by bytes of keys: beyond, `put` answers −1 and changes nothing.
 * 3. The space of a removed entry serves the next key that fits, so that entries that come and go do
 *    not add up.
 *
 * Must not: know what the entries are for.
 */
import type { RecordHeader } from "../record/record_header.ts";

const FIRST_CAPACITY = 16;
const SLAB_BYTES = 64 * 1024;
const FIRST_SLAB_BYTES = 1024;
const LEAST_ROOM_BITS = 4;
const NONE = -1;

/** Columns of `#words`. */
const HASH = 0;
const RSN_HI = 1;
const RSN_LO = 2;
const DMASTER = 3;
const FLAGS = 4;
const SLAB = 5;
const KEY_AT = 6;
const KEY_LENGTH = 7;
const COLUMNS = 8;

/** What the users of a table write down about an entry; 0 at first. FREE is the table's own. */
export type Mark = 0 | 1 | 2;
const FREE = 255;

export class KeyTable {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  #capacity = 0;
  #words = new Uint32Array(0);
  #dueMs = new Float64Array(0);
  #marks = new Uint8Array(0);
  /** Next slot of the same bucket; of a free slot, the next free one with the same room. */
  #next = new Int32Array(0);
  #buckets = new Int32Array(0);
  readonly #slabs: Uint8Array[] = [];
  #slabUsed = 0;
  #slabBytes = 0;
  /** First free slot by room: 16 bytes, 32, 64 … */
  readonly #free: number[] = [];
  #size = 0;
  #slots = 0;

  constructor(entriesMax: number, bytesMax: number) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
  }

  get size(): number {
    return this.#size;
  }
  /** Slots 0 … slots−1 may be in use: see `isUsed`. */
  get slots(): number {
    return this.#slots;
  }
  get memoryBytes(): number {
    return this.#slabBytes + this.#capacity * (COLUMNS * 4 + 8 + 1 + 4) + this.#buckets.length * 4;
  }

  find(hash: number, key: Uint8Array): number {
    if (this.#size === 0) return NONE;
    let slot = this.#buckets[hash & (this.#buckets.length - 1)] as number;
    while (slot !== NONE && !this.#holds(slot, hash, key)) slot = this.#next[slot] as number;
    return slot;
  }

  /** The key's slot, with this header and due at once; −1: there is no room for another key. */
  put(hash: number, key: Uint8Array, header: RecordHeader): number {
    let slot = this.find(hash, key);
    if (slot === NONE) {
      slot = this.#takeSlot(key.length);
      if (slot === NONE) return NONE;
      this.#fill(slot, hash, key);
    }
    const at = slot * COLUMNS;
    const words = this.#words;
    words[at + RSN_HI] = header.rsnHi;
    words[at + RSN_LO] = header.rsnLo;
    words[at + DMASTER] = header.dmaster;
    words[at + FLAGS] = header.flags;
    this.#dueMs[slot] = 0;
    return slot;
  }

  remove(slot: number): void {
    const hash = this.hashOf(slot);
    const bucket = hash & (this.#buckets.length - 1);
    let before = NONE;
    let at = this.#buckets[bucket] as number;
    while (at !== slot) {
      before = at;
      at = this.#next[at] as number;
    }
    const after = this.#next[slot] as number;
    if (before === NONE) this.#buckets[bucket] = after;
    else this.#next[before] = after;
    const room = roomBits(this.#words[slot * COLUMNS + KEY_LENGTH] as number);
    this.#next[slot] = this.#free[room] ?? NONE;
    this.#free[room] = slot;
    this.#marks[slot] = FREE;
    this.#size -= 1;
  }

  isUsed(slot: number): boolean {
    return this.#marks[slot] !== FREE;
  }

  // --- an entry

  hashOf(slot: number): number {
    return this.#words[slot * COLUMNS + HASH] as number;
  }
  /** A view, valid as long as the entry. */
  keyOf(slot: number): Uint8Array {
    const at = slot * COLUMNS;
    const slab = this.#slabs[this.#words[at + SLAB] as number] as Uint8Array;
    const from = this.#words[at + KEY_AT] as number;
    return slab.subarray(from, from + (this.#words[at + KEY_LENGTH] as number));
  }
  readHeader(slot: number, header: RecordHeader): void {
    const at = slot * COLUMNS;
    const words = this.#words;
    header.set(
      words[at + RSN_HI] as number,
      words[at + RSN_LO] as number,
      words[at + DMASTER] as number,
      words[at + FLAGS] as number,
    );
  }
  hasRsn(slot: number, header: RecordHeader): boolean {
    const at = slot * COLUMNS;
    return this.#words[at + RSN_LO] === header.rsnLo && this.#words[at + RSN_HI] === header.rsnHi;
  }
  flagsOf(slot: number): number {
    return this.#words[slot * COLUMNS + FLAGS] as number;
  }
  markOf(slot: number): Mark {
    return this.#marks[slot] as Mark;
  }
  setMark(slot: number, mark: Mark): void {
    this.#marks[slot] = mark;
  }
  /** Not to be looked at before then. */
  dueMsOf(slot: number): number {
    return this.#dueMs[slot] as number;
  }
  setDueMs(slot: number, dueMs: number): void {
    this.#dueMs[slot] = dueMs;
  }

  // --- inside

  #holds(slot: number, hash: number, key: Uint8Array): boolean {
    const at = slot * COLUMNS;
    const words = this.#words;
    if (words[at + HASH] !== hash || words[at + KEY_LENGTH] !== key.length) return false;
    const slab = this.#slabs[words[at + SLAB] as number] as Uint8Array;
    const from = words[at + KEY_AT] as number;
    for (let i = 0; i < key.length; i++) if (slab[from + i] !== key[i]) return false;
    return true;
  }

  /** A slot with room for the key, in no bucket yet. */
  #takeSlot(keyLength: number): number {
    const room = roomBits(keyLength);
    const reused = this.#free[room] ?? NONE;
    if (reused !== NONE) {
      this.#free[room] = this.#next[reused] as number;
      return reused;
    }
    if (this.#slots >= this.#entriesMax || this.#slabBytes + 2 ** room > this.#bytesMax) {
      return NONE;
    }
    if (this.#slots === this.#capacity) this.#grow();
    const slot = this.#slots;
    this.#slots += 1;
    this.#reserveKey(slot, 2 ** room);
    return slot;
  }

  #reserveKey(slot: number, bytes: number): void {
    let slab = this.#slabs.at(-1);
    if (slab === undefined || this.#slabUsed + bytes > slab.length) {
      const next = slab === undefined ? FIRST_SLAB_BYTES : Math.min(2 * slab.length, SLAB_BYTES);
      slab = new Uint8Array(Math.max(next, bytes));
      this.#slabs.push(slab);
      this.#slabBytes += slab.length;
      this.#slabUsed = 0;
    }
    this.#words[slot * COLUMNS + SLAB] = this.#slabs.length - 1;
    this.#words[slot * COLUMNS + KEY_AT] = this.#slabUsed;
    this.#slabUsed += bytes;
  }

  #fill(slot: number, hash: number, key: Uint8Array): void {
    const at = slot * COLUMNS;
    const words = this.#words;
    words[at + HASH] = hash;
    words[at + KEY_LENGTH] = key.length;
    (this.#slabs[words[at + SLAB] as number] as Uint8Array).set(key, words[at + KEY_AT] as number);
    this.#marks[slot] = 0;
    this.#link(slot, hash);
    this.#size += 1;
  }

  #link(slot: number, hash: number): void {
    const bucket = hash & (this.#buckets.length - 1);
    this.#next[slot] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = slot;
  }

  /** Twice as many slots and buckets; all slots are in use or free ones of a room. */
  #grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, 2 * this.#capacity);
    const copy = <T extends { set(from: T): void }>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#words = copy(new Uint32Array(capacity * COLUMNS), this.#words);
    this.#dueMs = copy(new Float64Array(capacity), this.#dueMs);
    this.#marks = copy(new Uint8Array(capacity), this.#marks);
    this.#next = copy(new Int32Array(capacity), this.#next);
    this.#buckets = new Int32Array(capacity).fill(NONE);
    this.#capacity = capacity;
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.isUsed(slot)) this.#link(slot, this.hashOf(slot));
    }
  }
}

/** Keys get room for a power of two of bytes, at least 16. */
function roomBits(keyLength: number): number {
  return keyLength <= 1 << LEAST_ROOM_BITS ? LEAST_ROOM_BITS : 32 - Math.clz32(keyLength - 1);
}
