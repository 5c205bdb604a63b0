/**
 * Network interfaces from getifaddrs: all of them, also those that are down or have no address
 * (node:os lists neither).
 */
import { memoryAt } from "#foreign";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { NetworkInterface } from "../types/network.ts";
import { INTERFACE_FUNCTIONS } from "./functions.ts";
import { errno, nativeMemory, openLibc, systemError, textAt } from "./libc.ts";
import { AF_INET, AF_INET6, addressText } from "./socket_address.ts";

const IFF_UP = 1;

interface InterfaceEntry {
  readonly name: string;
  up: boolean;
  readonly addresses: { address: string; prefixLength: number }[];
}

export function networkInterfaces(): Result<readonly NetworkInterface[], SystemError> {
  const libc = openLibc(INTERFACE_FUNCTIONS);
  const head = nativeMemory(8);
  if (libc.getifaddrs(head.address) !== 0) {
    return err(systemError(errno(), "getifaddrs", "interfaces"));
  }
  const first = addressIn(head.view, 0);
  const found = new Map<string, InterfaceEntry>();
  for (let entry = first; entry !== 0; ) entry = readEntry(entry, found);
  libc.freeifaddrs(first);
  return ok([...found.values()]);
}

/** struct ifaddrs: next 0, name 8, flags u32 16, address 24, netmask 32. Returns where the next lies. */
function readEntry(at: number, found: Map<string, InterfaceEntry>): number {
  const entry = new DataView(memoryAt(at, 40));
  const name = textAt(addressIn(entry, 8));
  const up = (entry.getUint32(16, true) & IFF_UP) !== 0;
  const known = found.get(name) ?? { name, up, addresses: [] };
  known.up = up;
  found.set(name, known);
  const next = addressIn(entry, 0);
  const address = addressIn(entry, 24);
  const netmask = addressIn(entry, 32);
  if (address === 0 || netmask === 0) return next;
  const family = new DataView(memoryAt(address, 2)).getUint16(0, true);
  if (family !== AF_INET && family !== AF_INET6) return next;
  const numberAt = family === AF_INET ? 4 : 8;
  const mask = new Uint8Array(memoryAt(netmask + numberAt, family === AF_INET ? 4 : 16));
  known.addresses.push({
    address: addressText(family, address + numberAt),
    prefixLength: countBits(mask),
  });
  return next;
}

function addressIn(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

function countBits(mask: Uint8Array): number {
  let bits = 0;
  for (let byte of mask) {
    for (; byte !== 0; byte &= byte - 1) bits += 1;
  }
  return bits;
}
