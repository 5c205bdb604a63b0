/** Documents about what happened: of `journal`, `why` and `state`. */
import * as v from "valibot";
import type { ExplainedDocument } from "../../wire/journal_documents.ts";
import { count, type Facts, pnn, u32 } from "./facts.ts";

/** RFC 3339 in UTC, with microseconds. */
const moment = v.pipe(v.string(), v.isoTimestamp());

const listedEvent = v.strictObject({
  /** Cursor, of the journal of its node. */
  id: count,
  node: pnn,
  /** By the clock of its node. */
  time: moment,
  /** By the clock of the node that answers. */
  common_time: moment,
  process: v.string(),
  /** What happened, in a sentence. */
  text: v.string(),
  /** What else it has depends on its kind. */
  event: v.looseObject({ kind: v.string() }),
});
export type ListedEventFacts = Facts<typeof listedEvent>;

/** A node whose journal was wanted. */
const source = v.strictObject({
  node: pnn,
  journal: v.picklist(["kept", "none", "silent"]),
  reason: v.nullable(v.string()),
  /** What its clock is ahead of that of the node that answers; null when it did not answer. */
  clock_ahead_ms: v.nullable(v.number()),
  clock_error_ms: v.nullable(v.number()),
});
export type JournalSourceFacts = Facts<typeof source>;

export const journalFacts = v.strictObject({
  time: moment,
  node: pnn,
  sources: v.array(source),
  /** The oldest first. */
  events: v.array(listedEvent),
});
export type JournalFacts = Facts<typeof journalFacts>;

/** With what led to it. */
const explained: v.GenericSchema<ExplainedDocument> = v.strictObject({
  event: listedEvent,
  text: v.string(),
  because: v.array(v.lazy(() => explained)),
});

export const whyFacts = v.strictObject({
  time: moment,
  node: pnn,
  question: v.record(v.string(), v.unknown()),
  /** null: the journal has nothing of it. */
  answer: v.nullable(explained),
  /** What is to be known beside: gaps, nodes without a journal. */
  caveats: v.array(v.string()),
  sources: v.array(source),
});

export const stateFacts = v.strictObject({
  time: moment,
  node: pnn,
  at: moment,
  leader: v.nullable(pnn),
  generation: v.nullable(u32),
  recovering: v.boolean(),
  nodes: v.array(
    v.strictObject({
      node: pnn,
      address: v.string(),
      flags: v.array(v.string()),
      /** null: not known. */
      running: v.nullable(v.boolean()),
    }),
  ),
  addresses: v.array(v.strictObject({ address: v.string(), node: v.nullable(pnn) })),
  databases: v.array(v.strictObject({ name: v.string(), id: u32, kind: v.string() })),
  caveats: v.array(v.string()),
  sources: v.array(source),
});
