/**
 * The cluster's document: asked for when somebody wants it, and again and again while somebody watches.
 *
 * Invariants:
 * 1. All who want it share one look, which is at most LOOK_MS_OLD old.
 * 2. Watchers are told of documents that differ in what they would show, and of nothing else.
 */
import { ok, type Result } from "../../base/result.ts";
import type { Clock, Timer, Timers } from "../../platform/types/time.ts";
import { KeptAnswer } from "../kept_answer.ts";
import { LOOK_INTERVAL_MS, LOOK_MS_OLD, LOOK_SOON_MS } from "../limits.ts";
import { type ClusterDocument, changeKey, clusterDocument } from "./document.ts";
import type { ClusterFacts } from "./facts.ts";

export interface ClusterWatchParts {
  readonly clock: Clock;
  readonly timers: Timers;
  look(): Promise<Result<ClusterFacts>>;
}

type Watcher = (document: ClusterDocument) => void;

export class ClusterWatch {
  readonly #timers: Timers;
  readonly #facts: KeptAnswer<Result<ClusterFacts>>;
  readonly #watchers = new Set<Watcher>();
  #round: Timer | undefined;
  #soon: Timer | undefined;
  #lastKey = "";

  constructor(parts: ClusterWatchParts) {
    this.#timers = parts.timers;
    this.#facts = new KeptAnswer(() => parts.look(), parts.clock, LOOK_MS_OLD);
  }

  facts(): Promise<Result<ClusterFacts>> {
    return this.#facts.get();
  }

  async current(): Promise<Result<ClusterDocument>> {
    const facts = await this.#facts.get();
    if (!facts.ok) return facts;
    const document = clusterDocument(facts.value);
    // Who begins to watch has this one.
    this.#lastKey ||= changeKey(document);
    return ok(document);
  }

  /** The result ends it. */
  subscribe(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    this.#round ??= this.#timers.every(LOOK_INTERVAL_MS, () => void this.#look());
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      this.#round?.cancel();
      this.#round = undefined;
      this.#soon?.cancel();
      this.#soon = undefined;
    };
  }

  /** Something has happened. */
  lookSoon(): void {
    if (this.#watchers.size === 0 || this.#soon !== undefined) return;
    this.#soon = this.#timers.after(LOOK_SOON_MS, () => {
      this.#soon = undefined;
      void this.#look();
    });
  }

  async #look(): Promise<void> {
    const facts = await this.#facts.fresh();
    if (!facts.ok) return;
    const document = clusterDocument(facts.value);
    const key = changeKey(document);
    if (key === this.#lastKey) return;
    this.#lastKey = key;
    for (const watcher of [...this.#watchers]) watcher(document);
  }
}
