/**
 * Where the records of a recovery lie, those of all its databases together: in memory as far as HEAP_BYTES_MAX goes, and
 * in scratch memory beyond it, of which little is resident at a time. Without scratch memory, or when it is full, all
 * of it is in memory: a recovery that takes much of it is better than none.
 *
 * Invariants:
 * 1. Pieces of scratch memory are used again by the databases that come later; they are of one size, but for those of a
 *    record that is larger.
 * 2. After TOUCHED_BYTES_MAX of records that came or went, scratch memory is let go.
 */
import type { ScratchMemory } from "../platform/types/scratch.ts";
import { HEAP_BYTES_MAX, SLAB_BYTES, TOUCHED_BYTES_MAX } from "./limits.ts";

export class SlabMemory {
  readonly #scratch: ScratchMemory | undefined;
  /** Pieces of SLAB_BYTES that no database uses. */
  readonly #free: Uint8Array[] = [];
  readonly #ofScratch = new Set<Uint8Array>();
  #heapBytes = 0;
  #touchedBytes = 0;

  constructor(scratch: ScratchMemory | undefined) {
    this.#scratch = scratch;
  }

  take(bytes: number): Uint8Array {
    const wanted = this.#scratch !== undefined && bytes >= SLAB_BYTES;
    if (wanted && this.#heapBytes + bytes > HEAP_BYTES_MAX) {
      const free = bytes === SLAB_BYTES ? this.#free.pop() : undefined;
      const piece = free ?? this.#scratch?.take(bytes);
      if (piece !== undefined) {
        this.#ofScratch.add(piece);
        return piece;
      }
    }
    this.#heapBytes += bytes;
    return new Uint8Array(bytes);
  }

  /** Nobody uses it any more. */
  giveBack(piece: Uint8Array): void {
    if (!this.#ofScratch.delete(piece)) this.#heapBytes -= piece.length;
    else if (piece.length === SLAB_BYTES) this.#free.push(piece);
  }

  /** So many bytes of records came into its pieces, or were read from them. */
  touched(bytes: number): void {
    this.#touchedBytes += bytes;
    if (this.#touchedBytes < TOUCHED_BYTES_MAX) return;
    this.#touchedBytes = 0;
    this.#scratch?.letGo();
  }
}
