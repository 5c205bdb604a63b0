/**
 * LCP2 (IPAllocAlgorithm 2, the usual one): addresses that share a long prefix are kept on different nodes, so
 * that each network is spread over the cluster. The imbalance of a node is the sum of the squared distances
 * (address_key.ts) of its pairs of addresses; an address costs a node its squared distances to those it has.
 *
 * Invariants:
 * 1. All sums are of 32 bits without a sign and wrap, as those of the original: decisions are compared.
 * 2. Ties go to what comes first: addresses in list order, nodes in ascending order. Nodes of equal imbalance are
 *    looked at in ascending order, which is what the C library's merge sort does for the original.
 * 3. A move onto a candidate makes the cluster better and its pair of nodes no worse, so it ends.
 */
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { PublicAddress } from "./addresses.ts";
import {
  type AllocationState,
  canTakeOver,
  logUncovered,
  unassignUnsuitable,
} from "./allocation_state.ts";
import { Lcp2Costs } from "./lcp2_costs.ts";

const LINE = " ----------------------------------------";

export function allocateLcp2(state: AllocationState): void {
  unassignUnsuitable(state);
  const costs = new Lcp2Costs(state);
  const candidates = rebalanceCandidates(state);
  allocateUnassigned(state, costs);
  if (state.noFailback || candidates.length === 0) return;
  while (moveOne(state, costs, candidates)) {
    // Each move changes which node is the most imbalanced.
  }
}

/** Nodes that others may give addresses to, ascending: those that have none, and those that were asked for. */
function rebalanceCandidates(state: AllocationState): readonly number[] {
  const { nodeCount, addresses, rebalance, log } = state;
  const hosts = new Set(addresses.map(({ pnn }) => pnn));
  const forced = new Set<number>();
  for (const pnn of rebalance) {
    if (pnn < nodeCount) {
      log.notice(`Forcing rebalancing of IPs to node ${pnn}`);
      forced.add(pnn);
    } else {
      log.error(`unknown node ${pnn}`);
    }
  }
  return Array.from({ length: nodeCount }, (_, pnn) => pnn).filter(
    (pnn) => !hosts.has(pnn) || forced.has(pnn),
  );
}

interface Placement {
  readonly index: number;
  readonly address: PublicAddress;
  readonly pnn: number;
  readonly cost: number;
}

/** Again and again the cheapest placement of any address that has no host; looks once in any case. */
function allocateUnassigned(state: AllocationState, costs: Lcp2Costs): void {
  const { addresses, log } = state;
  for (;;) {
    debug(state, () => LINE);
    debug(state, () => " CONSIDERING MOVES (UNASSIGNED)");
    const best = cheapestPlacement(state, costs);
    debug(state, () => LINE);
    if (best === undefined) break;
    costs.move(best.index, best.pnn);
    log.info(` ${best.address.addr.address} -> ${best.pnn} [+${best.cost | 0}]`);
    if (addresses.every(({ pnn }) => pnn !== UNKNOWN_PNN)) break;
  }
  for (const address of addresses) {
    if (address.pnn === UNKNOWN_PNN) logUncovered(state, address);
  }
}

function cheapestPlacement(state: AllocationState, costs: Lcp2Costs): Placement | undefined {
  const { addresses, logsDetails, log } = state;
  if (state.noTakeover) return undefined;
  let best: Placement | undefined;
  for (let index = 0; index < addresses.length; index++) {
    const address = addresses[index] as PublicAddress;
    if (address.pnn !== UNKNOWN_PNN) continue;
    for (const pnn of address.availableOn) {
      const cost = costs.cost(index, pnn);
      if (logsDetails) log.debug(` ${address.addr.address} -> ${pnn} [+${cost | 0}]`);
      if (best === undefined || cost < best.cost) best = { index, address, pnn, cost };
    }
  }
  return best;
}

/** From the most imbalanced node that has a move that makes things better. */
function moveOne(state: AllocationState, costs: Lcp2Costs, candidates: readonly number[]): boolean {
  debug(state, () => "+++++++++++++++++++++++++++++++++++++++++");
  debug(state, () => "Selecting most imbalanced node from:");
  const nodes = Array.from({ length: state.nodeCount }, (_, pnn) => pnn);
  for (const pnn of nodes) debug(state, () => ` ${pnn} [${costs.imbalance(pnn) | 0}]`);
  nodes.sort((a, b) => costs.imbalance(b) - costs.imbalance(a));
  for (const pnn of nodes) {
    if (costs.imbalance(pnn) === 0) return false;
    if (moveFrom(state, costs, candidates, pnn)) return true;
  }
  return false;
}

function moveFrom(
  state: AllocationState,
  costs: Lcp2Costs,
  candidates: readonly number[],
  source: number,
): boolean {
  const imbalance = costs.imbalance(source);
  debug(state, () => LINE);
  debug(state, () => ` CONSIDERING MOVES FROM ${source} [${imbalance | 0}]`);
  let best: (Placement & { readonly gain: number; readonly total: number }) | undefined;
  for (const [index, address] of state.addresses.entries()) {
    if (address.pnn !== source) continue;
    const gain = costs.cost(index, source);
    for (const pnn of candidates) {
      if (!canTakeOver(state, pnn, address)) continue;
      const cost = costs.cost(index, pnn);
      const targetImbalance = (costs.imbalance(pnn) + cost) >>> 0;
      if (state.logsDetails) {
        state.log.debug(moveText(source, -gain | 0, address, pnn, cost, " "));
      }
      if (targetImbalance >= imbalance || cost >= gain) continue;
      const total = (((imbalance - gain) >>> 0) + targetImbalance) >>> 0;
      if (best === undefined || total < best.total)
        best = { index, address, pnn, cost, gain, total };
    }
  }
  debug(state, () => LINE);
  if (best === undefined) return false;
  state.log.info(moveText(source, -best.gain | 0, best.address, best.pnn, best.cost, ""));
  costs.move(best.index, best.pnn);
  return true;
}

function moveText(
  source: number,
  change: number,
  { addr }: PublicAddress,
  target: number,
  cost: number,
  indent: string,
): string {
  return `${indent}${source} [${change}] -> ${addr.address} -> ${target} [+${cost | 0}]`;
}

/** The numbers of the lines are those of a signed print of what wraps without a sign. */
function debug(state: AllocationState, text: () => string): void {
  if (state.logsDetails) state.log.debug(text());
}
