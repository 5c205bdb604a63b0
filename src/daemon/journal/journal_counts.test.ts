import { expect, test } from "bun:test";
import { NODE_FACTS_MAX, OTHERS } from "../../wire/node_facts.ts";
import { JournalCounts } from "./journal_counts.ts";

test("JournalCounts counts kinds, recoveries, their steps, takeover runs and addresses", () => {
  const counts = new JournalCounts();
  const events = [
    { kind: "recovery_ended", generation: 1, succeeded: true, reason: null, duration_ms: 100 },
    { kind: "recovery_ended", generation: 2, succeeded: false, reason: "x", duration_ms: 50 },
    { kind: "recovery_step", generation: 1, step: "flags", duration_ms: 3 },
    { kind: "recovery_step", generation: 2, step: "flags", duration_ms: 4 },
    { kind: "takeover_ended", succeeded: true, reason: null, duration_ms: 7 },
    { kind: "address_taken", address: "a", interface: "eth0", duration_ms: 1, failure: null },
    { kind: "address_released", address: "a", interface: "eth0", duration_ms: 1, failure: null },
    { kind: "address_taken", address: "a", interface: "eth0", duration_ms: 1, failure: "no" },
  ] as const;
  for (const event of events) counts.count({ event });
  expect(counts.facts()).toEqual({
    kinds: {
      recovery_ended: 2,
      recovery_step: 2,
      takeover_ended: 1,
      address_taken: 2,
      address_released: 1,
    },
    recoveries: {
      succeeded: 1,
      failed: 1,
      total_ms: 150,
      last_ms: 50,
      steps: [{ name: "flags", count: 2, total_ms: 7, last_ms: 4 }],
    },
    takeovers: { succeeded: 1, failed: 0, total_ms: 7, last_ms: 7 },
    addresses: { taken: 1, released: 1, failed: 1 },
  });
});

test("JournalCounts is bounded, and takes no number of a child that is none", () => {
  const counts = new JournalCounts();
  const wild = (event: object) => counts.count({ event: event as never });
  wild({ kind: "no such kind" });
  wild({});
  wild({ kind: "recovery_ended", succeeded: "yes", duration_ms: "long" });
  wild({ kind: "recovery_step", step: 7, duration_ms: -1 });
  for (let step = 0; step < 100; step++) {
    wild({ kind: "recovery_step", step: `step ${step}`, duration_ms: 1 });
  }
  const { kinds, recoveries } = counts.facts();
  expect(Object.keys(kinds)).toEqual(["recovery_ended", "recovery_step"]);
  expect(recoveries).toMatchObject({ succeeded: 0, failed: 1, total_ms: 0 });
  expect(recoveries.steps.length).toBeLessThanOrEqual(NODE_FACTS_MAX.STEPS);
  const others = recoveries.steps.find(({ name }) => name === OTHERS);
  expect(others?.count).toBe(101 - (recoveries.steps.length - 1));
});
