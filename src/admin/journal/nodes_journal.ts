/**
 * The journals of all nodes (JournalSource): the own one from its file, the others over messages to their ctdb-admind.
 *
 * Invariants:
 * 1. An answer is there for each node that was wanted, within OTHER_NODE_MS_MAX: events, or why there are none.
 * 2. What others say is looked at: events are events of that node, whatever it claims.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { ApiOutcome } from "../../client/api_request.ts";
import { readKeptEvent } from "../../journal/event_schemas.ts";
import type {
  JournalQuery,
  JournalSource,
  JournalStore,
  KeptEvent,
  NodeAnswer,
} from "../../journal/types.ts";
import type { SourceDocument } from "../../wire/journal_documents.ts";
import { OTHER_NODE_MS_MAX, QUESTIONS_TO_NODES_MAX } from "../limits.ts";
import { readKept, silentSource, sourceDocument } from "./documents.ts";

export interface NodesJournalParts {
  readonly store: Pick<JournalStore, "query">;
  /** undefined: not connected yet. */
  ownNode(): number | undefined;
  /** All nodes of the cluster, and whether they are connected. */
  nodes(): Promise<readonly { readonly node: number; readonly connected: boolean }[]>;
  ask(node: number, path: string, timeoutMs: number): Promise<ApiOutcome>;
}

export class NodesJournal implements JournalSource {
  readonly #d: NodesJournalParts;

  constructor(parts: NodesJournalParts) {
    this.#d = parts;
  }

  async ask(query: JournalQuery, wanted?: readonly number[]): Promise<readonly NodeAnswer[]> {
    const own = this.#d.ownNode();
    const nodes = (await this.#d.nodes()).filter(
      ({ node }) => wanted === undefined || wanted.includes(node),
    );
    const others = nodes.filter(({ node }) => node !== own).slice(0, QUESTIONS_TO_NODES_MAX);
    const wantsOwn = wanted === undefined || own === undefined || wanted.includes(own);
    const answers = await Promise.all(
      others.map(({ node, connected }) =>
        connected ? this.#askNode(node, query) : noAnswer(node, `node ${node} is not connected`),
      ),
    );
    return wantsOwn ? [this.#own(own ?? 0, query), ...answers] : answers;
  }

  #own(node: number, query: JournalQuery): NodeAnswer {
    return { node, events: this.#d.store.query(query), clockAheadUs: 0, clockErrorUs: 0 };
  }

  async #askNode(node: number, query: JournalQuery): Promise<NodeAnswer> {
    const path = `/api/v1/journal?${parametersOf(query)}`;
    const outcome = await this.#d.ask(node, path, OTHER_NODE_MS_MAX);
    if (!outcome.ok) return noAnswer(node, outcome.error.reason);
    const { status, text, clock } = outcome.value;
    if (status !== 200) return noAnswer(node, `node ${node} refuses with status ${status}`);
    const events = eventsOf(node, text);
    return { node, events, clockAheadUs: clock.aheadUs, clockErrorUs: clock.errorUs };
  }
}

function noAnswer(node: number, reason: string): NodeAnswer {
  return { node, events: err(reason), clockAheadUs: 0, clockErrorUs: 0 };
}

function parametersOf(query: JournalQuery): URLSearchParams {
  const seconds = (us: number) => (us / 1_000_000).toFixed(6);
  const { sinceUs, untilUs, kinds, afterId, beforeId } = query;
  return new URLSearchParams({
    form: "kept",
    limit: String(query.limit),
    order: query.newestFirst === true ? "desc" : "asc",
    ...(sinceUs === undefined ? {} : { since: seconds(sinceUs) }),
    ...(untilUs === undefined ? {} : { until: seconds(untilUs) }),
    ...(kinds === undefined ? {} : { kind: kinds.join(",") }),
    ...(afterId === undefined ? {} : { after: String(afterId) }),
    ...(beforeId === undefined ? {} : { before: String(beforeId) }),
  });
}

function eventsOf(node: number, text: string): Result<readonly KeptEvent[]> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return err(`node ${node} has answered what is no JSON`);
  }
  const kept = readKept(document);
  if (!kept.ok) return err(`node ${node}: ${kept.error}`);
  const own = kept.value.filter((each) => each.node === node);
  // A later release may have kinds that this one does not know: those are gaps here.
  return ok(own.map((each) => ({ ...each, event: readKeptEvent(each.event) })));
}

/** What a document says of those that were asked. */
export function sourcesOf(answers: readonly NodeAnswer[]): readonly SourceDocument[] {
  return answers.map(({ node, events, clockAheadUs, clockErrorUs }) => {
    if (events.ok) {
      return sourceDocument(node, { clock: { aheadUs: clockAheadUs, errorUs: clockErrorUs } });
    }
    const kind = events.error.startsWith("no journal") ? "none" : "silent";
    return silentSource(node, kind, events.error);
  });
}

/** Remembers who was asked, for answers that take several questions. */
export class RememberedSource implements JournalSource {
  readonly #source: JournalSource;
  readonly #last = new Map<number, NodeAnswer>();

  constructor(source: JournalSource) {
    this.#source = source;
  }

  async ask(query: JournalQuery, nodes?: readonly number[]): Promise<readonly NodeAnswer[]> {
    const answers = await this.#source.ask(query, nodes);
    for (const answer of answers) this.#last.set(answer.node, answer);
    return answers;
  }

  get sources(): readonly SourceDocument[] {
    return sourcesOf([...this.#last.values()].sort((a, b) => a.node - b.node));
  }
}
