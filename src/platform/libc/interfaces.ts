/**
 * Network interfaces from getifaddrs: all of them, also those that are down or have no address
 * (node:os lists neither).
 */
import { memoryAt } from "#foreign";
import type { SystemError } from "../../base/errors.ts";
import { ok, type Result } from "../../base/result.ts";
import type { NetworkInterface } from "../types/network.ts";
import { eachInterfaceEntry, IFF_UP, type InterfaceEntry } from "./interface_entries.ts";
import { AF_INET, AF_INET6, addressText } from "./socket_address.ts";

interface FoundInterface {
  readonly name: string;
  up: boolean;
  readonly addresses: { address: string; prefixLength: number }[];
}

export function networkInterfaces(): Result<readonly NetworkInterface[], SystemError> {
  const found = new Map<string, FoundInterface>();
  const read = eachInterfaceEntry("interfaces", (entry) => readEntry(entry, found));
  return read.ok ? ok([...found.values()]) : read;
}

function readEntry(entry: InterfaceEntry, found: Map<string, FoundInterface>): void {
  const { name, flags, address, netmask } = entry;
  const up = (flags & IFF_UP) !== 0;
  const known = found.get(name) ?? { name, up, addresses: [] };
  known.up = up;
  found.set(name, known);
  if (address === 0 || netmask === 0) return;
  const family = new DataView(memoryAt(address, 2)).getUint16(0, true);
  if (family !== AF_INET && family !== AF_INET6) return;
  const numberAt = family === AF_INET ? 4 : 8;
  const mask = new Uint8Array(memoryAt(netmask + numberAt, family === AF_INET ? 4 : 16));
  known.addresses.push({
    address: addressText(family, address + numberAt),
    prefixLength: countBits(mask),
  });
}

function countBits(mask: Uint8Array): number {
  let bits = 0;
  for (let byte of mask) {
    for (; byte !== 0; byte &= byte - 1) bits += 1;
  }
  return bits;
}
