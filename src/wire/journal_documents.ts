/**
 * What the API says of the journal (docs/admin.md): JSON that ctdb-admind makes, and that the tool and the page read. Times are
 * RFC 3339 in UTC with microseconds.
 *
 * The readers look at what their users rely on, since the answer may be of another version: what they do not know stays.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { JsonObject } from "./json_message.ts";

export interface EventDocument {
  /** Cursor, of the journal of its node. */
  readonly id: number;
  readonly node: number;
  /** By the clock of its node. */
  readonly time: string;
  /** By the clock of the node that answers. */
  readonly common_time: string;
  readonly process: string;
  /** What happened, in a sentence. */
  readonly text: string;
  /** `kind` and what it says beside, as in base/journal_event.ts. */
  readonly event: JsonObject & { readonly kind: string };
}

/** A node whose journal was wanted. */
export interface SourceDocument {
  readonly node: number;
  readonly journal: "kept" | "none" | "silent";
  /** Why it has none, or said nothing. */
  readonly reason: string | null;
  /** What its clock is ahead of that of the node that answers, and how far that may be wrong; null when it did not answer. */
  readonly clock_ahead_ms: number | null;
  readonly clock_error_ms: number | null;
}

export interface JournalDocument {
  readonly schema_version: number;
  /** When it was answered, and by whom. */
  readonly time: string;
  readonly node: number;
  readonly events: readonly EventDocument[];
  readonly sources: readonly SourceDocument[];
}

export interface ExplainedDocument {
  readonly event: EventDocument;
  readonly text: string;
  readonly because: readonly ExplainedDocument[];
}

export interface WhyDocument {
  readonly schema_version: number;
  readonly time: string;
  readonly node: number;
  readonly question: JsonObject;
  /** null: the journal has nothing of it. */
  readonly answer: ExplainedDocument | null;
  readonly caveats: readonly string[];
  readonly sources: readonly SourceDocument[];
}

export interface StateDocument {
  readonly schema_version: number;
  readonly time: string;
  readonly node: number;
  /** The moment that it is about. */
  readonly at: string;
  readonly leader: number | null;
  readonly generation: number | null;
  readonly recovering: boolean;
  readonly nodes: readonly {
    readonly node: number;
    readonly address: string;
    /** Names, as `ctdb status` has them. */
    readonly flags: readonly string[];
    readonly running: boolean | null;
  }[];
  readonly addresses: readonly { readonly address: string; readonly node: number | null }[];
  readonly databases: readonly {
    readonly name: string;
    readonly id: number;
    readonly kind: string;
  }[];
  readonly caveats: readonly string[];
  readonly sources: readonly SourceDocument[];
}

/** Causes of causes: more than any chain has, and what a reader can go down. */
const EXPLAINED_DEPTH_MAX = 64;

export function readJournalDocument(value: JsonObject): Result<JournalDocument> {
  const { time, node, events, sources } = value;
  if (!isTime(time) || !isCount(node)) return err("expected time and node");
  if (!isListOf(events, isEvent)) return err("expected events");
  if (!isListOf(sources, isSource)) return err("expected sources");
  return ok(value as unknown as JournalDocument);
}

export function readWhyDocument(value: JsonObject): Result<WhyDocument> {
  const { time, node, answer, caveats, sources } = value;
  if (!isTime(time) || !isCount(node)) return err("expected time and node");
  if (answer !== null && !isExplained(answer, EXPLAINED_DEPTH_MAX))
    return err("expected an answer");
  if (!isListOf(caveats, isText)) return err("expected caveats");
  if (!isListOf(sources, isSource)) return err("expected sources");
  return ok(value as unknown as WhyDocument);
}

export function readStateDocument(value: JsonObject): Result<StateDocument> {
  const { time, node, at, leader, generation, nodes, addresses, databases, caveats } = value;
  if (!isTime(time) || !isCount(node) || !isTime(at)) return err("expected time, node and at");
  if (!isCountOrNull(leader)) return err("expected a leader");
  if (!isCountOrNull(generation)) return err("expected a generation");
  const isNode = (each: JsonObject) =>
    isCount(each["node"]) && isText(each["address"]) && isListOf(each["flags"], isText);
  if (!isListOf(nodes, ifObject(isNode))) return err("expected nodes");
  const isAddress = (each: JsonObject) => isText(each["address"]) && isCountOrNull(each["node"]);
  if (!isListOf(addresses, ifObject(isAddress))) return err("expected addresses");
  const isDatabase = (each: JsonObject) =>
    isText(each["name"]) && isCount(each["id"]) && isText(each["kind"]);
  if (!isListOf(databases, ifObject(isDatabase))) return err("expected databases");
  if (!isListOf(caveats, isText)) return err("expected caveats");
  return ok(value as unknown as StateDocument);
}

function isExplained(value: unknown, depthLeft: number): boolean {
  const { event, text, because } = (value ?? {}) as JsonObject;
  const isCause = (each: unknown) => isExplained(each, depthLeft - 1);
  return depthLeft > 0 && isEvent(event) && isText(text) && isListOf(because, isCause);
}

const isEvent = ifObject(({ id, node, time, common_time, process, text, event }) => {
  if (!isCount(id) || !isCount(node) || !isTime(time) || !isTime(common_time)) return false;
  return isText(process) && isText(text) && isText((event as JsonObject | null)?.["kind"]);
});

const isSource = ifObject(({ node, journal, reason }) => {
  return isCount(node) && isText(journal) && (reason === null || isText(reason));
});

function ifObject(check: (value: JsonObject) => boolean): (value: unknown) => boolean {
  return (value) => typeof value === "object" && value !== null && check(value as JsonObject);
}

function isListOf(value: unknown, check: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(check);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTime(value: unknown): value is string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isCountOrNull(value: unknown): boolean {
  return value === null || isCount(value);
}
