import { expect, test } from "bun:test";
import type * as v from "valibot";
import { must } from "../../test/support/must.ts";
import type { JournalEventFields, JournalKind } from "../base/journal_event.ts";
import {
  JOURNAL_KINDS,
  JOURNAL_LIST_ENTRIES_MAX,
  JOURNAL_TEXT_CHARACTERS_MAX,
} from "../base/journal_event.ts";
import { EVENT_SCHEMAS, readEvent } from "./event_schemas.ts";

type Mutable<T> = T extends object ? { -readonly [K in keyof T]: Mutable<T[K]> } : T;
type Same<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** A type of a schema as one object, as the table has it. */
type Flat<T> = T extends object ? { -readonly [K in keyof T]: Flat<T[K]> } : T;
type FieldsOf<K extends JournalKind> = Flat<v.InferOutput<(typeof EVENT_SCHEMAS)[K]>>;
type Different = {
  [K in JournalKind]: Same<FieldsOf<K>, Mutable<JournalEventFields[K]>> extends true ? never : K;
}[JournalKind];

test("schemas have the fields of base/journal_event.ts", () => {
  // The compiler says which kind differs.
  const different: readonly Different[] = [];
  const none: readonly never[] = different;
  expect(none).toEqual([]);
  expect(Object.keys(EVENT_SCHEMAS).sort()).toEqual([...JOURNAL_KINDS].sort());
});

test("readEvent() leaves out what the kind does not have", () => {
  const event = { kind: "link_down", peer: 1, reason: "r", more: "x", __proto__: { a: 1 } };
  expect(readEvent(event)).toEqual({
    ok: true,
    value: { kind: "link_down", peer: 1, reason: "r" },
  });
  const by = { node: null, pid: 4, password: "x" };
  const ban = { kind: "ban", target: 2, seconds: 300, reason: "r", by };
  expect(must(readEvent(ban))).toEqual({ ...ban, by: { node: null, pid: 4 } } as never);
});

test("readEvent() cuts what is long", () => {
  const long = "x".repeat(JOURNAL_TEXT_CHARACTERS_MAX + 1);
  const cut = must(readEvent({ kind: "election", reason: long }));
  expect(cut.kind === "election" && cut.reason.length).toBe(JOURNAL_TEXT_CHARACTERS_MAX);
  const pairs = must(readEvent({ kind: "election", reason: "😀".repeat(1000) }));
  expect(pairs.kind === "election" && pairs.reason.isWellFormed()).toBe(true);
  const added = Array.from({ length: 10_000 }, (_, node) => node);
  const many = must(readEvent({ kind: "nodes_file", added, removed: [] }));
  expect(many.kind === "nodes_file" && many.added.length).toBe(JOURNAL_LIST_ENTRIES_MAX);
});

test("readEvent() says what is wrong with an event", () => {
  const reasons = [
    undefined,
    null,
    "link_down",
    {},
    { kind: "nothing" },
    { kind: "toString" },
    { kind: "link_down", peer: "1", reason: "r" },
    { kind: "link_down", peer: -1, reason: "r" },
    { kind: "link_down", peer: 1 },
    { kind: "ban", target: 1, seconds: 1, reason: "r", by: null },
  ].map((event) => {
    const read = readEvent(event);
    return read.ok ? read.value : read.error;
  });
  expect(reasons).toEqual([
    "expected an event with a kind",
    "expected an event with a kind",
    "expected an event with a kind",
    "expected an event with a kind",
    'expected a kind of event, got "nothing"',
    'expected a kind of event, got "toString"',
    'peer: Invalid type: Expected number but received "1"',
    "peer: Invalid value: Expected >=0 but received -1",
    'reason: Invalid key: Expected "reason" but received undefined',
    "by: Invalid type: Expected Object but received null",
  ]);
});
