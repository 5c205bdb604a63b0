import { expect, test } from "bun:test";
import { LinkDamping } from "./link_damping.ts";

/** Breaks at these seconds; for each how long the link is held then. */
function holds(...seconds: readonly number[]): number[] {
  const damping = new LinkDamping();
  return seconds.map((second) => {
    const told = damping.broke(second * 1000);
    const heldMs = damping.heldMs(second * 1000);
    expect(told === undefined).toBe(heldMs === 0);
    return heldMs / 1000;
  });
}

test("LinkDamping holds a link that breaks five times in a minute, longer each time, up to a bound", () => {
  expect(holds(0, 5, 10, 15, 20, 30, 45, 70, 105)).toEqual([0, 0, 0, 0, 5, 10, 20, 30, 30]);
});

test("LinkDamping holds no link that breaks now and then", () => {
  expect(holds(0, 16, 32, 48, 64, 80, 96)).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

test("LinkDamping forgets after a minute without a break", () => {
  expect(holds(0, 1, 2, 3, 4, 200, 201)).toEqual([0, 0, 0, 0, 5, 0, 0]);
});

test("LinkDamping.heldMs() ends by itself", () => {
  const damping = new LinkDamping();
  for (let at = 0; at < 5; at++) damping.broke(at);
  expect(damping.heldMs(4)).toBe(5000);
  expect(damping.heldMs(3004)).toBe(2000);
  expect(damping.heldMs(60_000)).toBe(0);
});
