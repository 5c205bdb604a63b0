/** What every `Clock`, `Timers` and `Random` must do (platform/types/time.ts). */
import { expect, test } from "bun:test";
import type { Clock, Random, Timer, Timers } from "../../src/platform/types/time.ts";

export interface TimeWorld {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
}

/** Delays beyond what the runtime's timers take, for real and for virtual time. */
export interface LongDelays {
  readonly clock: Clock;
  readonly timers: Timers;
  /** A delay that the runtime would not wait for at once. */
  readonly longMs: number;
  /** Lets time go on; nothing to do where it goes by itself. */
  pass(byMs: number): unknown;
}

export function longDelaysContract(name: string, world: LongDelays): void {
  const { clock, timers, longMs, pass } = world;

  /** How long each of the runs came after `wait` was called; resolves after the last of `count`. */
  function timed(count: number, wait: (action: () => void) => void): Promise<readonly number[]> {
    return new Promise((resolve) => {
      const startMs = clock.monotonicMs();
      const seenMs: number[] = [];
      wait(() => {
        seenMs.push(clock.monotonicMs() - startMs);
        if (seenMs.length === count) resolve(seenMs);
      });
    });
  }

  test(`${name} Timers.after() waits a long delay out, and runs once`, async () => {
    const runs = timed(1, (action) => timers.after(longMs, action));
    await pass(longMs);
    const [ranMs] = await runs;
    expect(ranMs).toBeGreaterThanOrEqual(longMs - CLOCK_SLACK_MS);
  });

  test(`${name} Timers.every() waits a long interval out each time`, async () => {
    let timer: Timer = { cancel() {} };
    const runs = timed(2, (action) => {
      timer = timers.every(longMs, action);
    });
    await pass(2 * longMs);
    const [first, second] = await runs;
    timer.cancel();
    expect(first).toBeGreaterThanOrEqual(longMs - CLOCK_SLACK_MS);
    expect(second).toBeGreaterThanOrEqual(2 * (longMs - CLOCK_SLACK_MS));
  });

  test(`${name} Timers: what is cancelled in a long delay, or infinite, never runs`, async () => {
    const seen: string[] = [];
    const infinite = [
      timers.after(Number.POSITIVE_INFINITY, () => seen.push("after")),
      timers.every(Number.POSITIVE_INFINITY, () => seen.push("every")),
    ];
    const long = timers.after(longMs, () => seen.push("cancelled"));
    const half = timed(1, (action) => timers.after(longMs / 2, action));
    await pass(longMs / 2);
    await half;
    long.cancel();
    const whole = timed(1, (action) => timers.after(longMs, action));
    await pass(longMs);
    await whole;
    for (const timer of infinite) timer.cancel();
    expect(seen).toEqual([]);
  });

  test(`${name} Timers.after() of a negative delay is over at once`, async () => {
    const seen: string[] = [];
    timers.after(20, () => seen.push("later"));
    const runs = timed(1, (action) => {
      timers.after(-5, () => seen.push("negative"));
      timers.after(25, action);
    });
    seen.push("inside");
    await pass(25);
    await runs;
    expect(seen).toEqual(["inside", "negative", "later"]);
  });
}

/** Of the timers of an event loop, which round. */
const CLOCK_SLACK_MS = 1;

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

  test(`${name} Timers do not run at once what is due in more than 31 bits of milliseconds`, async () => {
    const seen: string[] = [];
    const far = [
      timers.after(2 ** 31, () => seen.push("after")),
      timers.after(0xffffffff * 1000, () => seen.push("after")),
      timers.every(2 ** 31, () => seen.push("every")),
    ];
    await after(20);
    for (const timer of far) timer.cancel();
    expect(seen).toEqual([]);
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
