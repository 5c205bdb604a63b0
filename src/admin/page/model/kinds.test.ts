import { expect, test } from "bun:test";
import { JOURNAL_KINDS, type JournalEvent } from "../../../base/journal_event.ts";
import { GROUPS, groupOf, isKnownKind, kindName, kindsOf, levelOf } from "./kinds.ts";

const entryOf = (event: JournalEvent) => ({
  node: 0,
  id: 1,
  timeUs: 0,
  process: "ctdbd",
  text: "",
  event,
});

test("every kind of the journal has a group, and each group has kinds", () => {
  expect(JOURNAL_KINDS.filter((kind) => !isKnownKind(kind))).toEqual([]);
  expect(GROUPS.filter((group) => kindsOf([group]).length === 0)).toEqual([]);
  expect(kindsOf(GROUPS).toSorted()).toEqual([...JOURNAL_KINDS, "gap"].toSorted());
  expect(isKnownKind("toString")).toBe(false);
});

test("levelOf() looks into events whose kind does not say it", () => {
  const by = { node: null };
  const flags = (before: number, after: number) =>
    levelOf(entryOf({ kind: "flags", target: 1, before, after, reason: "", by }));
  expect([flags(0, 8), flags(8, 0), flags(8, 8 | 0x20), flags(0, 2)]).toEqual([
    "critical",
    "notice",
    "warning",
    "critical",
  ]);
  const ended = { kind: "recovery_ended", generation: 1, reason: null, duration_ms: 1 } as const;
  expect(levelOf(entryOf({ ...ended, succeeded: true }))).toBe("notice");
  expect(levelOf(entryOf({ ...ended, succeeded: false }))).toBe("critical");
  const assigned = { kind: "address_assigned", address: "a", from: 1, reason: "" } as const;
  expect(levelOf(entryOf({ ...assigned, to: null }))).toBe("critical");
  expect(levelOf(entryOf({ ...assigned, to: 2 }))).toBe("notice");
  const taken = { kind: "address_taken", address: "a", interface: "e", duration_ms: 1 } as const;
  expect(levelOf(entryOf({ ...taken, failure: "no such interface" }))).toBe("critical");
});

test("an event of a kind that is new is shown as one", () => {
  const entry = {
    ...entryOf({ kind: "lock_released", lock: "" }),
    event: { kind: "unknown", name: "x" },
  } as const;
  expect([groupOf(entry), kindName(entry), levelOf(entry)]).toEqual([
    "processes",
    "other",
    "notice",
  ]);
});
