/**
 * Everything that the page shows, in one place: parts read it when they are told, and change it by its verbs.
 *
 * Invariants:
 * 1. Parts are told at most once a frame's time, of all changes together, also in a tab that nobody sees.
 * 2. The clock is that of the node that answers: this machine's may be wrong.
 */
import type { Connection } from "../model/connection.ts";
import type {
  ClusterDocument,
  Entry,
  ExplanationDocument,
  PastDocument,
} from "../model/documents.ts";
import { Entries } from "../model/entries.ts";
import { type Filter, matches, NO_FILTER } from "../model/filter.ts";
import { RateHistory } from "../model/history.ts";
import { ENTRIES_MAX } from "../model/limits.ts";
import type { Question } from "../model/question.ts";
import { type Shown, shownNow, shownPast } from "../model/shown.ts";
import type { Zone } from "../model/time.ts";
import { spanMsOf, type TimeWindow, windowBefore } from "../model/timeline.ts";

const SPAN_MS = 3600 * 1000;
const FRAME_MS = 16;

export type Explained =
  | { readonly state: "asking" }
  | { readonly state: "answered"; readonly explanation: ExplanationDocument }
  | { readonly state: "failed"; readonly problem: string };

export class PageState {
  connection: Connection = { state: "connecting" };
  cluster: ClusterDocument | undefined;
  readonly rates = new RateHistory();

  /** undefined: now. */
  atUs: number | undefined;
  past: PastDocument | undefined;
  pastProblem: string | undefined;

  readonly entries = new Entries(ENTRIES_MAX);
  filter: Filter = NO_FILTER;
  completeFromUs: number | undefined;
  journalProblem: string | undefined;
  journalCaveats: readonly string[] = [];

  question: Question | undefined;
  explained: Explained = { state: "asking" };

  zone: Zone = "local";
  /** undefined: it ends now. */
  #window: TimeWindow | undefined;
  #spanMs = SPAN_MS;
  #aheadUs = 0;
  #told = false;
  #shown: Shown | undefined;
  #shownOf: unknown;
  #filtered: readonly Entry[] = [];
  #filteredBy: Filter | undefined;
  #filteredKey: readonly number[] = [];
  readonly #parts: (() => void)[] = [];

  /** `part` is called after each change, and each second. */
  follow(part: () => void): void {
    this.#parts.push(part);
  }

  /** `part` is called when there is something else to show of the cluster. */
  followShown(part: (shown: Shown) => void): void {
    let before: Shown | undefined;
    this.follow(() => {
      const { shown } = this;
      if (shown === undefined || shown === before) return;
      before = shown;
      part(shown);
    });
  }

  /** `part` is called when one of the values is another. */
  followValues(values: () => readonly unknown[], part: () => void): void {
    let before: readonly unknown[] = [];
    this.follow(() => {
      const now = values();
      if (now.length === before.length && now.every((value, i) => value === before[i])) return;
      before = now;
      part();
    });
  }

  changed(): void {
    if (this.#told) return;
    this.#told = true;
    setTimeout(() => {
      this.#told = false;
      for (const part of this.#parts) part();
    }, FRAME_MS);
  }

  get nowUs(): number {
    return this.nodeUs(Date.now());
  }

  /** By the node's clock, what this machine's clock calls so. */
  nodeUs(ownMs: number): number {
    return ownMs * 1000 + this.#aheadUs;
  }

  get window(): TimeWindow {
    return this.#window ?? windowBefore(this.nowUs, this.#spanMs);
  }

  get followsNow(): boolean {
    return this.#window === undefined;
  }

  /** One that ends now, or all but, follows the time. */
  showWindow(window: TimeWindow): void {
    this.#spanMs = spanMsOf(window);
    // A hundredth of the window is too little to be seen.
    const endsNow = window.toUs >= this.nowUs - this.#spanMs * 10 && this.atUs === undefined;
    this.#window = endsNow ? undefined : window;
    this.completeFromUs = undefined;
    this.changed();
  }

  /** Stays where it is, although it ends now. */
  hold(window: TimeWindow): void {
    this.#spanMs = spanMsOf(window);
    this.#window = window;
    this.changed();
  }

  /** Around what is looked at. */
  showSpan(spanMs: number): void {
    this.#spanMs = spanMs;
    const half = spanMs * 500;
    this.#window =
      this.atUs === undefined ? undefined : { fromUs: this.atUs - half, toUs: this.atUs + half };
    this.completeFromUs = undefined;
    this.changed();
  }

  /** Those of the stream do not say what this session may: it may what it might. */
  takeCluster(cluster: ClusterDocument): void {
    this.cluster = { actions: this.cluster?.actions === true, ...cluster };
    this.rates.add(cluster);
    this.#aheadUs = cluster.timeUs - Date.now() * 1000;
    this.changed();
  }

  /** What the sections show; undefined: nothing has come yet. The same as long as nothing else came. */
  get shown(): Shown | undefined {
    const { past, cluster } = this;
    if (this.atUs !== undefined) {
      if (past === undefined) return undefined;
      if (this.#shownOf !== past) this.#shown = shownPast(past, cluster);
      this.#shownOf = past;
    } else {
      if (cluster === undefined) return undefined;
      if (this.#shownOf !== cluster) this.#shown = shownNow(cluster);
      this.#shownOf = cluster;
    }
    return this.#shown;
  }

  /** Of what is at hand, what is inside of the window and was asked for. */
  get filtered(): readonly Entry[] {
    const { entries, filter, window } = this;
    const key = [entries.version, window.fromUs, window.toUs];
    if (filter !== this.#filteredBy || key.some((part, i) => part !== this.#filteredKey[i])) {
      this.#filtered = entries.inside(window).filter((entry) => matches(filter, entry));
    }
    this.#filteredBy = filter;
    this.#filteredKey = key;
    return this.#filtered;
  }
}
