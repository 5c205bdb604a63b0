/**
 * Checks a whole TDB, in slices: every byte of the data region belongs to a record, every record is in
 * exactly one list, the one it belongs to (docs/tdb.md, "Check"). Accepts what libtdb's check accepts.
 *
 * The caller holds all records at least for reading, for the whole time.
 *
 * Memory: one bit for each four bytes of the map.
 */
import { type TdbFailure, tdbFailure } from "../errors.ts";
import {
  chainHead,
  DEAD_MAGIC,
  FREE_MAGIC,
  FREELIST_HEAD,
  HEADER,
  LIVE_MAGIC,
  PAD_BYTE,
  PAD_WORD,
  RECORD,
  RECORD_BYTES,
  RECOVERY_INVALID_MAGIC,
  RECOVERY_MAGIC,
} from "../format/format.ts";
import type { ChainHash } from "../format/hash.ts";
import type { Slice, SlicedBody } from "../sliced.ts";
import type { JudgeRecord } from "../types.ts";
import type { Space } from "./space.ts";

/** Records or chains between two looks at the clock. */
const ITEMS_PER_LOOK = 256;

export function* checkTdb(
  slice: Slice,
  space: Space,
  hash: ChainHash,
  judge?: JudgeRecord,
): SlicedBody<void> {
  space.pages.refresh();
  const check = new Check(space, hash, judge);
  const problem = check.header();
  if (problem !== undefined) return problem;
  for (const part of [check.records(), check.lists()]) {
    for (let items = 1; ; items++) {
      const next = part.next();
      if (next.done === true) {
        if (next.value !== undefined) return next.value;
        break;
      }
      if (items % ITEMS_PER_LOOK === 0 && slice.spent()) yield "more";
    }
  }
  return { ok: true, value: undefined };
}

type Items = Generator<void, TdbFailure | undefined>;

class Check {
  readonly #space: Space;
  readonly #hash: ChainHash;
  readonly #judge: JudgeRecord | undefined;
  readonly #size: number;
  /** A set bit: a record starts there that no list has led to yet. */
  readonly #starts: Uint8Array;
  #unlisted = 0;
  #areaFound = false;

  constructor(space: Space, hash: ChainHash, judge: JudgeRecord | undefined) {
    this.#space = space;
    this.#hash = hash;
    this.#judge = judge;
    this.#size = space.pages.size;
    this.#starts = new Uint8Array(Math.ceil(this.#size / 32));
  }

  header(): TdbFailure | undefined {
    const { pages, dataStart } = this.#space;
    const recovery = pages.word(HEADER.recoveryStart);
    if (recovery !== 0 && recovery < dataStart) {
      return this.#damaged(`the recovery area starts at ${recovery}, inside the chain heads`);
    }
    return undefined;
  }

  *records(): Items {
    const { pages, dataStart } = this.#space;
    let offset = dataStart;
    while (offset < this.#size) {
      if (offset % 4 !== 0 || offset + RECORD_BYTES > this.#size) {
        return this.#damaged(`${this.#size - offset} bytes at the end are no record`);
      }
      const magic = pages.word(offset + RECORD.magic);
      const bytes = this.#recordOrGap(offset, magic);
      if (typeof bytes !== "number") return bytes;
      offset += bytes;
      yield;
    }
    if (pages.word(HEADER.recoveryStart) !== 0 && !this.#areaFound) {
      return this.#damaged(`no recovery area at ${pages.word(HEADER.recoveryStart)}`);
    }
    return undefined;
  }

