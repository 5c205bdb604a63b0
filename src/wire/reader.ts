/**
 * Reads values from bytes of a peer, little endian.
 *
 * Invariants:
 * 1. It never reads outside its bytes and never throws: the first failure is kept as text, later reads
 *    return zeros.
 * 2. No length or count that came from the bytes is used to allocate before it was compared with the
 *    bytes that remain.
 */
import { type U64, u64 } from "../base/u64.ts";

export const EMPTY = new Uint8Array(0);

export class Reader {
  readonly bytes: Uint8Array;
  at = 0;
  /** Why decoding failed; undefined while it has not. */
  error: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }
  get failed(): boolean {
    return this.error !== undefined;
  }
  fail(reason: string): void {
    this.error ??= `at byte ${this.at}: ${reason}`;
  }

  /** True when `count` more bytes are there; otherwise the failure is recorded. */
  need(count: number, what: string): boolean {
    if (this.failed) return false;
    if (count <= this.remaining) return true;
    this.fail(`${what} needs ${count} bytes, ${this.remaining} remain`);
    return false;
  }
  /** Checks a peer's element count against the bytes that remain, before anything is allocated. */
  needCount(count: number, minSize: number, what: string): boolean {
    if (this.failed) return false;
    if (count <= this.remaining / minSize) return true;
    this.fail(`${count} ${what} of at least ${minSize} bytes, ${this.remaining} bytes remain`);
    return false;
  }

  /** `at` was checked. */
  #byte(at: number): number {
    return this.bytes[at] as number;
  }
  #word(at: number): number {
    const low = this.#byte(at) | (this.#byte(at + 1) << 8);
    return low | (this.#byte(at + 2) << 16) | (this.#byte(at + 3) << 24);
  }

  u8(): number {
    if (!this.need(1, "u8")) return 0;
    this.at += 1;
    return this.#byte(this.at - 1);
  }
  u16(): number {
    if (!this.need(2, "u16")) return 0;
    this.at += 2;
    return this.#byte(this.at - 2) | (this.#byte(this.at - 1) << 8);
  }
  u16be(): number {
    if (!this.need(2, "u16")) return 0;
    this.at += 2;
    return (this.#byte(this.at - 2) << 8) | this.#byte(this.at - 1);
  }
  u32(): number {
    if (!this.need(4, "u32")) return 0;
    this.at += 4;
    return this.#word(this.at - 4) >>> 0;
  }
  i32(): number {
    if (!this.need(4, "i32")) return 0;
    this.at += 4;
    return this.#word(this.at - 4);
  }
  u64(): U64 {
    if (!this.need(8, "u64")) return u64(0, 0);
    const lo = this.u32();
    return u64(this.u32(), lo);
  }
  i64(): number {
    if (!this.need(8, "i64")) return 0;
    const lo = this.u32();
    return this.i32() * 0x100000000 + lo;
  }
  f64(): number {
    if (!this.need(8, "f64")) return 0;
    this.at += 8;
    const { buffer, byteOffset } = this.bytes;
    return new DataView(buffer, byteOffset).getFloat64(this.at - 8, true);
  }
  /** A view, not a copy: valid as long as the packet is. */
  take(count: number, what: string): Uint8Array {
    if (!this.need(count, what)) return EMPTY;
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  skip(count: number): void {
    if (this.need(count, "padding")) this.at += count;
  }
}
