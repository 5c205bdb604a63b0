import { expect, test } from "bun:test";
import { FakeHost } from "../../test/database/fake_host.ts";
import { SLICE_BUDGET_MS, TURN_BUDGET_MS } from "./limits.ts";
import { type Budget, runSliced } from "./slices.ts";

/** Long work of several owners at once, and in which turns its slices ran. */
function setUp() {
  const host = new FakeHost();
  const { time, trace } = host;
  let turn = 0;
  const ran: string[] = [];
  const slices = (name: string, count: number, eachMs: number) => {
    let left = count;
    return (budget: Budget): "done" | "more" => {
      ran.push(`${name}${turn}`);
      expect(budget.remainingMs).toBeLessThanOrEqual(SLICE_BUDGET_MS);
      time.nowMs += eachMs;
      left -= 1;
      return left === 0 ? "done" : "more";
    };
  };
  const nextTurn = (): boolean => {
    turn += 1;
    return time.runNextTimer();
  };
  return { host, time, trace, ran, slices, nextTurn };
}

test("SliceTurns: what begins in one turn shares its time, and the rest begins later", () => {
  const { host, trace, ran, slices, nextTurn } = setUp();
  trace.span("packets", () => {
    for (const name of ["a", "b", "c"]) runSliced(host, name, slices(name, 1, TURN_BUDGET_MS));
  });
  expect(ran).toEqual(["a0"]);
  expect(trace.longestMs).toBe(TURN_BUDGET_MS);
  while (nextTurn());
  expect(ran).toEqual(["a0", "b1", "c2"]);
});

test("SliceTurns: the slices of one turn are together no longer than one", () => {
  const { host, trace, ran, slices, nextTurn } = setUp();
  const eachMs = TURN_BUDGET_MS / 2;
  trace.span("packets", () => {
    for (const name of ["a", "b", "c"]) runSliced(host, name, slices(name, 3, eachMs));
  });
  while (nextTurn());
  expect(ran).toEqual(["a0", "b0", "a1", "b1", "c2", "a2", "b3", "c3", "c4"]);
  expect(trace.longestMs).toBe(TURN_BUDGET_MS);
});

test("SliceTurns: a slice is as short as what packets have left of the turn", () => {
  const { host, time, trace } = setUp();
  trace.span("packets", () => {
    time.nowMs += TURN_BUDGET_MS - 0.5;
    runSliced(host, "short", (budget) => {
      expect(budget.remainingMs).toBe(0.5);
      return "done";
    });
  });
});

test("Budget.spentOver() looks at the clock after each large step, and after some small ones", () => {
  const { host, time } = setUp();
  const steps = (bytes: number): number => {
    let taken = 0;
    runSliced(host, "steps", (budget) => {
      do {
        taken += 1;
        time.nowMs += SLICE_BUDGET_MS;
      } while (!budget.spentOver(bytes));
      return "done";
    });
    return taken;
  };
  expect([steps(1_000_000), steps(10)]).toEqual([1, 4]);
});
