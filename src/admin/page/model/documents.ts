/**
 * What the API answers (docs/admin.md), as the page works with it. Readers of these types are in `read_*.ts`: what is
 * missing is empty there, so that nothing that shows it has to ask.
 */
import type { JournalEvent } from "../../../base/journal_event.ts";

export interface ClusterDocument {
  readonly timeUs: number;
  /** Who answers. */
  readonly node: number;
  readonly leader: number | null;
  readonly generation: number | null;
  readonly recovering: boolean;
  readonly nodes: readonly NodeFacts[];
  readonly views: readonly View[];
  readonly addresses: readonly AddressFacts[];
  readonly databases: readonly DatabaseFacts[];
  readonly turns: readonly TurnFacts[];
  readonly conditions: readonly Condition[];
  /** Whether this session may act; undefined: the document is for all sessions. */
  readonly actions?: boolean;
}

export interface NodeFacts {
  readonly node: number;
  readonly address: string;
  readonly flags: readonly string[];
  /** Why it has these flags, as far as the answering node knows. */
  readonly why: string | null;
  readonly version: string;
  readonly ownJournal: string;
}

export interface View {
  readonly by: number;
  /** null: it did not answer. */
  readonly sees: readonly Sight[] | null;
}

export interface Sight {
  readonly node: number;
  readonly flags: readonly string[];
  readonly connected: boolean;
  readonly heardMs: number | null;
}

export interface AddressFacts {
  readonly address: string;
  readonly node: number | null;
  readonly mayBeOn: readonly number[];
}

export interface DatabaseFacts {
  readonly name: string;
  /** In hexadecimal. */
  readonly id: string;
  readonly kind: string;
  readonly healthy: boolean;
  readonly records: number | null;
  readonly callsPerSecond: number | null;
  readonly migrationsPerSecond: number | null;
  readonly hotKeys: readonly HotKey[];
}

export interface HotKey {
  readonly keyHex: string;
  readonly count: number;
}

export interface TurnFacts {
  readonly node: number;
  readonly longestMs: number;
  readonly buckets: readonly TurnBucket[];
}

export interface TurnBucket {
  /** null: the rest. */
  readonly leMs: number | null;
  readonly count: number;
}

export interface Condition {
  readonly id: string;
  readonly severity: "critical" | "warning";
  readonly text: string;
  readonly advice: string;
}

/** An event of somebody's journal. */
export interface Entry {
  readonly node: number;
  readonly id: number;
  /** In the time of the node that answers, where its document says so; else of the node itself. */
  readonly timeUs: number;
  readonly process: string;
  /** What happened, in a sentence of the server's. */
  readonly text: string;
  readonly event: EntryEvent;
}

/** What the journal has; of a kind that this page does not know, only that. */
export type EntryEvent =
  | JournalEvent
  | { readonly kind: "gap"; readonly missing: number | null; readonly reason: string }
  | { readonly kind: "unknown"; readonly name: string };

export interface JournalAnswer {
  readonly entries: readonly Entry[];
  readonly caveats: readonly string[];
}

/** The cluster as it was. */
export interface PastDocument {
  readonly atUs: number;
  readonly leader: number | null;
  readonly generation: number | null;
  readonly recovering: boolean;
  readonly nodes: readonly PastNode[];
  readonly addresses: readonly { readonly address: string; readonly node: number | null }[];
  readonly databases: readonly {
    readonly name: string;
    readonly id: string;
    readonly kind: string;
  }[];
  readonly caveats: readonly string[];
}

export interface PastNode {
  readonly node: number;
  readonly address: string;
  readonly flags: readonly string[];
  readonly running: boolean | null;
}

/** One event in plain words, and what led to it. */
export interface Cause {
  readonly entry: Entry;
  readonly text: string;
  readonly because: readonly Cause[];
}

export interface ExplanationDocument {
  readonly answer: Cause | null;
  readonly caveats: readonly string[];
}
