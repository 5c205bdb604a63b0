/**
 * Whether two nodes mean the same by their node numbers. Lists that differ for a while are in order: in a
 * rolling `ctdb reloadnodes` some nodes know a new last line, or that a line is deleted, before the
 * others do. An address with two numbers, or a number with two addresses, is not.
 */
import { NODE_FLAGS } from "../wire/constants.ts";
import type { NodeAndFlags } from "../wire/structs/cluster.ts";

/** What the other one's list says otherwise than ours; undefined when they go together. */
export function nodesDifference(
  ours: readonly NodeAndFlags[],
  theirs: readonly NodeAndFlags[],
): string | undefined {
  const known = ours.filter(isLive);
  for (const { pnn, addr } of theirs.filter(isLive)) {
    const { address } = addr;
    const sameNumber = known.find((node) => node.pnn === pnn)?.addr.address ?? address;
    if (sameNumber !== address) {
      return `its nodes list has ${address} as node ${pnn}, the one here has ${sameNumber}`;
    }
    const number = known.find((node) => node.addr.address === address)?.pnn ?? pnn;
    if (number !== pnn) {
      return `its nodes list has ${address} as node ${pnn}, the one here as node ${number}`;
    }
  }
  return undefined;
}

function isLive({ flags }: NodeAndFlags): boolean {
  return (flags & NODE_FLAGS.DELETED) === 0;
}
