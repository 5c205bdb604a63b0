/**
 * Bytes in large pieces outside the collected heap: appended to, never moved, given back together.
 *
 * Invariants:
 * 1. A reservation lies in one slab; a reservation larger than a slab gets a slab of its own.
 * 2. Only the last slab grows.
 */
import { REC_DATA_HEAD_BYTES } from "../wire/structs/records.ts";
import { SLAB_BYTES } from "./limits.ts";
import type { SlabMemory } from "./slab_memory.ts";

const FIRST_SLAB_BYTES = 64 * 1024;

export class Slabs {
  readonly #memory: SlabMemory;
  readonly list: DataView[] = [];
  readonly #bytes: Uint8Array[] = [];
  readonly #ends: number[] = [];
  bytesUsed = 0;

  constructor(memory: SlabMemory) {
    this.#memory = memory;
  }

  /** Room for `count` bytes at the end of the slab whose number is returned; see endOf(). */
  reserve(count: number): number {
    const last = this.list.length - 1;
    if (last >= 0 && this.extend(last, count)) return last;
    const bytes = this.#memory.take(Math.max(count, this.#nextSize()));
    this.#bytes.push(bytes);
    this.list.push(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    this.#ends.push(count);
    this.bytesUsed += count;
    return last + 1;
  }

  /** Makes `count` more bytes of the slab used, when it is the last one and has them. */
  extend(slab: number, count: number): boolean {
    if (slab !== this.list.length - 1) return false;
    const end = (this.#ends[slab] as number) + count;
    if (end > (this.#bytes[slab] as Uint8Array).length) return false;
    this.#ends[slab] = end;
    this.bytesUsed += count;
    return true;
  }

  endOf(slab: number): number {
    return this.#ends[slab] as number;
  }

  bytesOf(slab: number): Uint8Array {
    return this.#bytes[slab] as Uint8Array;
  }

  write(slab: number, offset: number, bytes: Uint8Array): void {
    (this.#bytes[slab] as Uint8Array).set(bytes, offset);
  }

  /** Of bytes that came into the slabs, or were read from them. */
  touched(bytes: number): void {
    this.#memory.touched(bytes);
  }

  /** Nothing of them is used any more. */
  end(): void {
    for (const bytes of this.#bytes.splice(0)) this.#memory.giveBack(bytes);
    this.list.length = 0;
    this.#ends.length = 0;
  }

  /** Compares the key of the record stored there with bytes elsewhere. */
  keyEquals(
    slab: number,
    offset: number,
    bytes: Uint8Array,
    keyAt: number,
    keyLength: number,
  ): boolean {
    const stored = this.#bytes[slab] as Uint8Array;
    const view = this.list[slab] as DataView;
    if (view.getUint32(offset + 8, true) !== keyLength) return false;
    const storedAt = offset + REC_DATA_HEAD_BYTES;
    for (let i = 0; i < keyLength; i++) {
      if (stored[storedAt + i] !== bytes[keyAt + i]) return false;
    }
    return true;
  }

  /** Small databases stay small: slabs double until they have their full size. */
  #nextSize(): number {
    return Math.min(SLAB_BYTES, FIRST_SLAB_BYTES << Math.min(this.list.length, 7));
  }
}
