import { expect, test } from "bun:test";
import { ManualTime } from "../../test/support/manual_time.ts";
import { TracedTurns, type TurnStall } from "./trace.ts";

function tracedTurns() {
  let nowMs = 0;
  const stalls: TurnStall[] = [];
  const clock = { monotonicMs: () => nowMs, wallTime: () => ({ sec: 0, usec: 0 }) };
  const trace = new TracedTurns(clock, (stall) => stalls.push(stall));
  const spend = (name: string, ms: number, inner: () => void = () => {}) =>
    trace.span(name, () => {
      nowMs += ms;
      inner();
    });
  return { trace, stalls, spend };
}

test("TracedTurns.longestSpan names the innermost span that took most of the longest turn", () => {
  const { trace, spend } = tracedTurns();
  spend("client", 1, () => {
    spend("push", 20);
    spend("write", 2);
  });
  expect([trace.longestMs, trace.longestSpan]).toEqual([23, "push"]);
  spend("timer", 22);
  expect(trace.longestSpan).toBe("push");
  spend("timer", 24);
  expect([trace.longestMs, trace.longestSpan]).toEqual([24, "timer"]);
});

test("TracedTurns.busiestMs leaves out what a turn waited for the processor", () => {
  let nowMs = 0;
  let usedMs = 0;
  const clock = { monotonicMs: () => nowMs, wallTime: () => ({ sec: 0, usec: 0 }) };
  const trace = new TracedTurns(
    clock,
    () => {},
    () => usedMs,
  );
  const spend = (name: string, ms: number, used: number) =>
    trace.span(name, () => {
      nowMs += ms;
      usedMs += used;
    });
  spend("push", 12, 10);
  spend("pull", 80, 7);
  expect([trace.longestMs, trace.longestSpan]).toEqual([80, "pull"]);
  expect([trace.busiestMs, trace.busiestSpan]).toEqual([10, "push"]);
  // What short turns use together counts for none of them for long.
  for (let i = 0; i < 640; i++) spend("short", 0.1, 0.1);
  spend("pull", 80, 8);
  expect(trace.busiestMs).toBe(10);
  for (let i = 0; i < 5; i++) spend("short", 0.75, 0.75);
  spend("pull", 80, 8);
  expect(trace.busiestMs).toBe(10);
});

test("TracedTurns.histogram counts turns, and those over the threshold are stalls", () => {
  const { trace, stalls, spend } = tracedTurns();
  trace.setThresholdMs(10);
  for (const ms of [0.5, 1, 30]) spend("turn", ms);
  expect(trace.histogram.slice(0, 6)).toEqual([1, 1, 0, 0, 0, 1]);
  expect(stalls.map(({ durationMs }) => durationMs)).toEqual([30]);
});

test("TracedTurns counts turns by their outermost span, and those of too many names together", () => {
  const time = new ManualTime();
  const turns = new TracedTurns(time, () => undefined);
  const turn = (name: string, ms: number) =>
    turns.span(name, () =>
      turns.span("inside", () => {
        time.nowMs += ms;
      }),
    );
  turn("packets", 0);
  turn("packets", 7);
  turn("timer", 1);
  const times = new Map(turns.turnTimes());
  expect([...times.keys()]).toEqual(["packets", "timer"]);
  expect(times.get("packets")).toMatchObject({ count: 2, totalMs: 7, longestMs: 7 });
  expect(times.get("packets")?.buckets.slice(0, 5)).toEqual([1, 0, 0, 1, 0]);
  for (let i = 0; i < 1000; i++) turn(`name ${i}`, 1);
  const all = turns.turnTimes();
  expect(all.length).toBeLessThan(60);
  expect(all.at(-1)?.[0]).toBeUndefined();
  expect(all.reduce((sum, [, { count }]) => sum + count, 0)).toBe(1003);
});
