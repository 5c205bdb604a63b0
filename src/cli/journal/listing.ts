/**
 * Events of several journals, each asked page by page, in the order of our own clock.
 *
 * 1. What was asked of a node once is not asked again: the last id that it gave is its cursor.
 * 2. A node that does not answer is named once, and once more when it does again.
 */

import { parseRfc3339, rfc3339Text } from "../../base/rfc3339.ts";
import type { JournalDocument } from "../../wire/journal_documents.ts";
import { type EventDocument, readJournalDocument } from "../../wire/journal_documents.ts";
import type { JournalSourceFacts, ListedEventFacts } from "../schemas/journal.ts";
import type { Answered, JournalAsker, Refusal } from "./ask.ts";

/** What a node gives at a time. */
const PAGE_EVENTS = 500;

export interface Filter {
  readonly since: string | undefined;
  readonly until: string | undefined;
  /** Kinds, with commas between them. */
  readonly kind: string | undefined;
}

export interface NodeEvents {
  readonly node: number;
  readonly events: readonly ListedEventFacts[];
  readonly source: JournalSourceFacts;
  /** When it was not answered. */
  readonly refusal: Refusal | undefined;
}

/** The newest of a node, oldest first, up to `limit`. */
export async function newestEvents(
  asker: JournalAsker,
  node: number,
  filter: Filter,
  limit: number,
): Promise<NodeEvents> {
  const events: ListedEventFacts[] = [];
  let source: JournalSourceFacts | undefined;
  let before: number | undefined;
  while (events.length < limit || source === undefined) {
    const count = Math.min(PAGE_EVENTS, limit - events.length);
    const page = await ask(asker, node, { ...filter, before, order: "desc", limit: count });
    if (!page.ok)
      return { node, events: [], source: silent(node, page.error), refusal: page.error };
    const listed = listedOf(page.value);
    source = kept(page.value);
    events.push(...listed);
    before = listed.at(-1)?.id;
    if (listed.length < count || before === undefined) break;
  }
  return { node, events: events.reverse(), source, refusal: undefined };
}

/** What came after the event `after`, oldest first; `undefined`: nothing came before. */
export async function eventsAfter(
  asker: JournalAsker,
  node: number,
  filter: Filter,
  after: number | undefined,
): Promise<NodeEvents> {
  const page = await ask(asker, node, { ...filter, after, order: "asc", limit: PAGE_EVENTS });
  if (!page.ok) return { node, events: [], source: silent(node, page.error), refusal: page.error };
  return { node, events: listedOf(page.value), source: kept(page.value), refusal: undefined };
}

/** By our clock; those of one moment and node in the order in which they were kept. */
export function inOrder(events: readonly ListedEventFacts[]): readonly ListedEventFacts[] {
  const keyed = events.map((event) => ({ event, us: parseRfc3339(event.common_time) }));
  keyed.sort((a, b) => a.us - b.us || a.event.node - b.event.node || a.event.id - b.event.id);
  return keyed.map(({ event }) => event);
}

interface PageQuery extends Filter {
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly order: "asc" | "desc";
  readonly limit: number;
}

function ask(asker: JournalAsker, node: number, query: PageQuery) {
  const parameters = new URLSearchParams({ scope: "node" });
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return asker.ask(node, `/api/v1/journal?${parameters}`, readJournalDocument);
}

function listedOf({ answer, document }: Answered<JournalDocument>): ListedEventFacts[] {
  const { aheadUs } = answer.clock;
  return document.events.map((event: EventDocument) => ({
    ...event,
    common_time: rfc3339Text(Math.max(0, parseRfc3339(event.time) - aheadUs)),
  }));
}

function kept({ answer }: Answered<JournalDocument>): JournalSourceFacts {
  const { aheadUs, errorUs } = answer.clock;
  const clock = { clock_ahead_ms: aheadUs / 1000, clock_error_ms: errorUs / 1000 };
  return { node: answer.node, journal: "kept", reason: null, ...clock };
}

function silent(node: number, { kind, reason }: Refusal): JournalSourceFacts {
  const journal = kind === "no journal" ? "none" : "silent";
  return { node, journal, reason, clock_ahead_ms: null, clock_error_ms: null };
}
