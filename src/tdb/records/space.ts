/**
 * What the format code of one handle shares: the pages in force (the file, or a transaction's
 * overlay) and the fixed sizes. Also the checks of a record header that every reader needs.
 *
 * Invariant: nothing here trusts an offset or a length that came from the file.
 */
import type { TdbFailure } from "../errors.ts";
import { PAD_WORD, RECORD, RECORD_BYTES, TAILER_BYTES } from "../format/format.ts";
import { recoveryArea } from "../journal/journal.ts";
import type { Pages } from "./pages.ts";

export interface Extent {
  readonly offset: number;
  readonly bytes: number;
}

/** Where free space comes from when there is none left. */
export interface Growth {
  /** Offset of a record of at least so many bytes that is in no list; or why there is none. */
  grow(bytes: number): number | TdbFailure;
}

export class Space {
  pages: Pages;
  /** Undefined: the pages grow. */
  growth: Growth | undefined;
  readonly path: string;
  readonly hashSize: number;
  /** Offset of the first record. */
  readonly dataStart: number;
  readonly pageSize: number;

  constructor(
    pages: Pages,
    fixed: { path: string; hashSize: number; dataStart: number; pageSize: number },
  ) {
    this.pages = pages;
    this.path = fixed.path;
    this.hashSize = fixed.hashSize;
    this.dataStart = fixed.dataStart;
    this.pageSize = fixed.pageSize;
  }

  /** Could a record's header start here? */
  headerFits(offset: number): boolean {
    return (
      offset >= this.dataStart && offset % 4 === 0 && this.pages.contains(offset, RECORD_BYTES)
    );
  }

  /** Does the whole record that starts here (its header fits) lie inside the map? */
  recordFits(offset: number): boolean {
    const length = this.pages.word(offset + RECORD.length);
    return (
      length >= TAILER_BYTES &&
      length % 4 === 0 &&
      this.pages.contains(offset, RECORD_BYTES + length)
    );
  }

  /** Do key and data fit into the record (whose own length was checked)? */
  contentFits(offset: number): boolean {
    const pages = this.pages;
    const content = pages.word(offset + RECORD.keyLength) + pages.word(offset + RECORD.dataLength);
    return content + TAILER_BYTES <= pages.word(offset + RECORD.length);
  }

  /** Bytes of the record with its header. */
  recordBytes(offset: number): number {
    return RECORD_BYTES + this.pages.word(offset + RECORD.length);
  }

  /**
   * Where the last record ends: before the end of the map when a process was killed after it had made
   * the file longer. Every record ends with a tailer, which is neither zero nor padding.
   */
  endOfRecords(): number {
    const { pages, dataStart } = this;
    const area = recoveryArea(pages);
    const first = area === undefined ? dataStart : Math.max(dataStart, area.offset + area.bytes);
    let end = pages.size;
    while (end > first) {
      const word = pages.word(end - 4);
      if (word !== 0 && word !== PAD_WORD) break;
      end -= 4;
    }
    return pages.size - end < RECORD_BYTES + TAILER_BYTES ? pages.size : end;
  }

  writeTailer(offset: number): void {
    const total = this.recordBytes(offset);
    this.pages.setWord(offset + total - TAILER_BYTES, total);
  }
}

/**
 * Notices a circular list while it is walked, without memory: remembers one element and compares, the
 * remembered one moves at each power of two. The list must not be changed meanwhile.
 */
export class CycleGuard {
  #remembered = 0;
  #steps = 0;
  #limit = 2;

  restart(): void {
    this.#remembered = 0;
    this.#steps = 0;
    this.#limit = 2;
  }

  /** False: `offset` was seen before. */
  advance(offset: number): boolean {
    if (offset === this.#remembered) return false;
    this.#steps += 1;
    if (this.#steps === this.#limit) {
      this.#limit *= 2;
      this.#remembered = offset;
    }
    return true;
  }
}
