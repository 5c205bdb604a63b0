import { expect, test } from "bun:test";
import { BanCredits } from "./ban_credits.ts";

test("BanCredits.worst() is the node with the most, the lowest of equals", () => {
  const credits = new BanCredits(1);
  expect(credits.worst()).toBeUndefined();
  for (const pnn of [2, 0, 1]) credits.add(pnn, "PULL failed");
  expect(credits.worst()).toBe(0);
  credits.add(2, "PULL failed");
  expect(credits.worst()).toBe(2);
});

test("BanCredits.worst() names nobody who has too few, or was forgiven", () => {
  const credits = new BanCredits(3);
  for (let i = 0; i < 2; i++) credits.add(1, "PULL failed");
  expect(credits.worst()).toBeUndefined();
  credits.add(1, "PULL failed");
  for (let i = 0; i < 5; i++) credits.add(2, "PULL failed");
  expect(credits.worst()).toBe(2);
  credits.forgive(2);
  expect(credits.worst()).toBe(1);
});
