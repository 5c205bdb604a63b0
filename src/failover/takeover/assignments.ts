/**
 * Which addresses a takeover run moves, from where to where and why, in words (docs/journal.md). Pure; the placement itself
 * is allocation/.
 */
import { NODE_FLAGS } from "../../wire/constants.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { NodeAndFlags } from "../../wire/structs/cluster.ts";
import type { AddressesByNode, PublicAddress } from "../allocation/addresses.ts";

export interface Assignment {
  readonly address: string;
  readonly from: number | null;
  readonly to: number | null;
  readonly reason: string;
}

export interface AssignmentFacts {
  /** As it will be. */
  readonly placed: readonly PublicAddress[];
  /** What nodes said of addresses before. */
  readonly known: AddressesByNode;
  readonly nodes: readonly NodeAndFlags[];
  /** Nodes that are to get some although nothing is unbalanced. */
  readonly rebalance: readonly number[];
}

/** Those that change their host. */
export function assignments(facts: AssignmentFacts): readonly Assignment[] {
  const hosts = hostsBefore(facts.known);
  return facts.placed.flatMap((placed) => {
    const { address } = placed.addr;
    const to = placed.pnn === UNKNOWN_PNN ? null : placed.pnn;
    const host = hosts.hosting.get(address);
    if (host === to) return [];
    const former = hosts.told.get(address);
    const from = host ?? (former === undefined || former === to ? null : former);
    if (from === null && to === null) return [];
    return [{ address, from, to, reason: reasonOf(placed, from, to, facts) }];
  });
}

/**
 * Who says of itself that it has an address, and who has had it last as the others were told: a node that is not
 * connected says nothing, and one that was banned has let go.
 */
function hostsBefore(known: AddressesByNode) {
  const hosting = new Map<string, number>();
  const told = new Map<string, number>();
  for (const [node, addresses] of known) {
    for (const { addr, pnn } of addresses) {
      if (pnn === UNKNOWN_PNN) continue;
      if (pnn === node) hosting.set(addr.address, pnn);
      else told.set(addr.address, pnn);
    }
  }
  return { hosting, told };
}

function reasonOf(
  { availableOn }: PublicAddress,
  from: number | null,
  to: number | null,
  { nodes, rebalance }: AssignmentFacts,
): string {
  const why = from === null ? undefined : unfit(from, nodes, availableOn);
  if (to === null) {
    const nobody = "no node can have it now";
    return why === undefined ? nobody : `${why}, and ${nobody}`;
  }
  if (from === null) return "no node had it";
  if (why !== undefined) return why;
  if (rebalance.includes(to)) return `node ${to} is to get addresses`;
  return "addresses are spread evenly";
}

const FLAGS_SAID: readonly (readonly [flag: number, text: string])[] = [
  [NODE_FLAGS.DELETED, "is not in the nodes file any more"],
  [NODE_FLAGS.DISCONNECTED, "is not connected"],
  [NODE_FLAGS.BANNED, "is banned"],
  [NODE_FLAGS.STOPPED, "is stopped"],
  [NODE_FLAGS.PERMANENTLY_DISABLED, "is disabled"],
  [NODE_FLAGS.UNHEALTHY, "is unhealthy"],
];

/** Why a node cannot keep an address. */
function unfit(
  from: number,
  nodes: readonly NodeAndFlags[],
  availableOn: ReadonlySet<number>,
): string | undefined {
  const flags = nodes.find(({ pnn }) => pnn === from)?.flags ?? NODE_FLAGS.DELETED;
  const said = FLAGS_SAID.find(([flag]) => (flags & flag) !== 0);
  if (said !== undefined) return `node ${from} ${said[1]}`;
  return availableOn.has(from) ? undefined : `node ${from} says that it cannot have it`;
}
