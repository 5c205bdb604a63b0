/**
 * What a transaction has changed, as whole blocks over the file: reads see a changed block or else the
 * file, writes copy a block first. The file itself is not touched.
 *
 * Blocks lie in chunks of external memory, so that a hundred thousand records in a transaction are some
 * hundred objects for the collector.
 *
 * Invariants:
 * 1. While the overlay lives nobody changes the file below `oldSize` (the allrecord lock).
 * 2. A block is either wholly in its chunk (CHANGED) or not at all.
 *
 * Must not: write to the file, except where it was told that nothing is there (`writeThrough`).
 */
import { assert } from "../../base/assert.ts";
import { tdbFailure } from "../errors.ts";
import { MAP_BYTES_MAX } from "../format/format.ts";
import { type DirectPages, equalWords, type Pages, type PlainPages } from "../records/pages.ts";
import type { TdbError } from "../types.ts";

/** Small, because most transactions change a few blocks only. */
const CHUNK_BITS = 16;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_BYTES - 1;

/** States of a block. */
const UNCHANGED = 0;
const CHANGED = 1;
/** Free space of the file: writes go straight there. */
const THROUGH = 2;
/** Of a range: not all of its blocks are in the same state. */
const MIXED = 3;

interface Chunk {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

/** Changed blocks that lie side by side within one chunk. */
export interface ChangedRun {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export class OverlayPages implements Pages {
  readonly #base: DirectPages;
  readonly #blockBytes: number;
  readonly #blockBits: number;
  /** The state of each block. */
  #states: Uint8Array;
  readonly #chunks: (Chunk | undefined)[] = [];
  oldSize: number;
  size: number;
  changedBlocks = 0;

  constructor(base: DirectPages, blockBytes: number) {
    base.refresh();
    this.#base = base;
    this.#blockBytes = blockBytes;
    this.#blockBits = 31 - Math.clz32(blockBytes);
    this.oldSize = base.size;
    this.size = base.size;
    this.#states = new Uint8Array(this.#blockCount());
  }

  #blockCount(): number {
    return Math.ceil(this.size / this.#blockBytes);
  }

  contains(offset: number, length: number): boolean {
    return offset + length <= this.size;
  }

  refresh(): void {}

  /** Before the first change it is the file. */
  get plain(): PlainPages | undefined {
    const untouched = this.changedBlocks === 0 && this.size === this.#base.size;
    return untouched ? this.#base.plain : undefined;
  }

  word(offset: number): number {
    if (this.#states[offset >>> this.#blockBits] === CHANGED) {
      const chunk = this.#chunks[offset >>> CHUNK_BITS] as Chunk;
      return chunk.words[(offset & CHUNK_MASK) >>> 2] as number;
    }
    return offset < this.oldSize ? this.#base.word(offset) : 0;
  }

  setWord(offset: number, value: number): void {
    const block = offset >>> this.#blockBits;
    const state = this.#states[block];
    if (state === THROUGH) {
      this.#base.setWord(offset, value);
      return;
    }
    if (state === UNCHANGED) this.#copyBlock(block);
    const chunk = this.#chunks[offset >>> CHUNK_BITS] as Chunk;
    chunk.words[(offset & CHUNK_MASK) >>> 2] = value;
  }

  view(offset: number, length: number): Uint8Array {
    const within = offset & CHUNK_MASK;
    const state = this.#stateOf(offset, length);
    if (state === CHANGED && within + length <= CHUNK_BYTES) {
      const chunk = this.#chunks[offset >>> CHUNK_BITS] as Chunk;
      return new Uint8Array(chunk.bytes.buffer, within, length);
    }
    if (state === THROUGH) return this.#base.view(offset, length);
    if (state === UNCHANGED && offset + length <= this.oldSize) {
      return this.#base.view(offset, length);
    }
    return this.copy(offset, length);
  }

  copy(offset: number, length: number): Uint8Array {
    const result = new Uint8Array(length);
    let at = 0;
    while (at < length) {
      const from = offset + at;
      const block = from >>> this.#blockBits;
      const inBlock = this.#blockBytes - (from % this.#blockBytes);
      const count = Math.min(length - at, inBlock);
      if (this.#states[block] === CHANGED) {
        const chunk = this.#chunks[from >>> CHUNK_BITS] as Chunk;
        const start = from & CHUNK_MASK;
        result.set(chunk.bytes.subarray(start, start + count), at);
      } else if (from < this.oldSize) {
        result.set(this.#base.view(from, Math.min(count, this.oldSize - from)), at);
      }
      at += count;
    }
    return result;
  }

  write(offset: number, bytes: Uint8Array): void {
    const length = bytes.length;
    if (length === 0) return;
    const state = this.#stateOf(offset, length);
    if (state === THROUGH) {
      this.#base.write(offset, bytes);
      return;
    }
    if (state === MIXED) {
      this.#writeBlocks(offset, bytes);
      return;
    }
    if (state === UNCHANGED) this.#prepare(offset, length);
    const within = offset & CHUNK_MASK;
    if (within + length <= CHUNK_BYTES) {
      (this.#chunks[offset >>> CHUNK_BITS] as Chunk).bytes.set(bytes, within);
      return;
    }
    for (let at = 0; at < length; ) {
      const start = (offset + at) & CHUNK_MASK;
      const count = Math.min(length - at, CHUNK_BYTES - start);
      const chunk = this.#chunks[(offset + at) >>> CHUNK_BITS] as Chunk;
      chunk.bytes.set(bytes.subarray(at, at + count), start);
      at += count;
    }
  }

  /** Block by block, as their states differ. */
  #writeBlocks(offset: number, bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const inBlock = this.#blockBytes - ((offset + at) % this.#blockBytes);
      const count = Math.min(bytes.length - at, inBlock);
      this.write(offset + at, bytes.subarray(at, at + count));
      at += count;
    }
  }

