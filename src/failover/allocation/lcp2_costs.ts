/**
 * What each address costs, or would cost, each node, and the imbalance of each node, kept up to date with
 * each move: asking again for all pairs would be four times nested.
 *
 * Invariant: the numbers are those of a new calculation, in 32 bits without a sign. Sums that wrap may be
 * taken apart and put together in any order.
 */
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import { addressDistance } from "./address_key.ts";
import type { PublicAddress } from "./addresses.ts";

export class Lcp2Costs {
  readonly #addresses: readonly PublicAddress[];
  readonly #nodeCount: number;
  /** Of the address and the node; `nodeCount` numbers for each address. */
  readonly #costs: Uint32Array;
  readonly #imbalances: Uint32Array;

  constructor(state: {
    readonly addresses: readonly PublicAddress[];
    readonly nodeCount: number;
  }) {
    this.#addresses = state.addresses;
    this.#nodeCount = state.nodeCount;
    this.#costs = new Uint32Array(state.addresses.length * state.nodeCount);
    this.#imbalances = new Uint32Array(state.nodeCount);
    for (const [index, { pnn }] of state.addresses.entries()) {
      if (pnn === UNKNOWN_PNN) continue;
      // What it costs beside those that were placed before it.
      this.#addImbalance(pnn, this.cost(index, pnn));
      this.#placed(index, pnn, 1);
    }
  }

  /** The squared distances of an address to the others on a node. */
  cost(index: number, pnn: number): number {
    return this.#costs[index * this.#nodeCount + pnn] as number;
  }

  imbalance(pnn: number): number {
    return this.#imbalances[pnn] as number;
  }

  /** The address, of this index in the list, goes to this node. */
  move(index: number, pnn: number): void {
    const address = this.#addresses[index] as PublicAddress;
    if (address.pnn !== UNKNOWN_PNN) {
      this.#addImbalance(address.pnn, -this.cost(index, address.pnn));
      this.#placed(index, address.pnn, -1);
    }
    this.#addImbalance(pnn, this.cost(index, pnn));
    this.#placed(index, pnn, 1);
    address.pnn = pnn;
  }

  #addImbalance(pnn: number, change: number): void {
    this.#imbalances[pnn] = this.imbalance(pnn) + change;
  }

  /** All others cost the node more, or less, by their distance to this one. */
  #placed(index: number, pnn: number, sign: 1 | -1): void {
    const { key } = this.#addresses[index] as PublicAddress;
    const costs = this.#costs;
    for (let other = 0; other < this.#addresses.length; other++) {
      if (other === index) continue;
      const distance = addressDistance(key, (this.#addresses[other] as PublicAddress).key);
      const at = other * this.#nodeCount + pnn;
      costs[at] = (costs[at] as number) + sign * distance * distance;
    }
  }
}
