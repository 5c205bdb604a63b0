/**
 * Events within their bounds, whoever recorded them: texts and lists are cut, and what is nested deeper than any event is
 * left out (base/journal_event.ts, rule 3). What is within them already is not copied.
 */
import { JOURNAL_LIST_ENTRIES_MAX, JOURNAL_TEXT_CHARACTERS_MAX } from "../../base/journal_event.ts";
import type { JournalEntry } from "../../wire/journal_messages.ts";

/** An event, its list, an entry of it, what that says. */
const DEPTH_MAX = 4;
const FIELDS_MAX = 64;

export function boundedEntry(entry: JournalEntry): JournalEntry {
  const event = bounded(entry.event, DEPTH_MAX) as JournalEntry["event"];
  return event === entry.event ? entry : { ...entry, event };
}

function bounded(value: unknown, depth: number): unknown {
  if (typeof value === "string") return boundedText(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return null;
  return Array.isArray(value) ? boundedList(value, depth) : boundedObject(value, depth);
}

function boundedText(text: string): string {
  if (text.length <= JOURNAL_TEXT_CHARACTERS_MAX) return text;
  // Not in the middle of a character.
  return text.slice(0, JOURNAL_TEXT_CHARACTERS_MAX - 1).replace(/[\uD800-\uDBFF]$/, "");
}

function boundedList(list: readonly unknown[], depth: number): readonly unknown[] {
  const kept = list.slice(0, JOURNAL_LIST_ENTRIES_MAX).map((each) => bounded(each, depth - 1));
  const isSame = kept.length === list.length && kept.every((each, at) => each === list[at]);
  return isSame ? list : kept;
}

function boundedObject(value: object, depth: number): object {
  const fields = Object.entries(value);
  const kept = fields
    .slice(0, FIELDS_MAX)
    .map(([name, each]) => [boundedText(name), bounded(each, depth - 1)] as const);
  const isSame =
    kept.length === fields.length &&
    kept.every(([name, each], at) => fields[at]?.[0] === name && fields[at][1] === each);
  return isSame ? value : Object.fromEntries(kept);
}
