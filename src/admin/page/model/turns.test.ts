import { expect, test } from "bun:test";
import { turnBars } from "./turns.ts";

test("turnBars() names each bucket by its bounds and by what it means to others", () => {
  const buckets = [
    { leMs: 1, count: 1_000_000 },
    { leMs: 100, count: 0 },
    { leMs: 1000, count: 3 },
    { leMs: 4000, count: 0 },
    { leMs: null, count: 1 },
  ];
  const bars = turnBars({ node: 0, longestMs: 4200, buckets });
  expect(bars.map(({ text, level }) => [text, level])).toEqual([
    ["≤ 1 ms", "good"],
    ["≤ 100 ms", "good"],
    ["≤ 1 s", "warning"],
    ["≤ 4 s", "good"],
    ["> 4 s", "critical"],
  ]);
  expect(bars[0]?.share).toBe(1);
  expect(bars[4]?.share).toBeGreaterThan(0.02);
});
