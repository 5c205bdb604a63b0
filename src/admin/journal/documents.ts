/**
 * What the journal's routes answer (wire/journal_documents.ts), as schemas, and what is made of the journal's answers. Nodes
 * ask each other for events as they are kept (`form=kept`), which the merge needs.
 */
import * as v from "valibot";
import type { Result } from "../../base/result.ts";
import { rfc3339Text } from "../../base/rfc3339.ts";
import type {
  ClusterState,
  Explained,
  Explanation,
  KeptEvent,
  MergedEvent,
  WhyQuestion,
} from "../../journal/types.ts";
import { FLAG_WORDS, flagWords } from "../../wire/flag_words.ts";
import type { EventDocument, SourceDocument } from "../../wire/journal_documents.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/));

const eventSchema = v.strictObject({
  id: count,
  node: count,
  /** By the clock of its node. */
  time,
  /** By the clock of who answers. */
  common_time: time,
  process: v.string(),
  text: v.string(),
  event: v.looseObject({ kind: v.string() }),
});

const sourceSchema = v.strictObject({
  node: count,
  journal: v.picklist(["kept", "none", "silent"]),
  reason: v.nullable(v.string()),
  clock_ahead_ms: v.nullable(v.number()),
  clock_error_ms: v.nullable(v.number()),
});

const keptEventSchema = v.object({
  id: count,
  node: count,
  ring: v.string(),
  number: count,
  time_us: count,
  monotonic_ms: v.pipe(v.number(), v.minValue(0)),
  process: v.string(),
  event: v.looseObject({ kind: v.string() }),
});

const sources = v.array(sourceSchema);
const caveats = v.array(v.string());

const listedSchema = v.strictObject({ time, node: count, events: v.array(eventSchema), sources });
/** Of events as they are kept, for other nodes. */
const keptSchema = v.object({ kept: v.array(keptEventSchema) });
export const journalSchema = v.union([listedSchema, v.strictObject(keptSchema.entries)]);

const explainedSchema: v.GenericSchema = v.strictObject({
  event: eventSchema,
  text: v.string(),
  because: v.array(v.lazy(() => explainedSchema)),
});

export const whySchema = v.strictObject({
  time,
  node: count,
  question: v.looseObject({ subject: v.string() }),
  /** null: the journal has nothing of it. */
  answer: v.nullable(explainedSchema),
  caveats,
  sources,
});

export const stateSchema = v.strictObject({
  time,
  node: count,
  at: time,
  leader: v.nullable(count),
  generation: v.nullable(count),
  recovering: v.boolean(),
  nodes: v.array(
    v.strictObject({
      node: count,
      address: v.string(),
      flags: v.array(v.picklist(FLAG_WORDS)),
      running: v.nullable(v.boolean()),
    }),
  ),
  addresses: v.array(v.strictObject({ address: v.string(), node: v.nullable(count) })),
  databases: v.array(v.strictObject({ name: v.string(), id: count, kind: v.string() })),
  caveats,
  sources,
});

/** What an event says in a sentence. */
export type Sentence = (event: MergedEvent) => string;

export function eventDocument(kept: KeptEvent | MergedEvent, sentence: Sentence): EventDocument {
  const merged = "common_us" in kept ? kept : { ...kept, common_us: kept.time_us };
  return {
    id: kept.id,
    node: kept.node,
    time: rfc3339Text(kept.time_us),
    common_time: rfc3339Text(merged.common_us),
    process: kept.process,
    text: sentence(merged),
    event: { ...kept.event },
  };
}

/** Of another node, whose events are looked at as ours are. */
export function readKept(document: unknown): Result<readonly KeptEvent[]> {
  const parsed = v.safeParse(keptSchema, document);
  if (parsed.success) return { ok: true, value: parsed.output.kept as unknown as KeptEvent[] };
  return { ok: false, error: "expected events as they are kept" };
}

export function whyDocument({ question, answer, caveats }: Explanation, sentence: Sentence) {
  return {
    question: questionDocument(question),
    answer: answer === undefined ? null : explainedDocument(answer, sentence),
    caveats: [...caveats],
  };
}

function questionDocument(question: WhyQuestion): object {
  const { atUs, subject } = question;
  return {
    subject,
    ...("node" in question ? { node: question.node } : {}),
    ...("address" in question ? { address: question.address } : {}),
    ...("id" in question ? { event: question.id } : {}),
    ...("flag" in question ? { flag: flagWords(question.flag ?? 0)[0] } : {}),
    ...(atUs === undefined ? {} : { at: rfc3339Text(atUs) }),
  };
}

function explainedDocument({ event, text, because }: Explained, sentence: Sentence): object {
  return {
    event: eventDocument(event, sentence),
    text,
    because: because.map((each) => explainedDocument(each, sentence)),
  };
}

export function stateDocument(state: ClusterState) {
  return {
    at: rfc3339Text(state.atUs),
    leader: state.leader,
    generation: state.generation,
    recovering: state.recovering,
    nodes: state.nodes.map((each) => ({ ...each, flags: flagWords(each.flags) })),
    addresses: state.addresses.map((each) => ({ ...each })),
    databases: state.databases.map((each) => ({ ...each })),
    caveats: [...state.caveats],
  };
}

export function sourceDocument(
  node: number,
  known: { readonly clock?: { readonly aheadUs: number; readonly errorUs: number } },
): SourceDocument {
  const { clock = { aheadUs: 0, errorUs: 0 } } = known;
  return {
    node,
    journal: "kept",
    reason: null,
    clock_ahead_ms: clock.aheadUs / 1000,
    clock_error_ms: clock.errorUs / 1000,
  };
}

/** Of a node that has not answered. */
export function silentSource(
  node: number,
  journal: "none" | "silent",
  reason: string,
): SourceDocument {
  return { node, journal, reason, clock_ahead_ms: null, clock_error_ms: null };
}
