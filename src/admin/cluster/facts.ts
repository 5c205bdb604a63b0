/** What nodes have said in one look at the cluster; the document and the metrics are made of it (document.ts). */

export interface Condition {
  readonly id: string;
  readonly severity: "critical" | "warning";
  readonly text: string;
  readonly advice: string;
}

export interface NodeLook {
  readonly node: number;
  readonly address: string;
  /** NODE_FLAGS as the own node knows them. */
  readonly flags: number;
  readonly answers: boolean;
  readonly why: string | null;
  readonly version: string | null;
  readonly ownJournal: "kept" | "none" | "unknown";
  /** As this node sees all; undefined: it did not say. */
  readonly sees: readonly NodeSeen[] | undefined;
  readonly turns: NodeTurnsLook | undefined;
}

export interface NodeSeen {
  readonly node: number;
  readonly flags: number;
  /** What was last heard of it; null: not told. */
  readonly heardMs: number | null;
}

export interface NodeTurnsLook {
  readonly longestMs: number;
  /** Not cumulative; the last has no bound. */
  readonly buckets: readonly number[];
}

export interface DatabaseLook {
  readonly name: string;
  readonly id: number;
  readonly kind: "volatile" | "persistent" | "replicated";
  readonly healthy: boolean;
  readonly records: number | null;
  readonly callsPerSecond: number | null;
  readonly migrationsPerSecond: number | null;
  readonly hotKeys: readonly { readonly count: number; readonly keyHex: string }[];
}

export interface ClusterFacts {
  readonly atUs: number;
  readonly node: number;
  readonly leader: number | null;
  readonly generation: number | null;
  readonly recovering: boolean;
  readonly nodes: readonly NodeLook[];
  readonly addresses: readonly {
    readonly address: string;
    readonly node: number | null;
    readonly mayBeOn: readonly number[];
  }[];
  readonly databases: readonly DatabaseLook[];
  readonly conditions: readonly Condition[];
}
