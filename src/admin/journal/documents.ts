/** What the journal's routes answer, and what is read of other nodes' answers. */
import * as v from "valibot";
import type {
  ClusterState,
  Explained,
  Explanation,
  KeptEvent,
  MergedEvent,
  WhyQuestion,
} from "../../journal/types.ts";
import { parseTimeText, timeText } from "../api/times.ts";
import { FLAG_WORDS, flagWords } from "../cluster/flag_words.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/));

export const eventSchema = v.strictObject({
  id: count,
  node: count,
  ring: v.string(),
  number: count,
  /** By the clock of its node. */
  time,
  /** By the clock of who answers; with scope=cluster. */
  common_time: v.exactOptional(time),
  monotonic_ms: v.pipe(v.number(), v.minValue(0)),
  process: v.string(),
  event: v.looseObject({ kind: v.string() }),
});
export type EventDocument = v.InferOutput<typeof eventSchema>;

export const journalSchema = v.strictObject({
  node: v.nullable(count),
  scope: v.picklist(["node", "cluster"]),
  events: v.array(eventSchema),
  /** What the reader must know beside. */
  caveats: v.array(v.string()),
});

const explainedSchema: v.GenericSchema = v.strictObject({
  event: eventSchema,
  text: v.string(),
  because: v.array(v.lazy(() => explainedSchema)),
});

export const explanationSchema = v.strictObject({
  question: v.strictObject({
    subject: v.string(),
    node: v.exactOptional(count),
    address: v.exactOptional(v.string()),
    event: v.exactOptional(count),
    at: v.exactOptional(time),
  }),
  /** null: the journal has nothing of it. */
  answer: v.nullable(explainedSchema),
  caveats: v.array(v.string()),
});

export const stateSchema = v.strictObject({
  time,
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
  caveats: v.array(v.string()),
});

export function eventDocument(kept: KeptEvent | MergedEvent): EventDocument {
  const common = "common_us" in kept ? { common_time: timeText(kept.common_us) } : {};
  return {
    id: kept.id,
    node: kept.node,
    ring: kept.ring,
    number: kept.number,
    time: timeText(kept.time_us),
    ...common,
    monotonic_ms: kept.monotonic_ms,
    process: kept.process,
    event: { ...kept.event },
  };
}

/** Of another node: its events are looked at as ours are. undefined: it is no answer of a journal. */
export function keptEvents(document: unknown): readonly KeptEvent[] | undefined {
  const parsed = v.safeParse(nodeAnswer, document);
  if (!parsed.success) return undefined;
  return parsed.output.events.map(({ time: text, common_time: _, ...rest }) => ({
    ...rest,
    time_us: parseTimeText(text) ?? 0,
  })) as unknown as readonly KeptEvent[];
}

/** Later releases may say more. */
const nodeAnswer = v.object({ events: v.array(v.object(eventSchema.entries)) });

export function explanationDocument({ question, answer, caveats }: Explanation) {
  return {
    question: questionDocument(question),
    answer: answer === undefined ? null : explainedDocument(answer),
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
    ...(atUs === undefined ? {} : { at: timeText(atUs) }),
  };
}

function explainedDocument({ event, text, because }: Explained): object {
  return { event: eventDocument(event), text, because: because.map(explainedDocument) };
}

export function stateDocument(state: ClusterState) {
  return {
    time: timeText(state.atUs),
    leader: state.leader,
    generation: state.generation,
    recovering: state.recovering,
    nodes: state.nodes.map((each) => ({ ...each, flags: flagWords(each.flags) })),
    addresses: state.addresses.map((each) => ({ ...each })),
    databases: state.databases.map((each) => ({ ...each })),
    caveats: [...state.caveats],
  };
}
