/** What every `Clock`, `Timers` and `Random` must do (platform/types.ts). */
import { expect, test } from "bun:test";
import type { Clock, Random, Timers } from "../../src/platform/types.ts";

export interface TimeWorld {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

export function timersContract(name: string, world: TimeWorld): void {
  const { clock, timers, random } = world;
  const after = (delayMs: number) =>
    new Promise<void>((resolve) => {
      timers.after(delayMs, resolve);
    });

  test(`${name} Clock.monotonicMs() advances with the timers, wallTime() is whole`, async () => {
    const start = clock.monotonicMs();
    await after(20);
    expect(clock.monotonicMs() - start).toBeGreaterThanOrEqual(18);
    const { sec, usec } = clock.wallTime();
    expect(Number.isInteger(sec) && sec > 0).toBe(true);
    expect(Number.isInteger(usec) && usec >= 0 && usec < 1_000_000).toBe(true);
  });

  test(`${name} Timers run in the order of their times and not when cancelled`, async () => {
    const seen: string[] = [];
    timers.after(20, () => seen.push("late"));
    timers.after(1, () => seen.push("early"));
    timers.after(10, () => seen.push("cancelled")).cancel();
    await after(40);
    expect(seen).toEqual(["early", "late"]);
  });

  test(`${name} Timers.every() repeats until cancelled, also from inside`, async () => {
    let count = 0;
    await new Promise<void>((resolve) => {
      const timer = timers.every(2, () => {
        count += 1;
        if (count < 3) return;
        timer.cancel();
        resolve();
      });
    });
    await after(20);
    expect(count).toBe(3);
  });

  test(`${name} Timers.soon() runs later, in order, before timers, with what it adds`, async () => {
    const seen: string[] = [];
    timers.soon(() => {
      seen.push("first");
      timers.soon(() => seen.push("added"));
    });
    timers.soon(() => seen.push("second"));
    seen.push("inside");
    await after(5);
    expect(seen).toEqual(["inside", "first", "second", "added"]);
  });

  test(`${name} Timers.soon() that feeds itself lets timers run`, async () => {
    let runs = 0;
    let over = false;
    const again = () => {
      runs += 1;
      if (!over) timers.soon(again);
    };
    timers.soon(again);
    await after(1);
    over = true;
    expect(runs).toBeGreaterThan(0);
  });

  test(`${name} Timers.nextTurn() runs after what is due, once for each call, and does not sleep`, async () => {
    const seen: string[] = [];
    let turns = 0;
    let soonFirst = 0;
    await new Promise<void>((resolve) => {
      const again = () => {
        turns += 1;
        if (seen.includes("soon")) soonFirst += 1;
        if (turns === 50) resolve();
        else timers.nextTurn(again);
      };
      timers.nextTurn(again);
      timers.soon(() => seen.push("soon"));
      expect(turns).toBe(0);
    });
    expect(soonFirst).toBe(50);
    let ran = 0;
    timers.after(0, () => {
      ran += 1;
    });
    let looks = 0;
    await new Promise<void>((resolve) => {
      const until = () => {
        looks += 1;
        if (ran > 0) resolve();
        else timers.nextTurn(until);
      };
      until();
    });
    // A timer gets its turn between two of them.
    expect(looks).toBeGreaterThan(1);
  });

  test(`${name} Random.u32() stays in range and spreads over it`, () => {
    let low = 0;
    for (let i = 0; i < 1000; i++) {
      const value = random.u32();
      expect(Number.isInteger(value) && value >= 0 && value <= 0xffffffff).toBe(true);
      if (value < 0x80000000) low += 1;
    }
    expect(low).toBeGreaterThan(350);
    expect(low).toBeLessThan(650);
  });
}
