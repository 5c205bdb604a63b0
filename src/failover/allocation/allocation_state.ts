/** What the three algorithms work on, and the steps that they share. */
import type { Logger } from "../../base/log.ts";
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { PublicAddress } from "./addresses.ts";
import type { HomeNode } from "./home_nodes.ts";

export interface AllocationSettings {
  /** NoIPTakeover: nobody gets an address that it does not have. */
  readonly noTakeover: boolean;
  /** NoIPFailback: an address stays where it is hosted. */
  readonly noFailback: boolean;
  /** Nodes that are to get addresses although they have some; lcp2 alone looks at them. */
  readonly rebalance: readonly number[];
  /** For the deterministic algorithm alone. */
  readonly homeNodes: readonly HomeNode[];
}

export interface AllocationState extends AllocationSettings {
  /** Of all nodes, the dead ones too: their numbers are 0 to this. */
  readonly nodeCount: number;
  readonly addresses: readonly PublicAddress[];
  readonly log: Logger;
  /** Whether the log shows DEBUG: each comparison is a line there, which is not written for nobody. */
  readonly logsDetails: boolean;
}

export function canTakeOver(state: AllocationState, pnn: number, address: PublicAddress): boolean {
  return !state.noTakeover && address.availableOn.has(pnn);
}

/** Takes addresses from the nodes that cannot host them. */
export function unassignUnsuitable(state: AllocationState): void {
  for (const address of state.addresses) {
    const { pnn, addr } = address;
    if (pnn === UNKNOWN_PNN || address.availableOn.has(pnn)) continue;
    state.log.debug(`Unassign IP: ${addr.address} from ${pnn}`);
    address.pnn = UNKNOWN_PNN;
  }
}

export function logUncovered(state: AllocationState, address: PublicAddress): void {
  state.log.warning(`Failed to find node to cover ip ${address.addr.address}`);
}

/** How many addresses each node has, kept up to date by whoever moves one. */
export class AddressCounts {
  readonly #state: AllocationState;
  readonly #counts: number[];

  constructor(state: AllocationState) {
    this.#state = state;
    this.#counts = new Array<number>(state.nodeCount).fill(0);
    for (const { pnn } of state.addresses) this.#add(pnn, 1);
  }

  of(pnn: number): number {
    return this.#counts[pnn] ?? 0;
  }

  /**
   * Gives an address to the node with the fewest among those that can take it over; the lowest number of equals.
   * What the address counts where it is now is counted there. False when no node can.
   */
  giveToLeastLoaded(address: PublicAddress): boolean {
    let least: number | undefined;
    for (let pnn = 0; pnn < this.#state.nodeCount; pnn++) {
      if (!canTakeOver(this.#state, pnn, address)) continue;
      if (least === undefined || this.of(pnn) < this.of(least)) least = pnn;
    }
    if (least === undefined) {
      const { log } = this.#state;
      log.warning(`Could not find node to take over public address '${address.addr.address}'`);
      return false;
    }
    this.#add(address.pnn, -1);
    this.#add(least, 1);
    address.pnn = least;
    return true;
  }

  allocateUnassigned(): void {
    for (const address of this.#state.addresses) {
      if (address.pnn !== UNKNOWN_PNN) continue;
      if (!this.giveToLeastLoaded(address)) logUncovered(this.#state, address);
    }
  }

  #add(pnn: number, change: number): void {
    if (pnn !== UNKNOWN_PNN) this.#counts[pnn] = this.of(pnn) + change;
  }
}
