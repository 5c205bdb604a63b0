/**
 * How events travel (docs/journal.md): children report them to their ctdbd, which keeps them in a ring until the one
 * that reads has acknowledged them.
 *
 *     child ── JournalReport ──▶ ctdbd ◀── JournalRead (which acknowledges) ── reader
 *                                  └────── JournalBatch ───────────────────────▶
 *
 * Both sides are of this node: a report or a request that another node sends is dropped.
 */
import type { JournalEvent, JournalProcess } from "../base/journal_event.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import { decodeJson, encodeJson, type JsonObject, parseSrvid, srvidText } from "./json_message.ts";

const REPORT_BYTES_MAX = 1024 * 1024;
const READ_BYTES_MAX = 1024;
/** A batch has at least one event, and ends with the one that takes it beyond. */
export const BATCH_BYTES = 256 * 1024;
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
export const BATCH_EVENTS_MAX = 512;

export interface JournalEntry {
  readonly time_us: number;
  /** Of the monotonic clock of the process that says it, from its start. */
  readonly monotonic_ms: number;
  readonly process: JournalProcess;
  readonly event: JournalEvent;
}

/** The event is what the child says: who keeps it looks whether it is one. */
export interface JournalReport {
  readonly process: string;
  readonly entries: readonly {
    readonly time_us: number;
    readonly monotonic_ms: number;
    readonly event: JsonObject;
  }[];
}

export interface JournalRead {
  /** Where batches go. */
  readonly reader: U64;
  /** Name of the ring that was read before, and the last event of it that is kept for good; empty and 0 at first. */
  readonly ring: string;
  readonly kept: number;
}

export interface JournalBatch {
  /** Each start of a ctdbd has a ring, and numbers from 1. */
  readonly ring: string;
  readonly node: number;
  /** Number of the first of these events. More than the last that was kept plus one: those between are lost. */
  readonly first: number;
  readonly entries: readonly JournalEntry[];
}

export function encodeReport(report: JournalReport): Uint8Array {
  return encodeJson(report);
}

export function decodeReport(data: Uint8Array): Result<JournalReport> {
  const read = decodeJson(data, REPORT_BYTES_MAX);
  if (!read.ok) return read;
  const { process: name, entries } = read.value;
  if (typeof name !== "string" || name.length > 32) return err("expected the process");
  if (!Array.isArray(entries)) return err("expected entries");
  for (const entry of entries as readonly unknown[]) {
    const { time_us, monotonic_ms, event } = (entry ?? {}) as JsonObject;
    if (!isNumber(time_us) || !isNumber(monotonic_ms)) return err("expected times of each entry");
    if (typeof (event as JsonObject | null | undefined)?.["kind"] !== "string") {
      return err("expected an event of each entry");
    }
  }
  return ok({ process: name, entries: entries as JournalReport["entries"] });
}

export function encodeRead({ reader, ring, kept }: JournalRead): Uint8Array {
  return encodeJson({ reader: srvidText(reader), ring, kept });
}

export function decodeRead(data: Uint8Array): Result<JournalRead> {
  const read = decodeJson(data, READ_BYTES_MAX);
  if (!read.ok) return read;
  const { ring, kept } = read.value;
  const reader = parseSrvid(read.value["reader"]);
  if (reader === undefined) return err("expected the srvid of the reader");
  if (typeof ring !== "string") return err("expected the name of a ring");
  if (!isNumber(kept) || !Number.isSafeInteger(kept) || kept < 0) return err("expected a number");
  return ok({ reader, ring, kept });
}

export function encodeBatch(batch: JournalBatch): Uint8Array {
  return encodeJson(batch);
}

/** Of our own ctdbd, whose events are looked at by who keeps them. */
export function decodeBatch(data: Uint8Array): Result<JournalBatch> {
  const read = decodeJson(data, BATCH_BYTES_MAX);
  if (!read.ok) return read;
  const { ring, node, first, entries } = read.value;
  if (typeof ring !== "string" || ring === "") return err("expected the name of a ring");
  if (!isNumber(node) || !isNumber(first) || !Number.isSafeInteger(first) || first < 1) {
    return err("expected the numbers of a batch");
  }
  if (!Array.isArray(entries)) return err("expected entries");
  return ok({ ring, node, first, entries });
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
