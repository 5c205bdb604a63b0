/**
 * Free space: allocation, release, growth (docs/tdb.md, "Free space"). The caller holds the freelist
 * lock, or all records.
 *
 * Invariants:
 * 1. Space is taken from the end of a free block, so that a block and what is freed beside it merge.
 * 2. A released record merges with a free left neighbour; right neighbours merge on later walks.
 * 3. A damaged list is reported and not followed; what was done before stays consistent.
 *
 * Must not: know keys or chains.
 */
import { type TdbFailure, tdbFailure } from "../errors.ts";
import {
  alignUp,
  FREE_MAGIC,
  FREELIST_HEAD,
  grownSize,
  LIVE_MAGIC,
  MAP_BYTES_MAX,
  PAD_WORD,
  RECORD,
  RECORD_BYTES,
  SPLIT_REST_BYTES,
  TAILER_BYTES,
} from "../format/format.ts";
import { CycleGuard, type Extent, type Space } from "./space.ts";

/** More is allocated than asked for: records tend to grow. */
const SLACK_FACTOR = 1.25;
/** How fast the search becomes content with a larger block. */
const PATIENCE_FACTOR = 1.05;
const NOTHING_FAILED = tdbFailure("corrupt", "nothing has failed");

interface Candidate {
  offset: number;
  /** Where the offset is stored: the list's head or the block before. */
  link: number;
  length: number;
}

export class FreeSpace {
  readonly #space: Space;
  readonly #guard = new CycleGuard();
  readonly #best: Candidate = { offset: 0, link: 0, length: 0 };
  #mergeMadeCandidate = false;
  /** Why the last call failed. */
  failure: TdbFailure = NOTHING_FAILED;

  constructor(space: Space) {
    this.#space = space;
  }

