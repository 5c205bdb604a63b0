/**
 * All public addresses of a cluster, merged from what each node knows, in the order in which
 * every algorithm goes through them; and who can have which.
 *
 * Invariants:
 * 1. Descending order of the keys, so IPv6 comes before IPv4.
 * 2. A node is believed about what it hosts itself only. When several say that they host an address, the one with
 *    the highest number counts: the others are told to release it.
 * 3. `pnn` is UNKNOWN_PNN while nobody has the address, else a number below `nodeCount`.
 */
import { UNKNOWN_PNN } from "../../wire/packet.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import { type AddressKey, addressKey, compareKeys } from "./address_key.ts";

/** A public address, and who hosts it as some node believes. */
export interface HostedAddress {
  readonly pnn: number;
  readonly addr: SockAddr;
}

/** What nodes said of addresses, by pnn; a node that knows none may be left out. */
export type AddressesByNode = ReadonlyMap<number, readonly HostedAddress[]>;

export interface PublicAddress {
  readonly addr: SockAddr;
  readonly key: AddressKey;
  /** Who hosts it, or will. */
  pnn: number;
  /** Nodes that have it in their configuration. */
  readonly knownOn: ReadonlySet<number>;
  /** Nodes that could host it now, in ascending order. */
  readonly availableOn: ReadonlySet<number>;
}

export function mergeAddresses(
  nodeCount: number,
  known: AddressesByNode,
  available: AddressesByNode,
): PublicAddress[] {
  const merged = new Map<string, { addr: SockAddr; key: AddressKey; pnn: number }>();
  for (let node = 0; node < nodeCount; node++) {
    for (const { addr, pnn } of known.get(node) ?? []) {
      const key = addressKey(addr);
      const name = key.join(".");
      const host = pnn === node ? node : (merged.get(name)?.pnn ?? UNKNOWN_PNN);
      // The last wins as a whole: an IPv6 address that ends in an IPv4 address has the same key.
      merged.set(name, { addr, key, pnn: host });
    }
  }
  const holders = holdersOf(nodeCount, available);
  const knowers = holdersOf(nodeCount, known);
  return [...merged.values()]
    .sort((a, b) => compareKeys(b.key, a.key))
    .map(({ addr, key, pnn }) => {
      const name = addressName(addr);
      const availableOn = holders.get(name) ?? new Set<number>();
      const knownOn = new Set([...(knowers.get(name) ?? []), ...availableOn]);
      return { addr, key, pnn, knownOn, availableOn };
    });
}

/** Ports and scopes do not count. */
function addressName({ family, address }: SockAddr): string {
  return `${family} ${address}`;
}

function holdersOf(nodeCount: number, lists: AddressesByNode): Map<string, Set<number>> {
  const holders = new Map<string, Set<number>>();
  for (let node = 0; node < nodeCount; node++) {
    for (const { addr } of lists.get(node) ?? []) {
      const name = addressName(addr);
      const nodes = holders.get(name);
      if (nodes === undefined) holders.set(name, new Set([node]));
      else nodes.add(node);
    }
  }
  return holders;
}

/**
 * Whether there is anything to allocate: some address is hosted, or could be. False also while nodes
 * know addresses that none of them can host yet.
 */
export function canHostAddresses(
  nodeCount: number,
  known: AddressesByNode,
  available: AddressesByNode,
): boolean {
  let knowsAny = false;
  let availableAny = false;
  for (let node = 0; node < nodeCount; node++) {
    const addresses = known.get(node) ?? [];
    if (addresses.some(({ pnn }) => pnn === node)) return true;
    knowsAny ||= addresses.length > 0;
    availableAny ||= (available.get(node) ?? []).length > 0;
  }
  return knowsAny && availableAny;
}
