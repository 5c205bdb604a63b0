/**
 * The bytes of a TDB as its format code sees them: 32-bit words and ranges, from the header that is
 * mapped. `DirectPages` is the file itself; a transaction puts `OverlayPages` before it.
 *
 * Invariants:
 * 1. Offsets and lengths given to word, setWord, view, copy, write and equal were checked with
 *    `contains` by the caller. Words are 4-aligned.
 * 2. A view is valid until the next write or growth, and only to be read.
 * 3. The size never shrinks below what was checked unless a foreign program truncates the file.
 *
 * Must not: know records.
 */
import { copyInto } from "../../base/copy_into.ts";
import type { SharedFile } from "../../platform/types/shared_files.ts";
import { systemFailure, tdbFailure } from "../errors.ts";
import { MAP_BYTES_MAX } from "../format/format.ts";
import type { TdbError } from "../types.ts";

/** All of a map side by side, as words and as bytes: an offset is an index. Only to be read. */
export interface PlainPages {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
}

export interface Pages {
  /** Bytes that can be addressed. */
  readonly size: number;
  /** For walks over everything; undefined when the map is not in one piece. Valid as a view is. */
  readonly plain: PlainPages | undefined;
  /** Looks at the file's size again if needed: another process may have grown it. */
  contains(offset: number, length: number): boolean;
  /** Learns what other processes have added. */
  refresh(): void;
  word(offset: number): number;
  setWord(offset: number, value: number): void;
  view(offset: number, length: number): Uint8Array;
  copy(offset: number, length: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
  zero(offset: number, length: number): void;
  equal(offset: number, bytes: Uint8Array): boolean;
  /** Adds space at the end; its content is zeros or padding. */
  grow(newSize: number): TdbError | undefined;
}

const VIEW_BYTES_MAX = 0x100000000;
/** How much longer than the file a view is that was renewed because the file had grown. */
const VIEW_AHEAD = 0.25;
const VIEW_AHEAD_BYTES_MIN = 4 * 1024 * 1024;

export class DirectPages implements Pages {
  readonly #file: SharedFile;
  readonly #headerOffset: number;
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  size = 0;

  constructor(file: SharedFile, headerOffset: number) {
    this.#file = file;
    this.#headerOffset = headerOffset;
    this.refresh();
  }

  refresh(): void {
    const fileBytes = Math.min(this.#file.size(), VIEW_BYTES_MAX);
    const usable = Math.min(fileBytes - this.#headerOffset, MAP_BYTES_MAX);
    const size = Math.max(0, usable - (usable % 4));
    if (size === this.size) return;
    if (size === 0) {
      this.#words = new Uint32Array(0);
      this.#bytes = new Uint8Array(0);
    } else {
      const buffer = this.#viewOf(this.#headerOffset + size);
      this.#words = new Uint32Array(buffer, this.#headerOffset, size >>> 2);
      this.#bytes = new Uint8Array(buffer, this.#headerOffset, size);
    }
    this.size = size;
  }

  /** Longer than needed when the file grows: see SharedFile.viewsShowGrowth. */
  #viewOf(bytes: number): ArrayBuffer {
    if (this.#file.viewsShowGrowth !== true) return this.#file.view(bytes);
    // Not kept beside the arrays: the collector would count it twice.
    const buffer = this.#words.buffer;
    const had = buffer.byteLength;
    if (bytes <= had) return buffer;
    const ahead = had === 0 ? 0 : Math.max(bytes * VIEW_AHEAD, VIEW_AHEAD_BYTES_MIN);
    return this.#file.view(Math.min(bytes + Math.ceil(ahead), VIEW_BYTES_MAX));
  }

  contains(offset: number, length: number): boolean {
    if (offset + length <= this.size) return true;
    this.refresh();
    return offset + length <= this.size;
  }

  get plain(): PlainPages {
    return { words: this.#words, bytes: this.#bytes };
  }

  word(offset: number): number {
    return this.#words[offset >>> 2] as number;
  }

  setWord(offset: number, value: number): void {
    this.#words[offset >>> 2] = value;
  }

  view(offset: number, length: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#headerOffset + offset, length);
  }

  copy(offset: number, length: number): Uint8Array {
    return this.#bytes.slice(offset, offset + length);
  }

  write(offset: number, bytes: Uint8Array): void {
    copyInto(this.#bytes, offset, bytes);
  }

  zero(offset: number, length: number): void {
    this.#bytes.fill(0, offset, offset + length);
  }

  equal(offset: number, bytes: Uint8Array): boolean {
    return equalWords(this, offset, bytes);
  }

  /** Exact against C's atomic add in other processes. */
  addAtomically(offset: number, value: number): void {
    const words = new Int32Array(this.#words.buffer, this.#words.byteOffset, this.size >>> 2);
    Atomics.add(words, offset >>> 2, value);
  }

  grow(newSize: number): TdbError | undefined {
    if (newSize > MAP_BYTES_MAX || this.#headerOffset + newSize > VIEW_BYTES_MAX) {
      return tdbFailure(
        "no_space",
        `Cannot grow "${this.#file.path}" to ${newSize} bytes: a TDB ends at 4 GiB`,
      ).error;
    }
    const grown = this.#file.extend(this.#headerOffset + newSize);
    if (!grown.ok) return systemFailure("grow the TDB", grown.error).error;
    this.refresh();
    return undefined;
  }
}

/** Compares through words, which stay fast anywhere in 4 GiB. Little-endian, any alignment. */
export function equalWords(pages: Pages, offset: number, bytes: Uint8Array): boolean {
  const length = bytes.length;
  let at = 0;
  if (offset % 4 === 0) {
    for (; at + 4 <= length; at += 4) {
      const word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
      if ((pages.word(offset + at) | 0) !== word) return false;
    }
  }
  if (at === length) return true;
  const rest = pages.view(offset + at, length - at);
  for (let i = 0; i < rest.length; i++) {
    if (rest[i] !== bytes[at + i]) return false;
  }
  return true;
}
