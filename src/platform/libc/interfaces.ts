/**
 * Network interfaces from getifaddrs: all of them, also those that are down or have no address
 * (node:os lists neither).
 */
import { type Pointer, read } from "bun:ffi";
import { bytesText } from "../../base/byte_text.ts";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { NetworkInterface } from "../types/network.ts";
import { errno, nativeMemory, openLibc, systemError } from "./libc.ts";
import { AF_INET, AF_INET6, addressText } from "./socket_address.ts";

const IFF_UP = 1;

interface InterfaceEntry {
  readonly name: string;
  up: boolean;
  readonly addresses: { address: string; prefixLength: number }[];
}

export function networkInterfaces(): Result<readonly NetworkInterface[], SystemError> {
  const libc = openLibc({
    getifaddrs: { args: ["ptr"], returns: "i32" },
    freeifaddrs: { args: ["u64"], returns: "void" },
  });
  const head = nativeMemory(8);
  if (libc.getifaddrs(head.address) !== 0) {
    return err(systemError(errno(), "getifaddrs", "interfaces"));
  }
  const first = head.view.getBigUint64(0, true);
  const found = new Map<string, InterfaceEntry>();
  let entry = Number(first);
  while (entry !== 0) {
    readEntry(entry as Pointer, found);
    entry = read.ptr(entry as Pointer, 0);
  }
  libc.freeifaddrs(first);
  return ok([...found.values()]);
}

/** struct ifaddrs: next 0, name 8, flags u32 16, address 24, netmask 32. */
function readEntry(entry: Pointer, found: Map<string, InterfaceEntry>): void {
  const name = nameAt(read.ptr(entry, 8) as Pointer);
  const up = (read.u32(entry, 16) & IFF_UP) !== 0;
  const known = found.get(name) ?? { name, up, addresses: [] };
  known.up = up;
  found.set(name, known);
  const address = read.ptr(entry, 24);
  const netmask = read.ptr(entry, 32);
  if (address === 0 || netmask === 0) return;
  const family = read.u16(address as Pointer, 0);
  if (family !== AF_INET && family !== AF_INET6) return;
  const numberAt = family === AF_INET ? 4 : 8;
  const bytes = family === AF_INET ? 4 : 16;
  known.addresses.push({
    address: addressText(family, (address + numberAt) as Pointer),
    prefixLength: countBits(netmask as Pointer, numberAt, bytes),
  });
}

/** The kernel takes nearly any bytes as a name. */
function nameAt(at: Pointer): string {
  const bytes: number[] = [];
  for (let byte = read.u8(at, 0); byte !== 0; byte = read.u8(at, bytes.length)) bytes.push(byte);
  return bytesText(Uint8Array.from(bytes));
}

function countBits(at: Pointer, offset: number, bytes: number): number {
  let bits = 0;
  for (let i = 0; i < bytes; i++) {
    for (let byte = read.u8(at, offset + i); byte !== 0; byte &= byte - 1) bits += 1;
  }
  return bits;
}
