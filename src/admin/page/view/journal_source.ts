/**
 * Events that are asked for: those of a window of the timeline, page by page from its end, and what is new in all journals.
 *
 * Invariants:
 * 1. A new window or filter cancels the questions of the one before.
 * 2. A window costs at most QUESTIONS_PER_WINDOW questions by itself; more only when somebody asks for more.
 * 3. `completeFromUs` is the time from which on nothing is missing of the window.
 */
import type { Entry, JournalAnswer } from "../model/documents.ts";
import { type Filter, wantedKinds } from "../model/filter.ts";
import { ENTRIES_PER_QUESTION, LATE_EVENTS_MS, QUESTIONS_PER_WINDOW } from "../model/limits.ts";
import { readJournal } from "../model/read_journal.ts";
import { isoTime } from "../model/time.ts";
import type { TimeWindow } from "../model/timeline.ts";
import { request } from "./request.ts";

export interface JournalListener {
  entries(entries: readonly Entry[]): void;
  caveats(caveats: readonly string[]): void;
  completeFrom(us: number): void;
  problem(text: string | undefined): void;
}

export class JournalSource {
  readonly #listener: JournalListener;
  #running = new AbortController();
  /** What is new is asked for from then on. */
  #newSinceUs: number | undefined;
  #asksNew = false;

  constructor(listener: JournalListener) {
    this.#listener = listener;
  }

  async load(window: TimeWindow, filter: Filter): Promise<void> {
    const { signal } = this.#begin();
    this.#newSinceUs = window.toUs;
    await this.#loadBefore(window.toUs, window.fromUs, filter, QUESTIONS_PER_WINDOW, signal);
  }

  /** One page more, before what is complete. */
  async loadOlder(beforeUs: number, fromUs: number, filter: Filter): Promise<void> {
    const { signal } = this.#begin();
    await this.#loadBefore(beforeUs, fromUs, filter, 1, signal);
  }

  /** What came since, also late, in the journals of all nodes; all of the window when that is too much. */
  async loadNew(window: TimeWindow, filter: Filter): Promise<void> {
    if (this.#asksNew) return;
    this.#asksNew = true;
    const fromUs = (this.#newSinceUs ?? window.fromUs) - LATE_EVENTS_MS * 1000;
    const answer = await this.#ask({ since: isoTime(fromUs) }, filter, this.#running.signal);
    this.#asksNew = false;
    if (answer === undefined) return;
    if (answer.entries.length >= ENTRIES_PER_QUESTION) return this.load(window, filter);
    this.#newSinceUs = window.toUs;
    this.#listener.entries(answer.entries);
  }

  #begin(): AbortController {
    this.#running.abort();
    this.#running = new AbortController();
    return this.#running;
  }

  async #loadBefore(
    untilUs: number,
    fromUs: number,
    filter: Filter,
    questions: number,
    signal: AbortSignal,
  ): Promise<void> {
    let endUs = untilUs;
    for (let asked = 0; asked < questions; asked += 1) {
      const range = { since: isoTime(fromUs), until: isoTime(endUs) };
      const answer = await this.#ask(range, filter, signal);
      if (answer === undefined) return;
      this.#listener.entries(answer.entries);
      this.#listener.caveats(answer.caveats);
      const oldestUs = Math.min(...answer.entries.map(({ timeUs }) => timeUs));
      const more = answer.entries.length >= ENTRIES_PER_QUESTION && oldestUs < endUs;
      this.#listener.completeFrom(more ? oldestUs : fromUs);
      if (!more) return;
      endUs = oldestUs;
    }
  }

  async #ask(
    range: Readonly<Record<string, string>>,
    filter: Filter,
    signal: AbortSignal,
  ): Promise<JournalAnswer | undefined> {
    const query = new URLSearchParams({
      ...range,
      scope: "cluster",
      order: "desc",
      limit: String(ENTRIES_PER_QUESTION),
    });
    const kinds = wantedKinds(filter);
    if (kinds.length > 0) query.set("kind", kinds.join(","));
    if (filter.node !== null) query.set("node", String(filter.node));
    const answer = await request(`/api/v1/journal?${query}`, { signal });
    if (signal.aborted) return undefined;
    this.#listener.problem(answer.ok ? undefined : answer.problem);
    return answer.ok ? readJournal(answer.document) : undefined;
  }
}
