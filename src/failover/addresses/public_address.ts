/**
 * One public address as this node knows it: on which interfaces it may be, who hosts it, and what happens to it now.
 *
 *     idle ── TAKEOVER_IP ──▶ taking ──▶ idle      each of the three is one event at a time
 *     idle ── TAKEOVER_IP ──▶ updating ─▶ idle     (another interface of this node)
 *     idle ── RELEASE_IP ───▶ releasing ▶ idle
 *
 * Invariants:
 * 1. An address has an interface exactly as long as this node means to host it: then `pnn` is ours.
 * 2. The interface's references follow.
 */
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import type { AddressInterface } from "./interface_table.ts";
import { TickleList } from "./tickle_list.ts";

export type AddressActivity = "idle" | "taking" | "updating" | "releasing";

/** What scripts are told when it has no interface. */
const NO_INTERFACE = "__none__";

export class PublicAddress {
  readonly address: SockAddr;
  readonly prefixLength: number;
  readonly candidates: readonly AddressInterface[];
  readonly tickles = new TickleList();
  /** Who hosts it, as far as this node was told. */
  pnn = UNKNOWN_PNN;
  activity: AddressActivity = "idle";
  /** Deleted from the configuration: it goes with its release. */
  deletePending = false;
  /** To be released as soon as what happens now is over. */
  releaseNext = false;
  /** Repeated announcements of it, which end with its release. */
  announcement: { cancel(): void } | undefined;
  #iface: AddressInterface | undefined;

  constructor(address: SockAddr, prefixLength: number, candidates: readonly AddressInterface[]) {
    this.address = address;
    this.prefixLength = prefixLength;
    this.candidates = candidates;
  }

  /** The address alone, as scripts and clients know it. */
  get text(): string {
    return this.address.address;
  }
  get described(): string {
    return `${this.text}/${this.prefixLength}`;
  }
  get iface(): AddressInterface | undefined {
    return this.#iface;
  }
  get interfaceName(): string {
    return this.#iface?.name ?? NO_INTERFACE;
  }

  /** The usable interface with the fewest addresses, of equal ones the first. */
  bestInterface(): AddressInterface | undefined {
    let best: AddressInterface | undefined;
    for (const candidate of this.candidates) {
      if (!candidate.usable) continue;
      if (best === undefined || candidate.references < best.references) best = candidate;
    }
    return best;
  }

  get hasUsableInterface(): boolean {
    return this.#iface?.usable === true || this.candidates.some(({ usable }) => usable);
  }

  assign(iface: AddressInterface, ownPnn: number): void {
    if (this.#iface !== undefined) this.#iface.references -= 1;
    this.#iface = iface;
    iface.references += 1;
    this.pnn = ownPnn;
  }

  /** Nobody hosts it, unless another node was known to. */
  unassign(ownPnn: number): void {
    if (this.#iface !== undefined) this.#iface.references -= 1;
    this.#iface = undefined;
    if (this.pnn === ownPnn) this.pnn = UNKNOWN_PNN;
  }
}
