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
import { isKnownKind } from "./kinds.ts";
import { type Fields, fields, list, number, text, texts } from "./lenient.ts";
import { CAUSES_DEPTH_MAX, CLOCK_MS_MAX } from "./limits.ts";
import { durationText, parseTimeUs } from "./time.ts";

export function readJournal(value: unknown): JournalAnswer {
  const document = fields(value);
  return {
    entries: list(document["events"], readEntry),
    caveats: list(document["sources"], caveatOf),
  };
}

/** undefined: it names no event. */
export function readEntry(value: unknown): Entry | undefined {
  const entry = fields(value);
  const node = number(entry["node"]);
  const id = number(entry["id"]);
  const timeUs = timeOf(entry);
  const event = readEvent(fields(entry["event"]));
  if (node === null || id === null || timeUs === undefined || event === undefined) return undefined;
  return { node, id, timeUs, process: text(entry["process"]), text: text(entry["text"]), event };
}

/** A journal that is not in the answer, or whose clock is wrong by more than people take for the same moment. */
function caveatOf(source: Fields): string | undefined {
  const node = number(source["node"]);
  const reason = text(source["reason"]);
  const aheadMs = number(source["clock_ahead_ms"]) ?? 0;
  if (node === null) return undefined;
  if (source["journal"] === "none") return `Node ${node} keeps no journal.`;
  if (source["journal"] === "silent") {
    return `Node ${node} did not answer${reason === "" ? "" : `: ${reason}`}.`;
  }
  if (Math.abs(aheadMs) < CLOCK_MS_MAX) return undefined;
  const way = aheadMs > 0 ? "ahead" : "behind";
  return `The clock of node ${node} is ${durationText(Math.abs(aheadMs))} ${way}; its times are corrected here.`;
}

function timeOf(entry: Fields): number | undefined {
  return parseTimeUs(text(entry["common_time"])) ?? parseTimeUs(text(entry["time"]));
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
    caveats: caveatsOf(document),
  };
}

/** What the answer says of itself, and what its sources say. */
function caveatsOf(document: Fields): readonly string[] {
  return [...new Set([...texts(document["caveats"]), ...list(document["sources"], caveatOf)])];
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
  const atUs = parseTimeUs(text(document["at"]));
  if (atUs === undefined) return undefined;
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
      id: String(number(entry["id"]) ?? ""),
      kind: text(entry["kind"]),
    })),
    caveats: caveatsOf(document),
  };
}

function readPastNode(entry: Fields): PastNode | undefined {
  const node = number(entry["node"]);
  if (node === null) return undefined;
  return {
    node,
    address: text(entry["address"]),
    flags: texts(entry["flags"]),
    running: typeof entry["running"] === "boolean" ? entry["running"] : null,
  };
}
