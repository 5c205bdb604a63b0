/** What is kept of events, and what may be asked of it (docs/journal.md). */
import type { JournalEvent, JournalKind, JournalProcess } from "../base/journal_event.ts";
import type { Result } from "../base/result.ts";
import type { JournalBatch } from "../wire/journal_messages.ts";

/** Events that were lost before anybody kept them; they came after this row's predecessor. */
export interface GapEvent {
  readonly kind: "gap";
  /** Number of events that are missing; null: not known, the ring ended meanwhile. */
  readonly missing: number | null;
  readonly reason: string;
}

export type KeptKind = JournalKind | "gap";

export interface KeptEvent {
  /** In the order in which they were kept on this node; the cursor of queries. */
  readonly id: number;
  /** The node whose journal it is in. */
  readonly node: number;
  readonly ring: string;
  readonly number: number;
  /** By the clock of its node. */
  readonly time_us: number;
  readonly monotonic_ms: number;
  readonly process: JournalProcess;
  readonly event: JournalEvent | GapEvent;
}

export interface JournalQuery {
  /** Times are inclusive. */
  readonly sinceUs?: number;
  readonly untilUs?: number;
  readonly kinds?: readonly KeptKind[];
  /** Cursor: only events with a larger, or smaller, id. */
  readonly afterId?: number;
  readonly beforeId?: number;
  /** Newest first when true. */
  readonly newestFirst?: boolean;
  /** At most LIMITS.QUERY_EVENTS_MAX. */
  readonly limit: number;
}

/** The journal of one node. Everything is synchronous: SQLite is a file. */
export interface JournalStore {
  /** What a JournalRead has to say. */
  position(): { readonly ring: string; readonly kept: number };
  /**
   * Keeps what it does not have yet, in one transaction that is on the disk when this returns. Events that are none are
   * kept as a gap of one that says why. Returns what is new.
   */
  keep(batch: JournalBatch): Result<readonly KeptEvent[]>;
  query(query: JournalQuery): Result<readonly KeptEvent[]>;
  /** Takes away what is too old or too much. Bounded work; true when there is more to do. */
  retain(nowUs: number): Result<boolean>;
  facts(): JournalFacts;
  close(): void;
}

export interface JournalFacts {
  readonly events: number;
  readonly bytes: number;
  readonly oldestUs: number | null;
  readonly newestUs: number | null;
  readonly gaps: number;
  /** Corrupt files that were set aside, newest last. */
  readonly setAside: readonly string[];
  /** Path of the file; undefined while it cannot be opened. */
  readonly file?: string;
}

/** What the journal of one node has answered. */
export interface NodeAnswer {
  readonly node: number;
  /** Or why there are none, for a person: it has no journal, it does not answer. */
  readonly events: Result<readonly KeptEvent[]>;
  /** What its clock is ahead of the asker's, and how far that may be wrong; 0 where it is not known. */
  readonly clockAheadUs: number;
  readonly clockErrorUs: number;
}

/** The journals of all nodes, as somebody reaches them. */
export interface JournalSource {
  /** Asks those nodes, or all when left out, at once. Times are those of each node's own clock. Never rejects. */
  ask(query: JournalQuery, nodes?: readonly number[]): Promise<readonly NodeAnswer[]>;
}

/** Events of several nodes, in the order of a common time. */
export interface MergedEvent extends KeptEvent {
  /**
   * By the clock of the asker: time_us minus what the clock of its node is ahead, and minus what that clock was set back
   * by since then (merge.ts).
   */
  readonly common_us: number;
}

/** What somebody wants to know. */
export type WhyQuestion = (
  | { readonly subject: "ban"; readonly node: number }
  /** `flag`: one of NODE_FLAGS that it got, as in "why is node 1 unhealthy"; any change of them when left out. */
  | { readonly subject: "flags"; readonly node: number; readonly flag?: number }
  | { readonly subject: "recovery" }
  | { readonly subject: "leader" }
  | { readonly subject: "address"; readonly address: string }
  | { readonly subject: "event"; readonly node: number; readonly id: number }
) & {
  /** The last one up to then; now when left out. */
  readonly atUs?: number;
};

/** One event in plain words, and what led to it. */
export interface Explained {
  readonly event: MergedEvent;
  readonly text: string;
  readonly because: readonly Explained[];
}

export interface Explanation {
  readonly question: WhyQuestion;
  /** undefined: the journal has nothing of it. */
  readonly answer: Explained | undefined;
  /** What the reader must know beside: gaps, nodes without a journal, no events that old. */
  readonly caveats: readonly string[];
}

/** The cluster as its journals say that it was. */
export interface ClusterState {
  readonly atUs: number;
  readonly leader: number | null;
  readonly generation: number | null;
  readonly recovering: boolean;
  readonly nodes: readonly {
    readonly node: number;
    readonly address: string;
    /** By the node itself where it has a journal and ran; else as the others saw it. */
    readonly flags: number;
    readonly running: boolean | null;
  }[];
  readonly addresses: readonly { readonly address: string; readonly node: number | null }[];
  readonly databases: readonly {
    readonly name: string;
    readonly id: number;
    readonly kind: string;
  }[];
  readonly caveats: readonly string[];
}
