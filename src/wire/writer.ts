/**
 * Writes values as bytes, little endian (docs/protocol.md): one encoding a writer. Room grows as it is needed;
 * padding is zeros.
 */
import type { U64 } from "../base/u64.ts";

/** What is longer than expected is longer by this at least. */
const GROWN_BYTES_MIN = 128;

export class Writer {
  // Single bytes rather than a DataView: most values are a few words, and a view of a fresh array
  // costs more.
  #bytes: Uint8Array;
  length = 0;

  /** `expectedBytes`: more may be written; what is exactly as long is handed over without a copy. */
  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(expectedBytes);
  }

  /** Makes room for `count` more bytes and returns where they start. */
  #advance(count: number): number {
    const at = this.length;
    const end = at + count;
    if (end > this.#bytes.length) this.#grow(at, end);
    this.length = end;
    return at;
  }
  #grow(at: number, end: number): void {
    // What begins with more than was expected is mostly one piece, all of it.
    const size = at === 0 ? end : Math.max(end, at * 2, GROWN_BYTES_MIN);
    const grown = new Uint8Array(size);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  u8(value: number): void {
    const at = this.#advance(1);
    this.#bytes[at] = value;
  }
  u16(value: number): void {
    const at = this.#advance(2);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
  }
  u16be(value: number): void {
    const at = this.#advance(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }
  u32(value: number): void {
    this.setU32(this.#advance(4), value);
  }
  i32(value: number): void {
    this.setU32(this.#advance(4), value);
  }
  u64(value: U64): void {
    this.u32(value.lo);
    this.u32(value.hi);
  }
  /** A signed 64-bit integer given as a safe integer (time stamps). */
  i64(value: number): void {
    this.u32(value >>> 0);
    this.u32(Math.floor(value / 0x100000000) >>> 0);
  }
  f64(value: number): void {
    const at = this.#advance(8);
    new DataView(this.#bytes.buffer).setFloat64(at, value, true);
  }
  bytes(value: Uint8Array): void {
    const at = this.#advance(value.length);
    this.#bytes.set(value, at);
  }
  zeros(count: number): void {
    const at = this.#advance(count);
    this.#bytes.fill(0, at, at + count);
  }
  /** Overwrites a u32 written before (lengths that are known at the end). */
  setU32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  }
  /** What was written, and the end of this writer. */
  finish(): Uint8Array {
    const bytes = this.#bytes;
    return this.length === bytes.length ? bytes : bytes.slice(0, this.length);
  }
}
