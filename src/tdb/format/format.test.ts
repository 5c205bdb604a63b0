import { describe, expect, test } from "bun:test";
import { dataStart, grownSize, listLockOffset, MAP_BYTES_MAX, mutexLayout } from "./format.ts";

describe("TDB layout", () => {
  test("dataStart() follows the chain heads", () => {
    expect(dataStart(131)).toBe(696);
    expect(dataStart(100_001)).toBe(400_176);
  });

  test("listLockOffset() lies four bytes below the head", () => {
    expect(listLockOffset(-1)).toBe(164);
    expect(listLockOffset(0)).toBe(168);
  });

  test("mutexLayout() is glibc's on x86_64 and aarch64", () => {
    expect(mutexLayout(40, 131, 4096).areaBytes).toBe(8192);
    expect(mutexLayout(40, 100_001, 4096).areaBytes).toBe(4_001_792);
    expect(mutexLayout(40, 131, 4096)).toMatchObject({ allrecordLock: 208, firstListMutex: 216 });
    expect(mutexLayout(48, 131, 4096)).toMatchObject({ allrecordLock: 216, firstListMutex: 224 });
  });

  test("grownSize() makes room for many records, whole pages, and ends at 4 GiB", () => {
    expect(grownSize(696, 100, 4096)).toBe(12_288);
    expect(grownSize(1_000_000, 100, 4096)).toBe(1_253_376);
    expect(grownSize(200_000_000, 100, 4096) % 4096).toBe(0);
    expect(grownSize(200_000_000, 100, 4096)).toBeLessThan(221_000_000);
    expect(grownSize(MAP_BYTES_MAX - 3, 100, 4096)).toBe(MAP_BYTES_MAX - 3);
  });
});
