import { expect, test } from "bun:test";
import type { ScratchMemory } from "../platform/types/scratch.ts";
import { HEAP_BYTES_MAX, SLAB_BYTES, TOUCHED_BYTES_MAX } from "./limits.ts";
import { SlabMemory } from "./slab_memory.ts";

class FakeScratch implements ScratchMemory {
  taken = 0;
  letGone = 0;
  room = Infinity;

  take(bytes: number): Uint8Array | undefined {
    if (this.taken + bytes > this.room) return undefined;
    this.taken += bytes;
    return new Uint8Array(bytes);
  }
  letGo(): void {
    this.letGone += 1;
  }
}

function takeAll(memory: SlabMemory, bytes: number): Uint8Array[] {
  return Array.from({ length: bytes / SLAB_BYTES }, () => memory.take(SLAB_BYTES));
}

test("SlabMemory.take() goes to scratch memory beyond HEAP_BYTES_MAX, but for small pieces", () => {
  const scratch = new FakeScratch();
  const memory = new SlabMemory(scratch);
  takeAll(memory, HEAP_BYTES_MAX);
  expect(scratch.taken).toBe(0);
  memory.take(SLAB_BYTES);
  memory.take(3 * SLAB_BYTES);
  memory.take(64 * 1024);
  expect(scratch.taken).toBe(4 * SLAB_BYTES);
});

test("SlabMemory.giveBack() lets the databases that come later have the pieces", () => {
  const scratch = new FakeScratch();
  const memory = new SlabMemory(scratch);
  const first = takeAll(memory, 2 * HEAP_BYTES_MAX);
  for (const piece of first) memory.giveBack(piece);
  takeAll(memory, 2 * HEAP_BYTES_MAX);
  expect(scratch.taken).toBe(HEAP_BYTES_MAX);
});

test("SlabMemory.take() takes memory when scratch memory is full, or there is none", () => {
  const scratch = new FakeScratch();
  scratch.room = SLAB_BYTES;
  for (const memory of [new SlabMemory(scratch), new SlabMemory(undefined)]) {
    expect(takeAll(memory, 2 * HEAP_BYTES_MAX).every(({ length }) => length === SLAB_BYTES)).toBe(
      true,
    );
  }
  expect(scratch.taken).toBe(SLAB_BYTES);
});

test("SlabMemory.touched() lets scratch memory go now and then", () => {
  const scratch = new FakeScratch();
  const memory = new SlabMemory(scratch);
  memory.touched(TOUCHED_BYTES_MAX - 1);
  expect(scratch.letGone).toBe(0);
  memory.touched(TOUCHED_BYTES_MAX);
  memory.touched(1);
  expect(scratch.letGone).toBe(1);
});
