/** Journals of several nodes as a short list of what happened, and explanations as an indented text. */
import type { JournalProcess } from "../../src/base/journal_event.ts";
import { err, ok } from "../../src/base/result.ts";
import { mergeEvents } from "../../src/journal/merge.ts";
import type {
  Explained,
  JournalQuery,
  JournalSource,
  KeptEvent,
  MergedEvent,
  NodeAnswer,
  WhyQuestion,
} from "../../src/journal/types.ts";
import { anchorsOf, pickAnchor } from "../../src/journal/why/anchors.ts";
import { explainEvent } from "../../src/journal/why/explain.ts";

/** `at`: seconds by the clock of the asker. */
export type Happening = readonly [
  node: number,
  at: number,
  event: KeptEvent["event"],
  process?: JournalProcess,
];

export const STORY_START_US = Date.UTC(2026, 10, 29, 3, 0, 0) * 1000;

export interface StoryOptions {
  /** Seconds by node. */
  readonly clockAhead?: Readonly<Record<number, number>>;
  /** Nodes without a journal, and why. */
  readonly silent?: Readonly<Record<number, string>>;
}

/** The journals of the nodes of a story; a start of ctdbd begins another ring. */
export class Story implements JournalSource {
  readonly #journals = new Map<number, KeptEvent[]>();
  readonly options: StoryOptions;
  /** Events that were answered, of all questions. */
  answered = 0;

  constructor(happenings: readonly Happening[], options: StoryOptions = {}) {
    this.options = options;
    const sorted = [...happenings].sort(([, one], [, other]) => one - other);
    for (const [node, at, event, process = "ctdbd"] of sorted) {
      const journal = this.#journals.get(node) ?? [];
      this.#journals.set(node, journal);
      const id = journal.length + 1;
      const timeUs = STORY_START_US + (at + this.#ahead(node)) * 1_000_000;
      const monotonicMs = 1_000_000 + at * 1000;
      const begins = event.kind === "process_started" && event.process === "ctdbd";
      const ring = `${Number(journal.at(-1)?.ring ?? 0) + (begins ? 1 : 0)}`;
      journal.push({
        id,
        node,
        ring,
        number: id,
        time_us: timeUs,
        monotonic_ms: monotonicMs,
        process,
        event,
      });
    }
    for (const node of Object.keys(options.silent ?? {})) this.#journals.set(Number(node), []);
  }

  #ahead(node: number): number {
    return this.options.clockAhead?.[node] ?? 0;
  }

  async ask(query: JournalQuery, nodes?: readonly number[]): Promise<readonly NodeAnswer[]> {
    return [...this.#journals.keys()]
      .filter((node) => nodes?.includes(node) ?? true)
      .sort((one, other) => one - other)
      .map((node) => this.#answer(node, query));
  }

  #answer(node: number, query: JournalQuery): NodeAnswer {
    const reason = this.options.silent?.[node];
    const clockAheadUs = this.#ahead(node) * 1_000_000;
    const clock = { clockAheadUs, clockErrorUs: 1000 };
    if (reason !== undefined) return { node, events: err(reason), ...clock };
    const { kinds, sinceUs = 0, untilUs = Number.POSITIVE_INFINITY } = query;
    const { afterId = 0, beforeId = Number.POSITIVE_INFINITY, newestFirst = false } = query;
    const found = (this.#journals.get(node) ?? [])
      .filter(({ event }) => kinds?.includes(event.kind) ?? true)
      .filter(({ time_us }) => time_us >= sinceUs && time_us <= untilUs)
      .filter(({ id }) => id > afterId && id < beforeId);
    const events = (newestFirst ? found.toReversed() : found).slice(0, query.limit);
    this.answered += events.length;
    return { node, events: ok(events), ...clock };
  }

  /** All of it, merged. */
  async events(): Promise<readonly MergedEvent[]> {
    return mergeEvents(await this.ask({ limit: Number.POSITIVE_INFINITY }));
  }
}

/** As a reader of `ctdb why` sees it: causes are indented below what they caused. */
export function treeText({ text, because }: Explained, indent = ""): string {
  const causes = because.map((cause) => treeText(cause, `${indent}  `));
  return [`${indent}${text}\n`, ...causes].join("");
}

/** What answerWhy says, from events that are all at hand. */
export function explainWhole(
  question: WhyQuestion,
  events: readonly MergedEvent[],
): Explained | undefined {
  for (const anchor of anchorsOf(question)) {
    const event = pickAnchor(events, anchor, question.atUs);
    if (event !== undefined) return explainEvent(event, events);
  }
  return undefined;
}
