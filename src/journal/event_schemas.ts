/**
 * The table of base/journal_event.ts as schemas, for what comes from other processes and nodes and out of the file.
 *
 * Invariants:
 * 1. What a schema lets through has exactly the fields of its kind, within the bounds: what else came is left out.
 * 2. A text or a list that is too long costs its end, never the event.
 *
 * The compiler holds both tables equal (event_schemas.test.ts).
 */
import * as v from "valibot";
import {
  JOURNAL_LIST_ENTRIES_MAX,
  JOURNAL_TEXT_CHARACTERS_MAX,
  type JournalEvent,
  type JournalKind,
  type JournalProcess,
} from "../base/journal_event.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { KeptEvent } from "./types.ts";

const text = v.pipe(
  v.string(),
  v.transform((value) => cutText(value)),
);
const number = v.pipe(v.number(), v.finite());
const pnn = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const maybe = v.nullable;

const list = <const T extends v.GenericSchema>(entry: T) =>
  v.pipe(
    v.array(entry),
    v.transform((entries) => entries.slice(0, JOURNAL_LIST_ENTRIES_MAX)),
  );

const PROCESSES = [
  "ctdbd",
  "recoverd",
  "eventd",
  "admind",
  "recovery_helper",
  "takeover_helper",
] as const satisfies readonly JournalProcess[];

export const processSchema = v.picklist(PROCESSES);

const actor = v.object({
  node: maybe(pnn),
  pid: v.exactOptional(number),
  program: v.exactOptional(text),
});
const databaseType = v.picklist(["volatile", "persistent", "replicated"]);
const database = v.object({ name: text, id: number, kind: databaseType });

/** The fields of each kind. */
export const EVENT_SCHEMAS = {
  process_started: v.object({ process: processSchema, pid: number, version: text }),
  process_ended: v.object({ process: processSchema, pid: maybe(number), how: text }),
  runstate: v.object({ runstate: text }),
  shutdown: v.object({ reason: text }),
  state: v.object({
    runstate: text,
    generation: number,
    recovering: v.boolean(),
    leader: maybe(pnn),
    nodes: list(v.object({ node: pnn, address: text, flags: number })),
    addresses: list(v.object({ address: text, node: maybe(pnn) })),
    databases: list(database),
  }),

  link_up: v.object({ peer: pnn }),
  link_down: v.object({ peer: pnn, reason: text }),
  link_missing: v.object({ peer: pnn, seen_by: list(pnn) }),
  flags: v.object({ target: pnn, before: number, after: number, reason: text, by: actor }),
  nodes_file: v.object({ added: list(pnn), removed: list(pnn) }),

  election: v.object({ reason: text }),
  leader: v.object({ before: maybe(pnn), after: maybe(pnn), reason: text }),
  lock_taken: v.object({ lock: text, duration_ms: number }),
  lock_refused: v.object({ lock: text, reason: text }),
  lock_lost: v.object({ lock: text, reason: text }),
  lock_released: v.object({ lock: text }),

  recovery_started: v.object({
    generation: number,
    reason: text,
    nodes: list(pnn),
    culprit: maybe(pnn),
  }),
  recovery_step: v.object({ generation: number, step: text, duration_ms: number }),
  recovery_database: v.object({
    generation: number,
    database: text,
    records: number,
    duration_ms: number,
  }),
  recovery_ended: v.object({
    generation: number,
    succeeded: v.boolean(),
    reason: maybe(text),
    duration_ms: number,
  }),
  recovery_mode: v.object({ active: v.boolean(), generation: number, reason: text }),

  blame: v.object({ target: pnn, credits: number, total: number, limit: number, reason: text }),
  ban: v.object({ target: pnn, seconds: number, reason: text, by: actor }),
  unban: v.object({ target: pnn, how: v.picklist(["expired", "asked"]), by: actor }),

  takeover_started: v.object({ reason: text }),
  address_assigned: v.object({ address: text, from: maybe(pnn), to: maybe(pnn), reason: text }),
  takeover_ended: v.object({ succeeded: v.boolean(), reason: maybe(text), duration_ms: number }),
  address_taken: v.object({
    address: text,
    interface: text,
    duration_ms: number,
    failure: maybe(text),
  }),
  address_released: v.object({
    address: text,
    interface: text,
    duration_ms: number,
    failure: maybe(text),
  }),
  interface_link: v.object({ interface: text, up: v.boolean() }),

  script_failed: v.object({
    event: text,
    script: text,
    result: number,
    line: maybe(text),
    duration_ms: maybe(number),
  }),
  event_failed: v.object({ event: text, status: text, duration_ms: number }),
  event_recovered: v.object({ event: text }),

  database_attached: v.object({ name: text, id: number, type: databaseType }),
  database_detached: v.object({ name: text, id: number }),
  database_unhealthy: v.object({ name: text, reason: text }),
  database_warning: v.object({ name: text, warning: text }),
  client_died: v.object({ pid: number, program: text, database: maybe(text), during: text }),

  long_turn: v.object({
    duration_ms: number,
    busy_ms: number,
    spans: list(v.object({ name: text, depth: number, duration_ms: number })),
  }),

  paused: v.object({ duration_ms: number }),
  clock_set: v.object({ by_ms: number }),

  tunable: v.object({ name: text, before: number, after: number, by: actor }),
  configuration: v.object({
    changes: list(v.object({ option: text, before: maybe(text), after: maybe(text) })),
    by: actor,
  }),

  action: v.object({
    action: text,
    target: maybe(pnn),
    arguments: list(text),
    who: text,
    before: maybe(text),
    after: maybe(text),
    failure: maybe(text),
  }),
} as const satisfies Record<JournalKind, v.GenericSchema>;

/** An event as it travels. */
export function readEvent(event: unknown): Result<JournalEvent> {
  const kind: unknown = (event as { readonly kind?: unknown } | null | undefined)?.kind;
  if (typeof kind !== "string") return err("expected an event with a kind");
  if (!Object.hasOwn(EVENT_SCHEMAS, kind)) {
    return err(`expected a kind of event, got "${cutText(kind)}"`);
  }
  const read = v.safeParse(EVENT_SCHEMAS[kind as JournalKind], event);
  if (read.success) return ok({ kind, ...read.output } as JournalEvent);
  const [issue] = read.issues;
  return err(`${v.getDotPath(issue) ?? kind}: ${issue.message}`);
}

const gapSchema = v.object({ kind: v.literal("gap"), missing: maybe(number), reason: text });

/**
 * An event out of a journal, of this node or another. What cannot be read is a gap: another version may have kept what
 * this one does not know.
 */
export function readKeptEvent(event: unknown): KeptEvent["event"] {
  const gap = v.safeParse(gapSchema, event);
  if (gap.success) return gap.output;
  const read = readEvent(event);
  if (read.ok) return read.value;
  return {
    kind: "gap",
    missing: 1,
    reason: `an event was kept that cannot be read: ${read.error}`,
  };
}

/** As far as it is kept; not in the middle of a character. */
function cutText(value: string): string {
  if (value.length <= JOURNAL_TEXT_CHARACTERS_MAX) return value;
  const cut = value.slice(0, JOURNAL_TEXT_CHARACTERS_MAX - 1);
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}