  /**
   * A record with room for `contentBytes` and the tailer; its header has only length and magic set,
   * and it is in no list. 0: failed, see `failure`.
   */
  allocate(contentBytes: number): number {
    const length = alignUp(Math.floor(contentBytes * SLACK_FACTOR) + TAILER_BYTES, 4);
    if (length + RECORD_BYTES > MAP_BYTES_MAX) {
      this.failure = tdbFailure("no_space", `a record of ${contentBytes} bytes cannot be stored`);
      return 0;
    }
    const fills = this.#space.growth !== undefined;
    if (fills && this.#firstFits(length)) return this.#take(this.#best, length);
    for (;;) {
      if (!this.#search(length)) return 0;
      if (this.#best.offset !== 0) {
        if (fills) this.#moveToFront(this.#best);
        return this.#take(this.#best, length);
      }
      if (this.#mergeMadeCandidate) continue;
      if (!this.#grow(length + RECORD_BYTES)) return 0;
      // Taken without a walk: beside a free record that fell out of the list (somebody was killed) the
      // new space would merge with that one and be lost, again and again.
      return this.#take(this.#best, length);
    }
  }

  /** While an emptied file is filled its few large blocks are used up one after the other. */
  #firstFits(length: number): boolean {
    const { pages } = this.#space;
    const best = this.#best;
    best.offset = pages.word(FREELIST_HEAD);
    best.link = FREELIST_HEAD;
    this.#guard.restart();
    if (best.offset === 0 || !this.#isSound(best.offset)) return false;
    best.length = pages.word(best.offset + RECORD.length);
    return best.length >= length;
  }

  #moveToFront(block: Candidate): void {
    const { pages } = this.#space;
    pages.setWord(block.link, pages.word(block.offset));
    this.adopt(block.offset);
    block.link = FREELIST_HEAD;
  }

  /** Best fit, with growing tolerance; merges blocks with free left neighbours on the way. */
  #search(length: number): boolean {
    const { pages } = this.#space;
    const best = this.#best;
    best.offset = 0;
    best.length = 0;
    this.#mergeMadeCandidate = false;
    this.#guard.restart();
    let tolerance = 1;
    let link = FREELIST_HEAD;
    let offset = pages.word(link);
    while (offset !== 0) {
      if (!this.#isSound(offset)) return false;
      const next = pages.word(offset);
      const left = this.#mergeWithLeft(offset);
      if (left !== 0) {
        pages.setWord(link, next);
        const merged = pages.word(left + RECORD.length);
        if (best.offset === left) best.length = merged;
        if (merged > length) this.#mergeMadeCandidate = true;
        // The list has changed: what the guard remembers may be gone.
        this.#guard.restart();
        offset = next;
        continue;
      }
      const free = pages.word(offset + RECORD.length);
      if (free >= length && (best.offset === 0 || free < best.length)) {
        best.offset = offset;
        best.link = link;
        best.length = free;
      }
      link = offset;
      offset = next;
      if (best.offset !== 0 && best.length < length * tolerance) break;
      tolerance *= PATIENCE_FACTOR;
    }
    return true;
  }

  /** Is this a free block, and not one that was met before on this walk? */
  #isSound(offset: number): boolean {
    const { pages, path } = this.#space;
    if (!this.#space.headerFits(offset) || !this.#space.recordFits(offset)) {
      this.failure = tdbFailure("corrupt", `"${path}": the freelist leads to offset ${offset}`);
      return false;
    }
    if (!this.#guard.advance(offset)) {
      this.failure = tdbFailure("corrupt", `"${path}": the freelist is circular at ${offset}`);
      return false;
    }
    const magic = pages.word(offset + RECORD.magic);
    if (magic === FREE_MAGIC) return true;
    if (magic === LIVE_MAGIC) {
      // Left behind by a process that was killed while it released the record.
      pages.setWord(offset + RECORD.magic, FREE_MAGIC);
      return true;
    }
    this.failure = tdbFailure(
      "corrupt",
      `"${path}": free block at ${offset} has magic 0x${magic.toString(16)}`,
    );
    return false;
  }

  /** The free record that ends where this one starts, or 0. */
  #freeLeftOf(offset: number): number {
    const { pages, dataStart } = this.#space;
    const tailer = offset - TAILER_BYTES;
    if (tailer <= dataStart) return 0;
    const total = pages.word(tailer);
    if (total === 0 || total === PAD_WORD || total > offset - dataStart) return 0;
    const left = offset - total;
    if (total < RECORD_BYTES + TAILER_BYTES || !this.#space.headerFits(left)) return 0;
    if (pages.word(left + RECORD.magic) !== FREE_MAGIC) return 0;
    return this.#space.recordBytes(left) === total ? left : 0;
  }

  #mergeWithLeft(offset: number): number {
    const left = this.#freeLeftOf(offset);
    if (left === 0) return 0;
    const { pages } = this.#space;
    const merged = pages.word(left + RECORD.length) + this.#space.recordBytes(offset);
    pages.setWord(left + RECORD.length, merged);
    this.#space.writeTailer(left);
    return left;
  }

  #take(block: Candidate, length: number): number {
    const { pages } = this.#space;
    const free = pages.word(block.offset + RECORD.length);
    if (free < length + SPLIT_REST_BYTES) {
      pages.setWord(block.link, pages.word(block.offset));
      pages.setWord(block.offset + RECORD.magic, LIVE_MAGIC);
      return block.offset;
    }
    const rest = free - length - RECORD_BYTES;
    const offset = block.offset + RECORD_BYTES + rest;
    pages.setWord(offset, 0);
    pages.setWord(offset + RECORD.length, length);
    pages.setWord(offset + RECORD.magic, LIVE_MAGIC);
    this.#space.writeTailer(offset);
    pages.setWord(block.offset + RECORD.length, rest);
    this.#space.writeTailer(block.offset);
    return offset;
  }

