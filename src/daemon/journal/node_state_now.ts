/** What this node is now, and what it knows of the cluster, as a `state` event has it. */
import type { JournalNodeState } from "../../base/journal_event.ts";
import type { NodeAddresses } from "../../failover/addresses/node_addresses.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { DatabasePart } from "../database_part.ts";
import type { NodeState } from "../lifecycle/node_state.ts";
import type { LeaderCache } from "../routing/leader_cache.ts";

export interface NodeStateParts {
  readonly state: NodeState;
  readonly vnnMap: VnnMap;
  readonly nodes: NodeTable;
  readonly leaderCache: LeaderCache;
  readonly addresses: NodeAddresses;
  readonly database: DatabasePart;
}

export function nodeStateNow(parts: NodeStateParts): JournalNodeState {
  const { state, vnnMap, nodes, leaderCache, addresses, database } = parts;
  const known = (pnn: number) => (pnn === UNKNOWN_PNN ? null : pnn);
  return {
    runstate: state.runstate,
    generation: vnnMap.generation,
    recovering: state.recovering,
    leader: known(leaderCache.last().leader),
    nodes: nodes.entries().map(({ pnn, address, flags }) => ({ node: pnn, address, flags })),
    addresses: addresses
      .publicIps(false)
      .map(({ pnn, addr }) => ({ address: addr.address, node: known(pnn) })),
    databases: database
      .facts(Number.POSITIVE_INFINITY)
      .map(({ name, id, kind }) => ({ name, id, kind })),
  };
}
