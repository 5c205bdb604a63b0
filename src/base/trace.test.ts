import { expect, test } from "bun:test";
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

test("TracedTurns.histogram counts turns, and those over the threshold are stalls", () => {
  const { trace, stalls, spend } = tracedTurns();
  trace.setThresholdMs(10);
  for (const ms of [0.5, 1, 30]) spend("turn", ms);
  expect(trace.histogram.slice(0, 6)).toEqual([1, 1, 0, 0, 0, 1]);
  expect(stalls.map(({ durationMs }) => durationMs)).toEqual([30]);
});