  /** The new space is the list's first, and the best candidate. */
  #grow(bytes: number): boolean {
    const grown = this.#space.growth?.grow(bytes) ?? this.#growPages(bytes, Infinity);
    if (typeof grown !== "number") {
      this.failure = grown;
      return false;
    }
    this.adopt(grown);
    this.#best.offset = grown;
    this.#best.link = FREELIST_HEAD;
    this.#best.length = this.#space.pages.word(grown + RECORD.length);
    return true;
  }

  /**
   * Makes the map longer by a free record, of `usual` bytes unless one of `bytes` needs more, and puts it
   * into the list: its offset.
   */
  addSpace(bytes: number, usual: number): number | TdbFailure {
    const grown = this.#growPages(bytes, usual);
    if (typeof grown === "number") this.adopt(grown);
    return grown;
  }

  #growPages(bytes: number, most: number): number | TdbFailure {
    const { pages, pageSize } = this.#space;
    pages.refresh();
    const offset = this.#space.endOfRecords();
    const enough = alignUp(pages.size + Math.max(bytes, most), pageSize);
    const newSize = Math.min(enough, grownSize(pages.size, bytes, pageSize));
    if (newSize < pages.size + bytes) {
      return tdbFailure("no_space", `"${this.#space.path}" cannot grow past 4 GiB`);
    }
    const failed = pages.grow(newSize);
    if (failed !== undefined) return { ok: false, error: failed };
    this.describeRegion(offset, newSize - offset);
    this.#space.writeTailer(offset);
    return offset;
  }

  /**
   * Free records that no other free record touches from the left: the one that ends at `end`, and the
   * first `most` of at least so many bytes. Undefined: that one is not among the first `steps` of the list,
   * or the list is damaged.
   */
  separateBlocks(
    end: number,
    { bytesMin, most, steps }: { bytesMin: number; most: number; steps: number },
  ): Extent[] | undefined {
    const { pages } = this.#space;
    if (this.#merge(steps) < 0) return undefined;
    const last = this.#freeLeftOf(end);
    let lastFound = last === 0;
    const found: Extent[] = [];
    this.#guard.restart();
    let offset = pages.word(FREELIST_HEAD);
    for (let step = 0; offset !== 0 && step < steps; step++) {
      if (!this.#isSound(offset)) return undefined;
      const bytes = this.#space.recordBytes(offset);
      const wanted = offset === last || (bytes >= bytesMin && found.length < most);
      if (wanted && this.#freeLeftOf(offset) === 0) {
        found.push({ offset, bytes });
        if (offset === last) lastFound = true;
      }
      offset = pages.word(offset);
    }
    return lastFound ? found : undefined;
  }

  /** Is one of the first `steps` blocks large enough for so many bytes? */
  hasBlock(bytes: number, steps: number): boolean {
    const { pages } = this.#space;
    this.#guard.restart();
    let offset = pages.word(FREELIST_HEAD);
    for (let step = 0; offset !== 0 && step < steps; step++) {
      if (!this.#isSound(offset)) return false;
      if (this.#space.recordBytes(offset) >= bytes) return true;
      offset = pages.word(offset);
    }
    return false;
  }

  /** Makes a free record of a region that holds nothing; a region too small for one stays unused. */
  releaseRegion(offset: number, length: number): void {
    if (length < RECORD_BYTES + TAILER_BYTES) return;
    this.describeRegion(offset, length);
    this.release(offset);
  }

  /** The header of a record of free space, but for its magic and its place in the list. */
  describeRegion(offset: number, length: number): void {
    const { pages } = this.#space;
    pages.setWord(offset + RECORD.length, length - RECORD_BYTES);
    pages.setWord(offset + RECORD.keyLength, 0);
    pages.setWord(offset + RECORD.dataLength, 0);
    pages.setWord(offset + RECORD.hash, 0);
  }

  /** Gives back a record that is in no list any more. */
  release(offset: number): void {
    this.#space.writeTailer(offset);
    if (this.#mergeWithLeft(offset) === 0) this.adopt(offset);
  }

  /** Puts a record of free space into the list as it is. */
  adopt(offset: number): void {
    const { pages } = this.#space;
    pages.setWord(offset, pages.word(FREELIST_HEAD));
    pages.setWord(offset + RECORD.magic, FREE_MAGIC);
    pages.setWord(FREELIST_HEAD, offset);
  }

  /** Length of the list after adjacent blocks were merged; −1: failed. */
  mergeAndCount(): number {
    return this.#merge(Infinity);
  }

  /** How many of the first `steps` blocks are left when those among them that touch have been merged. */
  #merge(steps: number): number {
    const { pages } = this.#space;
    this.#guard.restart();
    let count = 0;
    let link = FREELIST_HEAD;
    let offset = pages.word(link);
    for (let step = 0; offset !== 0 && step < steps; step++) {
      if (!this.#isSound(offset)) return -1;
      const next = pages.word(offset);
      if (this.#mergeWithLeft(offset) === 0) {
        count += 1;
        link = offset;
      } else {
        pages.setWord(link, next);
        this.#guard.restart();
      }
      offset = next;
    }
    return count;
  }
}
