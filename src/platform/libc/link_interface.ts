/**
 * An interface as its link: index, hardware address, broadcast address. Found by index, so that alternative names
 * (`ip link property add … altname`) do too. From getifaddrs: of the ways to ask it is the one that gives
 * hardware addresses of more than 14 bytes.
 */
import { memoryAt } from "#foreign";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { INTERFACE_INDEX_FUNCTIONS } from "./functions.ts";
import { eachInterfaceEntry, IFF_UP, type InterfaceEntry } from "./interface_entries.ts";
import { cText, ERRNO, errno, openLibc, systemError } from "./libc.ts";

export const AF_PACKET = 17;

const IFF_BROADCAST = 0x2;
const IFF_LOOPBACK = 0x8;
const IFF_NOARP = 0x80;
/** struct sockaddr_ll: family u16 0, protocol u16be 2, index i32 4, hardware type u16 8, length u8 11, address 12. */
export const LINK_ADDRESS_AT = 12;
const LINK_ADDRESS_BYTES_MAX = 32;

export interface LinkInterface {
  readonly index: number;
  readonly up: boolean;
  /** It has neighbours that learn addresses from what is broadcast: loopback and tunnels have none. */
  readonly hasNeighbours: boolean;
  /** As ARP numbers it. */
  readonly hardwareType: number;
  readonly address: Uint8Array;
  readonly broadcast: Uint8Array;
}

/** By its name or an alternative one, of at most 15 bytes. */
export function interfaceExists(name: string): boolean {
  return openLibc(INTERFACE_INDEX_FUNCTIONS).if_nametoindex(cText(name)) !== 0;
}

/** ENODEV when there is none of this name or alternative name. */
export function linkInterface(name: string): Result<LinkInterface, SystemError> {
  const index = openLibc(INTERFACE_INDEX_FUNCTIONS).if_nametoindex(cText(name));
  if (index === 0) return err(systemError(errno(), "if_nametoindex", name));
  let found: LinkInterface | undefined;
  const read = eachInterfaceEntry(name, (entry) => {
    found ??= readLink(entry, index);
  });
  if (!read.ok) return read;
  return found === undefined ? err(systemError(ERRNO.ENODEV, "getifaddrs", name)) : ok(found);
}

/** Of all interfaces that have one. */
export function hardwareAddresses(): Result<readonly Uint8Array[], SystemError> {
  const addresses: Uint8Array[] = [];
  const read = eachInterfaceEntry("interfaces", ({ address }) => {
    const link = linkAddress(address);
    if (link !== undefined) addresses.push(link.bytes);
  });
  return read.ok ? ok(addresses) : read;
}

function readLink(entry: InterfaceEntry, index: number): LinkInterface | undefined {
  const address = linkAddress(entry.address);
  if (address === undefined || address.index !== index) return undefined;
  const { flags } = entry;
  const broadcast = (flags & IFF_BROADCAST) !== 0 ? linkAddress(entry.broadcast) : undefined;
  return {
    index,
    up: (flags & IFF_UP) !== 0,
    hasNeighbours: broadcast !== undefined && (flags & (IFF_LOOPBACK | IFF_NOARP)) === 0,
    hardwareType: address.hardwareType,
    address: address.bytes,
    broadcast: broadcast?.bytes ?? new Uint8Array(0),
  };
}

interface LinkAddress {
  readonly index: number;
  readonly hardwareType: number;
  readonly bytes: Uint8Array;
}

function linkAddress(at: number): LinkAddress | undefined {
  if (at === 0) return undefined;
  const view = new DataView(memoryAt(at, LINK_ADDRESS_AT));
  if (view.getUint16(0, true) !== AF_PACKET) return undefined;
  const byteLength = Math.min(view.getUint8(11), LINK_ADDRESS_BYTES_MAX);
  return {
    index: view.getInt32(4, true),
    hardwareType: view.getUint16(8, true),
    // A copy: the list is freed.
    bytes: new Uint8Array(memoryAt(at + LINK_ADDRESS_AT, byteLength)).slice(),
  };
}
