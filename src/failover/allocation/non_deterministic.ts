/**
 * The non-deterministic algorithm (IPAllocAlgorithm 1): each address without a host goes to the least loaded node,
 * then addresses move from the most to the least loaded until no two nodes that can host the same address differ by
 * more than one, or enough was tried.
 */
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { PublicAddress } from "./addresses.ts";
import {
  AddressCounts,
  type AllocationState,
  canTakeOver,
  unassignUnsuitable,
} from "./allocation_state.ts";

/** Moves tried beyond one for each address. */
const EXTRA_MOVES = 5;

export function allocateNonDeterministic(state: AllocationState): void {
  unassignUnsuitable(state);
  const counts = new AddressCounts(state);
  counts.allocateUnassigned();
  if (!state.noFailback) failBack(state, counts);
}

function failBack(state: AllocationState, counts: AddressCounts): void {
  const movesMax = state.addresses.length + EXTRA_MOVES;
  for (let moves = 0; moves <= movesMax; moves++) {
    const mayMove = moves < movesMax;
    if (!evenOut(state, counts, mayMove)) return;
  }
}

/** Moves one address, unless all is even or nothing may be moved any more; whether it tried to. */
function evenOut(state: AllocationState, counts: AddressCounts, mayMove: boolean): boolean {
  for (const address of state.addresses) {
    if (address.pnn === UNKNOWN_PNN) continue;
    const [least, most] = extremes(state, counts, address);
    if (least === undefined || most === undefined) {
      state.log.warning(
        `Could not find maxnode. May not be able to serve ip '${address.addr.address}'`,
      );
      continue;
    }
    if (!mayMove || counts.of(most) <= counts.of(least) + 1) continue;
    // Any address of that node, not the one that showed it; it may come back to the same node.
    const moved = state.addresses.find(({ pnn }) => pnn === most);
    if (moved === undefined) continue;
    counts.giveToLeastLoaded(moved);
    return true;
  }
  return false;
}

/** The least and the most loaded node that can take the address over; the lowest numbers of equals. */
function extremes(
  state: AllocationState,
  counts: AddressCounts,
  address: PublicAddress,
): readonly [least: number | undefined, most: number | undefined] {
  let least: number | undefined;
  let most: number | undefined;
  for (let pnn = 0; pnn < state.nodeCount; pnn++) {
    if (!canTakeOver(state, pnn, address)) continue;
    if (most === undefined || counts.of(pnn) > counts.of(most)) most = pnn;
    if (least === undefined || counts.of(pnn) < counts.of(least)) least = pnn;
  }
  return [least, most];
}
