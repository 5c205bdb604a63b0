/** What this node has last heard of the others, for the answer to PING_KNOWLEDGE. */
import type { Keepalive } from "../../membership/keepalive.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { PeerAgreement } from "../../membership/peer_agreement.ts";
import type { NodeKnowledge } from "../../wire/structs/cluster.ts";
import type { MissingLinks } from "../lifecycle/missing_links.ts";
import type { LeaderCache } from "../routing/leader_cache.ts";

const U32_MAX = 0xffffffff;

export function knowledgeOf(
  nodes: NodeTable,
  keepalive: Keepalive,
  leaderCache: LeaderCache,
  peers: PeerAgreement,
  missingLinks: MissingLinks,
  ownVersion: number,
): NodeKnowledge {
  const { leader, ageMs } = leaderCache.last();
  const heard = nodes
    .entries()
    .map((node) => (node.pnn === nodes.ownPnn ? 0 : age(keepalive.heardWithinMs(node))));
  const versions = nodes
    .entries()
    .map(({ pnn, version }) => (pnn === nodes.ownPnn ? ownVersion : version));
  return {
    leader,
    leader_age: age(ageMs),
    heard,
    problems: peers.problems(),
    versions,
    missing_links: missingLinks.problems(),
  };
}

function age(ms: number): number {
  return Math.min(Math.ceil(ms), U32_MAX);
}
