import { expect, test } from "bun:test";
import { addMetered, endedChildrenMs, metered, processorMs } from "./processor_time.ts";

function work(forMs: number): void {
  const endMs = processorMs(process.pid) + forMs;
  while (processorMs(process.pid) < endMs);
}

test("processorMs() grows with work and not with waiting", async () => {
  const sleeper = Bun.spawn(["sleep", "60"]);
  try {
    await Bun.sleep(20);
    const before = processorMs(sleeper.pid);
    work(30);
    expect(processorMs(sleeper.pid)).toBe(before);
  } finally {
    sleeper.kill();
  }
});

test("processorMs() of a process that does not run throws", () => {
  expect(() => processorMs(2 ** 22 + 1)).toThrow("it does not run");
});

test("metered() has the operations of the section and the time of the processes", async () => {
  const taken = await metered([process.pid], async () => {
    work(30);
    return 3;
  });
  expect(taken.operations).toBe(3);
  expect(taken.processorMs).toBeGreaterThanOrEqual(30);
  // Threads of this program may have worked beside it.
  expect(taken.elapsedMs).toBeGreaterThan(5);
});

test("endedChildrenMs() reads the times of children behind any name", () => {
  const stat = "42 (a (b) 1 2) S 7 42 42 0 -1 4194304 8582 3 0 0 30 8 5 6 20 0 7 0 1378573";
  expect(endedChildrenMs(stat)).toBe(110);
});

test("addMetered() adds up every field", () => {
  const part = { operations: 1, elapsedMs: 2, processorMs: 3, childrenMs: 4 };
  const doubled = { operations: 2, elapsedMs: 4, processorMs: 6, childrenMs: 8 };
  expect(addMetered([part, part])).toEqual(doubled);
});
