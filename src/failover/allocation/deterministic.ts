/**
 * The deterministic algorithm (IPAllocAlgorithm 0): where an address goes depends on its place in the list of
 * all addresses, not on where it is; `home_nodes` overrides that. What cannot be hosted there goes to the
 * least loaded node. Addresses go home as soon as their node can host them, so nothing fails back.
 */
import type { PublicAddress } from "./addresses.ts";
import { AddressCounts, type AllocationState, unassignUnsuitable } from "./allocation_state.ts";

export function allocateDeterministic(state: AllocationState): void {
  const { log, addresses, nodeCount, noFailback } = state;
  log.notice("Deterministic IPs enabled. Resetting all ip allocations");
  for (const [index, address] of addresses.entries()) {
    address.pnn = homeOf(state, address) ?? index % nodeCount;
  }
  if (noFailback) {
    log.warning("WARNING: 'NoIPFailback' set but ignored - incompatible with 'Deterministic IPs");
  }
  unassignUnsuitable(state);
  new AddressCounts(state).allocateUnassigned();
}

/** The first line about an address counts. */
function homeOf(state: AllocationState, { addr }: PublicAddress): number | undefined {
  const home = state.homeNodes.find(
    ({ addr: { family, address } }) => family === addr.family && address === addr.address,
  );
  if (home === undefined) return undefined;
  if (home.pnn < state.nodeCount) return home.pnn;
  state.log.warning(
    `home_nodes: pnn ${home.pnn} of ${addr.address} is too large, expected less than ${state.nodeCount}`,
  );
  return undefined;
}
