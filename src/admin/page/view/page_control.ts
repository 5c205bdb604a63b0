/**
 * What somebody can do with the page that asks the server: look at another time, at another part of the journal, ask why.
 *
 * Invariants:
 * 1. Of two questions of a kind only the later one's answer is shown, whichever comes first.
 * 2. The page's address follows what is shown.
 */
import type { Entry } from "../model/documents.ts";
import { asksAnew, type Filter } from "../model/filter.ts";
import { REST_MS } from "../model/limits.ts";
import { readPageAddress, writePageAddress } from "../model/page_address.ts";
import { type Question, questionQuery } from "../model/question.ts";
import { readExplanation, readPast } from "../model/read_journal.ts";
import { isoTime } from "../model/time.ts";
import { spanMsOf, type TimeWindow } from "../model/timeline.ts";
import { JournalSource } from "./journal_source.ts";
import type { PageState } from "./page_state.ts";
import { request } from "./request.ts";

export class PageControl {
  readonly #state: PageState;
  readonly #journal: JournalSource;
  #traveling = new AbortController();
  #rest: number | undefined;

  constructor(state: PageState) {
    this.#state = state;
    this.#journal = new JournalSource({
      entries: (entries) => this.take(entries),
      caveats(caveats) {
        state.journalCaveats = caveats;
        state.changed();
      },
      completeFrom(us) {
        state.completeFromUs = us;
        state.changed();
      },
      problem(text) {
        state.journalProblem = text;
        state.changed();
      },
    });
  }

  take(entries: readonly Entry[]): void {
    if (this.#state.entries.add(entries) > 0) this.#state.changed();
  }

  loadWindow(): void {
    const { window, filter } = this.#state;
    void this.#journal.load(window, filter);
  }

  loadOlder(beforeUs: number): void {
    const { window, filter } = this.#state;
    void this.#journal.loadOlder(beforeUs, window.fromUs, filter);
  }

  /** Of all journals: the stream tells only of the answering node's. */
  loadNew(): void {
    const { window, filter } = this.#state;
    void this.#journal.loadNew(window, filter);
  }

  showWindow(window: TimeWindow): void {
    this.#state.showWindow(window);
    this.#rememberAddress();
    this.#loadAtRest();
  }

  /** A wheel goes through many windows, of which the last is wanted. */
  #loadAtRest(): void {
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => this.loadWindow(), REST_MS);
  }

  showSpan(spanMs: number): void {
    this.#state.showSpan(spanMs);
    this.#rememberAddress();
    this.loadWindow();
  }

  filter(filter: Filter): void {
    const state = this.#state;
    const asksServer = asksAnew(state.filter, filter);
    state.filter = filter;
    this.#rememberAddress();
    if (asksServer) {
      state.entries.clear();
      state.completeFromUs = undefined;
      this.loadWindow();
    }
    state.changed();
  }

  /** undefined: back to now. */
  async travel(atUs: number | undefined): Promise<void> {
    const state = this.#state;
    this.#traveling.abort();
    this.#traveling = new AbortController();
    const { signal } = this.#traveling;
    state.atUs = atUs;
    state.past = undefined;
    state.pastProblem = undefined;
    if (atUs === undefined) {
      if (!state.followsNow) state.showWindow({ ...state.window, toUs: state.nowUs });
      this.loadWindow();
    } else {
      this.#keepInSight(atUs);
    }
    this.#rememberAddress();
    state.changed();
    if (atUs === undefined) return;
    const at = encodeURIComponent(isoTime(atUs));
    const answer = await request(`/api/v1/state?at=${at}`, { signal });
    if (signal.aborted) return;
    state.past = answer.ok ? readPast(answer.document) : undefined;
    state.pastProblem = answer.ok ? undefined : answer.problem;
    state.changed();
  }

  /** The window stays where it is while the past is looked at, and moves when that is outside. */
  #keepInSight(atUs: number): void {
    const state = this.#state;
    const { fromUs, toUs } = state.window;
    const inside = atUs >= fromUs && atUs <= toUs;
    if (inside && !state.followsNow) return;
    const halfUs = spanMsOf(state.window) * 500;
    state.hold(inside ? { fromUs, toUs } : { fromUs: atUs - halfUs, toUs: atUs + halfUs });
    if (!inside) this.loadWindow();
  }

  async explain(question: Question): Promise<void> {
    const state = this.#state;
    state.question = question;
    state.explained = { state: "asking" };
    this.#rememberAddress();
    state.changed();
    const answer = await request(`/api/v1/why?${questionQuery(question, state.atUs)}`);
    if (state.question !== question) return;
    state.explained = answer.ok
      ? { state: "answered", explanation: readExplanation(answer.document) }
      : { state: "failed", problem: answer.problem };
    state.changed();
  }

  closeExplanation(): void {
    this.#state.question = undefined;
    this.#rememberAddress();
    this.#state.changed();
  }

  /** Shows what the page's address says, now and when somebody changes it. */
  openAddress(): void {
    const state = this.#state;
    const { atUs, window, filter, question } = readPageAddress(location.hash);
    this.filter(filter);
    if (window !== undefined) state.showWindow(window);
    if (atUs !== state.atUs) void this.travel(atUs);
    if (question !== undefined) void this.explain(question);
    else if (state.question !== undefined) this.closeExplanation();
  }

  #rememberAddress(): void {
    const { atUs, question, filter, followsNow, window } = this.#state;
    const hash = writePageAddress({
      filter,
      ...(atUs === undefined ? {} : { atUs }),
      ...(followsNow ? {} : { window }),
      ...(question === undefined ? {} : { question }),
    });
    history.replaceState(null, "", hash === "" ? location.pathname : hash);
  }
}
