import { describe, expect, test } from "bun:test";
import { must } from "../../../test/support/must.ts";
import { MemoryDisk } from "../memory/memory_files.ts";
import { DirectPages } from "../records/pages.ts";
import { OverlayPages } from "./overlay.ts";

const BLOCK = 4096;

function makeOverlay(size: number): { overlay: OverlayPages; base: DirectPages; disk: MemoryDisk } {
  const disk = new MemoryDisk({ soon: queueMicrotask });
  disk.put("a", new Uint8Array(size).fill(7));
  const file = must(disk.process().open("a", { create: false, mode: 0 }));
  const base = new DirectPages(file, 0);
  return { overlay: new OverlayPages(base, BLOCK), base, disk };
}

describe("OverlayPages", () => {
  test("reads the file until a block is changed, and never changes the file", () => {
    const { overlay, disk } = makeOverlay(3 * BLOCK);
    overlay.setWord(BLOCK + 8, 0x01020304);
    overlay.write(2 * BLOCK - 2, new Uint8Array([1, 2, 3, 4]));
    expect(overlay.word(BLOCK + 8)).toBe(0x01020304);
    expect(overlay.word(BLOCK + 12)).toBe(0x07070707);
    expect([...overlay.copy(2 * BLOCK - 3, 6)]).toEqual([7, 1, 2, 3, 4, 7]);
    expect([...overlay.view(2 * BLOCK - 3, 6)]).toEqual([7, 1, 2, 3, 4, 7]);
    expect(overlay.changedBlocks).toBe(2);
    expect(disk.read("a")).toEqual(new Uint8Array(3 * BLOCK).fill(7));
  });

  test("growth reads as zeros, and an odd end of the file is kept", () => {
    const { overlay } = makeOverlay(BLOCK + 100);
    expect(overlay.grow(4 * BLOCK)).toBeUndefined();
    expect(overlay.word(BLOCK + 96)).toBe(0x07070707);
    expect(overlay.word(BLOCK + 100)).toBe(0);
    overlay.setWord(BLOCK + 104, 5);
    expect(overlay.word(BLOCK + 96)).toBe(0x07070707);
    expect(overlay.word(BLOCK + 100)).toBe(0);
    expect(overlay.contains(4 * BLOCK - 4, 4)).toBe(true);
    expect(overlay.contains(4 * BLOCK - 4, 5)).toBe(false);
  });

  test("ranges across chunks are written, zeroed and compared whole", () => {
    const chunk = 1 << 20;
    const { overlay } = makeOverlay(3 * chunk);
    const bytes = new Uint8Array(chunk + 5000).map((_, i) => i * 7);
    overlay.write(chunk - 1001, bytes);
    expect(overlay.equal(chunk - 1001, bytes)).toBe(true);
    expect(overlay.copy(chunk - 1001, bytes.length)).toEqual(bytes);
    expect(overlay.view(chunk - 1002, 1)[0]).toBe(7);
    overlay.zero(chunk - 4, 8);
    expect(overlay.word(chunk - 4)).toBe(0);
    expect(overlay.word(chunk)).toBe(0);
    expect(overlay.equal(chunk - 1001, bytes)).toBe(false);
  });

  test("nextChange() gives the changed blocks, cut at the end that is asked for", () => {
    const { overlay } = makeOverlay(10 * BLOCK);
    for (const block of [1, 2, 5, 9]) overlay.setWord(block * BLOCK, block);
    const runs: [number, number][] = [];
    for (let from = 0; ; ) {
      const run = overlay.nextChange(from, 9 * BLOCK + 20);
      if (run === undefined) break;
      runs.push([run.offset, run.bytes.length]);
      from = run.offset + run.bytes.length;
      if (from >= 9 * BLOCK + 20) break;
    }
    expect(runs).toEqual([
      [BLOCK, 2 * BLOCK],
      [5 * BLOCK, BLOCK],
      [9 * BLOCK, 20],
    ]);
  });
});
