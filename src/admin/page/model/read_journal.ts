/** Events, explanations and past states as the page works with them (docs/admin.md). */

import type {
  Cause,
  Entry,
  EntryEvent,
  ExplanationDocument,
  JournalAnswer,
  PastDocument,
  PastNode,
} from "./documents.ts";
import { flagWords } from "./flags.ts";
import { isKnownKind } from "./kinds.ts";
import { type Fields, fields, list, number, text, textOrNull, texts } from "./lenient.ts";
import { CAUSES_DEPTH_MAX } from "./limits.ts";
import { parseTimeUs } from "./time.ts";

export function readJournal(value: unknown): JournalAnswer {
  const document = fields(value);
  return { entries: list(document["events"], readEntry), caveats: texts(document["caveats"]) };
}

/** undefined: it names no event. */
export function readEntry(value: unknown): Entry | undefined {
  const entry = fields(value);
  const node = number(entry["node"]);
  const id = number(entry["id"]);
  const timeUs = timeOf(entry);
  const event = readEvent(fields(entry["event"]));
  if (node === null || id === null || timeUs === undefined || event === undefined) return undefined;
  return { node, id, timeUs, process: text(entry["process"]), event };
}

function timeOf(entry: Fields): number | undefined {
  return (
    parseTimeUs(text(entry["common_time"])) ??
    parseTimeUs(text(entry["time"])) ??
    number(entry["common_us"]) ??
    number(entry["time_us"]) ??
    undefined
  );
}

function readEvent(event: Fields): EntryEvent | undefined {
  const kind = text(event["kind"]);
  if (kind === "") return undefined;
  // The fields of a kind are as the server's schema has checked them; of another kind nothing is assumed.
  if (isKnownKind(kind)) return event as unknown as EntryEvent;
  return { kind: "unknown", name: kind };
}

export function readExplanation(value: unknown): ExplanationDocument {
  const document = fields(value);
  return {
    answer: readCause(fields(document["answer"]), 0) ?? null,
    caveats: texts(document["caveats"]),
  };
}

function readCause(value: Fields, depth: number): Cause | undefined {
  const entry = readEntry(value["event"]);
  if (entry === undefined || depth > CAUSES_DEPTH_MAX) return undefined;
  const because = list(value["because"], (cause) => readCause(cause, depth + 1));
  return { entry, text: text(value["text"]), because };
}

/** undefined: no such document. */
export function readPast(value: unknown): PastDocument | undefined {
  const document = fields(value);
  const atUs =
    parseTimeUs(text(document["at"])) ??
    parseTimeUs(text(document["time"])) ??
    number(document["atUs"]);
  if (atUs === null) return undefined;
  return {
    atUs,
    leader: number(document["leader"]),
    generation: number(document["generation"]),
    recovering: document["recovering"] === true,
    nodes: list(document["nodes"], readPastNode),
    addresses: list(document["addresses"], (entry) => ({
      address: text(entry["address"]),
      node: number(entry["node"]),
    })),
    databases: list(document["databases"], (entry) => ({
      name: text(entry["name"]),
      id: textOrNull(entry["id"]) ?? String(number(entry["id"]) ?? ""),
      kind: text(entry["kind"]),
    })),
    caveats: texts(document["caveats"]),
  };
}

function readPastNode(entry: Fields): PastNode | undefined {
  const node = number(entry["node"]);
  if (node === null) return undefined;
  const bits = number(entry["flags"]);
  return {
    node,
    address: text(entry["address"]),
    flags: bits === null ? texts(entry["flags"]) : flagWords(bits),
    running: typeof entry["running"] === "boolean" ? entry["running"] : null,
  };
}
