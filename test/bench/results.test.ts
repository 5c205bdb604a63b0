import { expect, test } from "bun:test";
import { Results } from "./results.ts";

const SPEED = { name: "speed", unit: "1/s", better: "higher" } as const;
const EMPTY = { name: "empty program", unit: "ms", better: "lower" } as const;

test("Results.add() collects the rounds of each row and shows every value", () => {
  const shown: string[] = [];
  const results = new Results((line) => shown.push(line));
  results.add("ours", SPEED, 10);
  results.add("stock", SPEED, 5);
  results.add("ours", SPEED, 11);
  results.add("ours", EMPTY, 1.239);
  expect(results.rows()).toEqual([
    { ...SPEED, ours: [10, 11], stock: [5] },
    { ...EMPTY, ours: [1.239], stock: [Number.NaN] },
  ]);
  expect(shown[3]).toBe("  ours  empty program: 1.24 ms\n");
});