  /** How many bytes to go on. */
  #recordOrGap(offset: number, magic: number): number | TdbFailure {
    const { pages } = this.#space;
    switch (magic) {
      case LIVE_MAGIC:
        return this.#liveRecord(offset);
      case DEAD_MAGIC:
        return this.#usedRecord(offset);
      case FREE_MAGIC:
        return this.#listedRecord(offset);
      case RECOVERY_MAGIC:
      case RECOVERY_INVALID_MAGIC:
      case PAD_WORD:
        if (pages.word(HEADER.recoveryStart) === offset) {
          this.#areaFound = true;
          return this.#space.recordBytes(offset);
        }
        if (magic === RECOVERY_MAGIC) break;
        return this.#leftBehind(offset);
    }
    return this.#damaged(`record at ${offset} has magic 0x${magic.toString(16)}`);
  }

  /**
   * What a killed process left behind the last record: an unfinished growth or an unused journal. Like
   * libtdb's check, accepts all the rest of the file as that; no list may lead into it.
   */
  #leftBehind(offset: number): number | TdbFailure {
    const firstByte = this.#space.pages.word(offset) & 0xff;
    if (firstByte === 0 || firstByte === PAD_BYTE) return this.#size - offset;
    return this.#damaged(`record at ${offset} has magic 0x0`);
  }

  #liveRecord(offset: number): number | TdbFailure {
    const bytes = this.#usedRecord(offset);
    if (typeof bytes !== "number" || this.#judge === undefined) return bytes;
    const refused = this.#judge(this.#space.pages.word(offset + RECORD.dataLength));
    return refused === undefined ? bytes : this.#damaged(`record at ${offset}: ${refused}`);
  }

  #usedRecord(offset: number): number | TdbFailure {
    const { pages } = this.#space;
    const bytes = this.#listedRecord(offset);
    if (typeof bytes !== "number") return bytes;
    if (!this.#space.contentFits(offset)) {
      return this.#damaged(`record at ${offset} is too short for its content`);
    }
    const key = pages.view(offset + RECORD_BYTES, pages.word(offset + RECORD.keyLength));
    if (this.#hash(key) !== pages.word(offset + RECORD.hash)) {
      return this.#damaged(`record at ${offset} has a wrong hash`);
    }
    return bytes;
  }

  #listedRecord(offset: number): number | TdbFailure {
    const { pages } = this.#space;
    if (!this.#space.recordFits(offset)) {
      return this.#damaged(`record at ${offset} is longer than the file`);
    }
    const bytes = this.#space.recordBytes(offset);
    if (pages.word(offset + bytes - 4) !== bytes) {
      return this.#damaged(`record at ${offset} has a wrong tailer`);
    }
    this.#starts[offset >>> 5] = (this.#starts[offset >>> 5] as number) | bit(offset);
    this.#unlisted += 1;
    return bytes;
  }

  *lists(): Items {
    const { pages, hashSize } = this.#space;
    const free = this.#follow("the freelist", FREELIST_HEAD, (at) => {
      return pages.word(at + RECORD.magic) === FREE_MAGIC;
    });
    if (free !== undefined) return free;
    for (let chain = 0; chain < hashSize; chain++) {
      const followed = this.#follow(`chain ${chain}`, chainHead(chain), (at) => {
        const magic = pages.word(at + RECORD.magic);
        return magic !== FREE_MAGIC && pages.word(at + RECORD.hash) % hashSize === chain;
      });
      if (followed !== undefined) return followed;
      yield;
    }
    if (this.#unlisted > 0) return this.#damaged(`${this.#unlisted} records are in no list`);
    return undefined;
  }

  #follow(name: string, head: number, belongs: (at: number) => boolean): TdbFailure | undefined {
    const { pages } = this.#space;
    let offset = pages.word(head);
    while (offset !== 0) {
      const known = offset % 4 === 0 && offset < this.#size;
      if (!known || ((this.#starts[offset >>> 5] as number) & bit(offset)) === 0) {
        return this.#damaged(`${name} leads to ${offset}, which is no record or was met before`);
      }
      if (!belongs(offset))
        return this.#damaged(`${name} holds a record of another list: ${offset}`);
      this.#starts[offset >>> 5] = (this.#starts[offset >>> 5] as number) & ~bit(offset);
      this.#unlisted -= 1;
      offset = pages.word(offset);
    }
    return undefined;
  }

  #damaged(what: string): TdbFailure {
    return tdbFailure("corrupt", `"${this.#space.path}": ${what}`);
  }
}

function bit(offset: number): number {
  return 1 << ((offset >>> 2) & 7);
}
