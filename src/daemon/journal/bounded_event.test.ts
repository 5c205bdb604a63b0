import { expect, test } from "bun:test";
import { JOURNAL_LIST_ENTRIES_MAX, JOURNAL_TEXT_CHARACTERS_MAX } from "../../base/journal_event.ts";
import type { JournalEntry } from "../../wire/journal_messages.ts";
import { boundedEntry } from "./bounded_event.ts";

const entry = (event: object) =>
  ({ time_us: 1, monotonic_ms: 2, process: "ctdbd", event }) as unknown as JournalEntry;
const boundedEvent = (event: object) => boundedEntry(entry(event)).event as unknown;

test("boundedEntry() leaves alone what is within the bounds", () => {
  const within = entry({ kind: "flags", target: 1, by: { node: null, pid: 7 }, list: [1, "a"] });
  expect(boundedEntry(within)).toBe(within);
});

test("boundedEntry() cuts texts and lists, at whatever depth", () => {
  const long = "ä".repeat(5000);
  const cut = "ä".repeat(JOURNAL_TEXT_CHARACTERS_MAX - 1);
  expect(boundedEvent({ kind: "election", reason: long })).toEqual({
    kind: "election",
    reason: cut,
  });
  const nodes = Array.from({ length: 1000 }, (_, node) => ({ node, address: long, flags: 0 }));
  const { nodes: kept } = boundedEvent({ kind: "state", nodes }) as { nodes: unknown[] };
  expect(kept).toHaveLength(JOURNAL_LIST_ENTRIES_MAX);
  expect(kept[0]).toEqual({ node: 0, address: cut, flags: 0 });
});

test("boundedEntry() cuts no character in two", () => {
  const reason = `${"x".repeat(JOURNAL_TEXT_CHARACTERS_MAX - 2)}😀😀`;
  const { reason: cut } = boundedEvent({ kind: "election", reason }) as { reason: string };
  expect([cut.isWellFormed(), cut.length]).toEqual([true, JOURNAL_TEXT_CHARACTERS_MAX - 2]);
});

test("boundedEntry() leaves out what is nested deeper than any event, and too many fields", () => {
  let nested: unknown = 1;
  for (let depth = 0; depth < 20_000; depth++) nested = [nested];
  expect(JSON.stringify(boundedEvent({ kind: "x", nested }))).toBe(
    '{"kind":"x","nested":[[[null]]]}',
  );
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i]));
  expect(Object.keys(boundedEvent(many) as object)).toHaveLength(64);
});
