import { expect, test } from "bun:test";
import { INVALID_GENERATION } from "../wire/packet.ts";
import { VnnMap } from "./vnn_map.ts";

test("VnnMap.countedGeneration is that of the last recovery in which the records of this node counted", () => {
  const vnnMap = new VnnMap([0, 1, 2], 1);
  expect(vnnMap.countedGeneration).toBe(INVALID_GENERATION);
  vnnMap.set(7, [0, 1, 2], true);
  expect(vnnMap.countedGeneration).toBe(7);
  vnnMap.invalidate();
  expect(vnnMap.countedGeneration).toBe(7);
  // A recovery that began and failed: the records of others counted in it.
  vnnMap.set(8, [0, 1, 2], false);
  expect([vnnMap.generation, vnnMap.countedGeneration]).toEqual([8, 7]);
  vnnMap.set(9, [0, 1, 2], false);
  vnnMap.recordsCount();
  expect(vnnMap.countedGeneration).toBe(9);
  vnnMap.set(10, [0, 2], true);
  expect(vnnMap.countedGeneration).toBe(INVALID_GENERATION);
});

test("VnnMap.countedWithAll() only when all of that recovery take part in the present one", () => {
  const vnnMap = new VnnMap([0, 1, 2], 1);
  vnnMap.set(7, [0, 1, 2], true);
  vnnMap.set(8, [1, 2], false);
  expect(vnnMap.countedWithAll(7)).toBe(false);
  vnnMap.set(9, [0, 1, 2], false);
  expect([vnnMap.countedWithAll(7), vnnMap.countedWithAll(8)]).toEqual([true, false]);
});
