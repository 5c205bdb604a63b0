import { expect, test } from "bun:test";
import { Culprits } from "./culprits.ts";

const GRACE_MS = 120_000;

test("Culprits.due() names nodes with twice as many credits as there are nodes", () => {
  const culprits = new Culprits();
  for (let i = 0; i < 5; i++) culprits.blame(1, 1, "it is slow", i, GRACE_MS);
  culprits.blame(2, 3, "it is slow", 5, GRACE_MS);
  expect(culprits.due(3)).toEqual([]);
  culprits.blame(1, 1, "it is slow", 6, GRACE_MS);
  expect(culprits.due(3)).toEqual([1]);
  culprits.settle(1);
  expect(culprits.due(3)).toEqual([]);
});

test("Culprits.blame() forgives after a quiet grace period", () => {
  const culprits = new Culprits();
  culprits.blame(1, 5, "it is slow", 0, GRACE_MS);
  culprits.blame(1, 1, "it is slow", GRACE_MS, GRACE_MS);
  expect(culprits.count(1)).toBe(6);
  culprits.blame(1, 1, "it is slow", 2 * GRACE_MS + 1, GRACE_MS);
  expect(culprits.count(1)).toBe(1);
});

test("Culprits.excludeTime() does not forgive while recoveries fail slowly", () => {
  const culprits = new Culprits();
  let nowMs = 0;
  for (let attempt = 0; attempt < 6; attempt++) {
    culprits.blame(1, 1, "it is slow", nowMs, GRACE_MS);
    nowMs += 150_000;
    culprits.excludeTime(150_000);
  }
  expect(culprits.due(3)).toEqual([1]);
});
