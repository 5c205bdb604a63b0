import { expect, test } from "bun:test";
import { mostIdle, parseIdle, parseProcessorList } from "./pinning.ts";

const BEFORE = `cpu  40 0 40 300 0 0
cpu0 10 0 10 100 5 0 0 0 0 0
cpu1 10 0 10 100 5 0 0 0 0 0
cpu2 20 0 20 100 5 0 0 0 0 0
intr 12345
`;

test("parseProcessorList() reads single processors and ranges", () => {
  expect(parseProcessorList("3")).toEqual([3]);
  expect(parseProcessorList("0-2,5,7-8")).toEqual([0, 1, 2, 5, 7, 8]);
});

test("parseIdle() has each processor and not their sum", () => {
  expect([...parseIdle(BEFORE)]).toEqual([
    [0, 100],
    [1, 100],
    [2, 100],
  ]);
});

test("mostIdle() chooses among the allowed processors, the last of equals", () => {
  const before = parseIdle(BEFORE);
  const after = new Map([
    [0, 140],
    [1, 140],
    [2, 150],
  ]);
  expect(mostIdle(before, after, [0, 1, 2])).toBe(2);
  expect(mostIdle(before, after, [0, 1])).toBe(1);
  expect(mostIdle(before, before, [0])).toBe(0);
});
