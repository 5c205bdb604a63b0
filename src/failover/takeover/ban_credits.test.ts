import { expect, test } from "bun:test";
import { BanCredits } from "./ban_credits.ts";

test("BanCredits.worst() is the node with the most, the lowest of equals", () => {
  const credits = new BanCredits();
  expect(credits.worst()).toBeUndefined();
  for (const pnn of [2, 0, 1]) credits.add(pnn);
  expect(credits.worst()).toBe(0);
  credits.add(2);
  expect(credits.worst()).toBe(2);
});