  /** Not where writes go through: there is nothing to be zeroed. */
  zero(offset: number, length: number): void {
    this.#prepare(offset, length);
    for (let at = 0; at < length; ) {
      const start = (offset + at) & CHUNK_MASK;
      const count = Math.min(length - at, CHUNK_BYTES - start);
      (this.#chunks[(offset + at) >>> CHUNK_BITS] as Chunk).bytes.fill(0, start, start + count);
      at += count;
    }
  }

  equal(offset: number, bytes: Uint8Array): boolean {
    return equalWords(this, offset, bytes);
  }

  grow(newSize: number): TdbError | undefined {
    if (newSize > MAP_BYTES_MAX) {
      return tdbFailure("no_space", `Cannot grow to ${newSize} bytes: a TDB ends at 4 GiB`).error;
    }
    this.#resize(newSize);
    return undefined;
  }

  #resize(newSize: number): void {
    this.size = newSize;
    if (this.#blockCount() <= this.#states.length) return;
    const states = new Uint8Array(Math.ceil(this.#blockCount() * 1.5));
    states.set(this.#states);
    this.#states = states;
  }

  /** The file itself has become longer. */
  followBase(): void {
    assert(this.size === this.oldSize, "the transaction has not grown by itself");
    this.oldSize = this.#base.size;
    this.#resize(this.#base.size);
  }

  /** Writes to the blocks that lie wholly between these offsets go straight into the file from now on. */
  writeThrough(from: number, end: number): void {
    const last = Math.floor(end / this.#blockBytes);
    for (let block = Math.ceil(from / this.#blockBytes); block < last; block++) {
      if (this.#states[block] === UNCHANGED) this.#states[block] = THROUGH;
    }
  }

  /**
   * The next run of changed blocks at or after `from` and below `end`, at most up to a chunk's end;
   * undefined when there is none. The last run is cut at the end of the map.
   */
  nextChange(from: number, end: number): ChangedRun | undefined {
    const blocks = Math.min(Math.ceil(end / this.#blockBytes), this.#blockCount());
    let block = this.#states.indexOf(CHANGED, from >>> this.#blockBits);
    if (block === -1 || block >= blocks) return undefined;
    const offset = block * this.#blockBytes;
    const chunkEnd = (offset - (offset & CHUNK_MASK) + CHUNK_BYTES) / this.#blockBytes;
    const last = Math.min(blocks, chunkEnd);
    while (block < last && this.#states[block] === CHANGED) block += 1;
    const length = Math.min(block * this.#blockBytes, end, this.size) - offset;
    const chunk = this.#chunks[offset >>> CHUNK_BITS] as Chunk;
    return { offset, bytes: new Uint8Array(chunk.bytes.buffer, offset & CHUNK_MASK, length) };
  }

  #stateOf(offset: number, length: number): number {
    const first = offset >>> this.#blockBits;
    const last = (offset + Math.max(length, 1) - 1) >>> this.#blockBits;
    const state = this.#states[first] as number;
    for (let block = first + 1; block <= last; block++) {
      if (this.#states[block] !== state) return MIXED;
    }
    return state;
  }

  /** Makes the blocks of a range CHANGED; those that are overwritten wholly are not copied. */
  #prepare(offset: number, length: number): void {
    const end = offset + length;
    const last = (end - 1) >>> this.#blockBits;
    for (let block = offset >>> this.#blockBits; block <= last; block++) {
      if (this.#states[block] !== UNCHANGED) continue;
      const start = block * this.#blockBytes;
      if (start >= offset && start + this.#blockBytes <= end) this.#addBlock(block);
      else this.#copyBlock(block);
    }
  }

  #addBlock(block: number): Chunk {
    const index = Math.floor((block * this.#blockBytes) / CHUNK_BYTES);
    let chunk = this.#chunks[index];
    if (chunk === undefined) {
      const buffer = new ArrayBuffer(CHUNK_BYTES);
      chunk = { words: new Uint32Array(buffer), bytes: new Uint8Array(buffer) };
      this.#chunks[index] = chunk;
    }
    this.#states[block] = CHANGED;
    this.changedBlocks += 1;
    return chunk;
  }

  #copyBlock(block: number): void {
    const chunk = this.#addBlock(block);
    const start = block * this.#blockBytes;
    if (start >= this.oldSize) return;
    const count = Math.min(this.#blockBytes, this.oldSize - start);
    chunk.bytes.set(this.#base.view(start, count), start & CHUNK_MASK);
  }
}
