/**
 * What the sections show: the cluster as it is, or as it was. They know of the past only that some things are not told.
 */
import type {
  AddressFacts,
  ClusterDocument,
  Condition,
  DatabaseFacts,
  NodeFacts,
  PastDocument,
  TurnFacts,
} from "./documents.ts";
import { type MatrixRow, matrixOf } from "./matrix.ts";
import { pastVerdictOf, type Verdict, verdictOf } from "./verdict.ts";

export interface Shown {
  readonly past: boolean;
  readonly atUs: number;
  readonly verdict: Verdict;
  /** Who answers. */
  readonly node: number | null;
  readonly leader: number | null;
  readonly generation: number | null;
  readonly recovering: boolean;
  readonly nodes: readonly NodeFacts[];
  readonly addresses: readonly AddressFacts[];
  readonly databases: readonly DatabaseFacts[];
  /** Journals do not tell these of the past. */
  readonly matrix: readonly MatrixRow[] | undefined;
  readonly conditions: readonly Condition[] | undefined;
  readonly turns: readonly TurnFacts[] | undefined;
  readonly caveats: readonly string[];
  readonly actions: boolean;
}

export function shownNow(cluster: ClusterDocument): Shown {
  return {
    past: false,
    atUs: cluster.timeUs,
    verdict: verdictOf(cluster),
    node: cluster.node,
    leader: cluster.leader,
    generation: cluster.generation,
    recovering: cluster.recovering,
    nodes: cluster.nodes,
    addresses: cluster.addresses,
    databases: cluster.databases,
    matrix: matrixOf(cluster),
    conditions: cluster.conditions,
    turns: cluster.turns,
    caveats: [],
    actions: cluster.actions === true,
  };
}

/** `now`: where an address may be is not written down; it changes seldom. */
export function shownPast(past: PastDocument, now: ClusterDocument | undefined): Shown {
  const mayBeOn = new Map(now?.addresses.map(({ address, mayBeOn }) => [address, mayBeOn]));
  return {
    past: true,
    atUs: past.atUs,
    verdict: pastVerdictOf(past),
    node: null,
    leader: past.leader,
    generation: past.generation,
    recovering: past.recovering,
    nodes: past.nodes.map(({ node, address, flags, running }) => ({
      node,
      address,
      flags,
      why: running === false ? "was not running" : null,
      version: "",
      ownJournal: "",
    })),
    addresses: past.addresses.map(({ address, node }) => ({
      address,
      node,
      mayBeOn: mayBeOn.get(address) ?? [],
    })),
    databases: past.databases.map((database) => ({
      ...database,
      healthy: true,
      records: null,
      callsPerSecond: null,
      migrationsPerSecond: null,
      hotKeys: [],
    })),
    matrix: undefined,
    conditions: undefined,
    turns: undefined,
    caveats: past.caveats,
    actions: false,
  };
}
