/**
 * Answers a question from the journals of all nodes: finds the event that it is about, reads what was around it, and
 * explains it. What is read is bounded by why/limits.ts, however large the journals are.
 */
import { JOURNAL_KINDS } from "../../base/journal_event.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { askNodes, gapsIn, silentNodes, strangeClocks } from "../cluster/ask_nodes.ts";
import { mergeEvents } from "../merge.ts";
import type {
  Explanation,
  JournalQuery,
  JournalSource,
  KeptKind,
  MergedEvent,
  NodeAnswer,
  WhyQuestion,
} from "../types.ts";
import { type Anchor, anchorsOf, pickAnchor } from "./anchors.ts";
import { explainEvent } from "./explain.ts";
import {
  ANCHOR_PAGE_EVENTS,
  ANCHOR_PAGES_MAX,
  CLOCK_ERROR_MS,
  CONTEXT_EVENTS_MAX,
  CONTEXT_MS,
  EVIDENCE_EVENTS_MAX,
  EVIDENCE_MS,
} from "./limits.ts";
import { flagChanges, timeText } from "./words.ts";

/** Many of them say how a recovery went; none is the cause of anything. */
const NO_CAUSES: readonly KeptKind[] = ["recovery_step", "recovery_database", "state", "runstate"];
const CONTEXT_KINDS: readonly KeptKind[] = [
  ...JOURNAL_KINDS.filter((kind) => !NO_CAUSES.includes(kind)),
  "gap",
];
const EVIDENCE_KINDS: readonly KeptKind[] = ["process_started", "long_turn", "gap"];

export async function answerWhy(
  question: WhyQuestion,
  source: JournalSource,
): Promise<Explanation> {
  const found = await findAnchor(question, source);
  const { event, answers } = found;
  if (event === undefined) {
    const caveats = [...silentNodes(answers), ...(await oldestTimes(source))];
    return { question, answer: undefined, caveats };
  }
  const context = await contextOf(event, source);
  const merged = mergeEvents(context.answers);
  const same = merged.find(({ node, id }) => node === event.node && id === event.id);
  const events = same === undefined ? mergeEvents([...context.answers, alone(event)]) : merged;
  const anchor = same ?? events.find(({ node, id }) => node === event.node && id === event.id);
  const caveats = [
    ...(await overSince(question, event, found.answers, source)),
    ...silentNodes(context.answers),
    ...strangeClocks(context.answers),
    ...context.cut,
    ...gapsIn(events),
  ];
  return { question, answer: explainEvent(anchor ?? event, events), caveats };
}

/** A flag that a node has no more: the answer is about the last time that it had it. */
async function overSince(
  question: WhyQuestion,
  anchor: MergedEvent,
  answers: readonly NodeAnswer[],
  source: JournalSource,
): Promise<readonly string[]> {
  if (question.subject !== "flags" && question.subject !== "ban") return [];
  const { node, atUs = Number.POSITIVE_INFINITY } = question;
  const flag = question.subject === "ban" ? NODE_FLAGS.BANNED : question.flag;
  if (flag === undefined) return [];
  const isAfter = ({ common_us }: MergedEvent) => common_us > anchor.common_us && common_us <= atUs;
  const over = [...mergeEvents(answers), ...(await eventsOf(source, node, ["flags"]))].find(
    (each) => isAfter(each) && lostFlag(each, node, flag),
  );
  if (over !== undefined) {
    const [word = ""] = flagChanges(0, flag).gained;
    return [`Node ${node} is no longer ${word} since ${timeText(over.common_us)}`];
  }
  const starts = await eventsOf(source, node, ["process_started"]);
  const start = starts.find(
    (each) =>
      isAfter(each) && each.event.kind === "process_started" && each.event.process === "ctdbd",
  );
  if (start === undefined) return [];
  return [`ctdbd of node ${node} was started anew at ${timeText(start.common_us)}, after this`];
}

function lostFlag({ event }: MergedEvent, node: number, flag: number): boolean {
  return (
    event.kind === "flags" && event.target === node && (event.before & ~event.after & flag) !== 0
  );
}

/** The newest of a node's own journal. */
async function eventsOf(
  source: JournalSource,
  node: number,
  kinds: readonly KeptKind[],
): Promise<readonly MergedEvent[]> {
  const query = { kinds, newestFirst: true, limit: EVIDENCE_EVENTS_MAX };
  return mergeEvents(await source.ask(query, [node]));
}

interface Found {
  readonly event: MergedEvent | undefined;
  readonly answers: readonly NodeAnswer[];
}

async function findAnchor(question: WhyQuestion, source: JournalSource): Promise<Found> {
  if (question.subject === "event") {
    const { node, id } = question;
    const answers = await source.ask({ afterId: id - 1, beforeId: id + 1, limit: 1 }, [node]);
    return { event: mergeEvents(answers)[0], answers };
  }
  let answers: readonly NodeAnswer[] = [];
  for (const anchor of anchorsOf(question)) {
    answers = await pagesUntil(anchor, question.atUs, source);
    const event = pickAnchor(mergeEvents(answers), anchor, question.atUs);
    if (event !== undefined) return { event, answers };
  }
  return { event: undefined, answers };
}

/** Of each node, newest first, until one matches. */
async function pagesUntil(
  anchor: Anchor,
  atUs: number | undefined,
  source: JournalSource,
): Promise<readonly NodeAnswer[]> {
  const first: JournalQuery = {
    kinds: anchor.kinds,
    newestFirst: true,
    limit: ANCHOR_PAGE_EVENTS,
    ...(atUs === undefined ? {} : { untilUs: atUs }),
  };
  const answers = await askNodes(source, first);
  return await Promise.all(answers.map((answer) => morePages(anchor, atUs, source, first, answer)));
}

async function morePages(
  anchor: Anchor,
  atUs: number | undefined,
  source: JournalSource,
  query: JournalQuery,
  first: NodeAnswer,
): Promise<NodeAnswer> {
  let page = first;
  for (let pages = 1; pages < ANCHOR_PAGES_MAX; pages++) {
    if (!page.events.ok || page.events.value.length < ANCHOR_PAGE_EVENTS) return page;
    if (pickAnchor(mergeEvents([page]), anchor, atUs) !== undefined) return page;
    const beforeId = Math.min(...page.events.value.map(({ id }) => id));
    const [next] = await askNodes(source, { ...query, beforeId }, [page.node]);
    if (next === undefined) return page;
    page = next;
  }
  return page;
}

interface Context {
  readonly answers: readonly NodeAnswer[];
  /** What was not read, for a reader. */
  readonly cut: readonly string[];
}

async function contextOf(event: MergedEvent, source: JournalSource): Promise<Context> {
  const atUs = event.common_us;
  const [before, after] = await Promise.all([
    askNodes(source, {
      kinds: CONTEXT_KINDS,
      sinceUs: atUs - CONTEXT_MS * 1000,
      untilUs: atUs + CLOCK_ERROR_MS * 1000,
      newestFirst: true,
      limit: CONTEXT_EVENTS_MAX,
    }),
    askNodes(source, {
      kinds: EVIDENCE_KINDS,
      sinceUs: atUs,
      untilUs: atUs + EVIDENCE_MS * 1000,
      limit: EVIDENCE_EVENTS_MAX,
    }),
  ]);
  const cut = before.flatMap(({ node, events }) =>
    events.ok && events.value.length >= CONTEXT_EVENTS_MAX
      ? [`Only the last ${CONTEXT_EVENTS_MAX} events of node ${node} before it were looked at`]
      : [],
  );
  return { answers: before.map((answer) => together(answer, after)), cut };
}

function together(answer: NodeAnswer, others: readonly NodeAnswer[]): NodeAnswer {
  const other = others.find(({ node }) => node === answer.node);
  if (!answer.events.ok || other === undefined || !other.events.ok) return answer;
  const byId = new Map(
    [...answer.events.value, ...other.events.value].map((event) => [event.id, event]),
  );
  return { ...answer, events: { ok: true, value: [...byId.values()] } };
}

/** An event whose kind is none of those that are looked at for causes. */
function alone(event: MergedEvent): NodeAnswer {
  const clockAheadUs = event.time_us - event.common_us;
  return { node: event.node, events: { ok: true, value: [event] }, clockAheadUs, clockErrorUs: 0 };
}

/** So that a reader knows where nothing can be found any more. */
async function oldestTimes(source: JournalSource): Promise<readonly string[]> {
  const answers = await source.ask({ limit: 1 });
  return answers.flatMap(({ node, events, clockAheadUs }) => {
    const oldest = events.ok ? events.value[0] : undefined;
    if (oldest === undefined) return events.ok ? [`The journal of node ${node} is empty`] : [];
    return [`The journal of node ${node} begins at ${timeText(oldest.time_us - clockAheadUs)}`];
  });
}
