/** IP addresses of the command line, with the original's messages. */
import type { Result } from "../base/result.ts";
import { parseEndpoint } from "../wire/structs/connection_text.ts";
import {
  addressBytes,
  type Endpoint,
  parseAddress,
  type SockAddr,
} from "../wire/structs/socket_address.ts";
import { CommandFailure } from "./failure.ts";

export function expectAddress(text: string, port = 0): Endpoint {
  return orInvalid(text, parseAddress(text, port));
}

/** `ADDRESS:PORT`, an IPv6 address with or without brackets. */
export function expectEndpoint(text: string): Endpoint {
  return orInvalid(text, parseEndpoint(text));
}

function orInvalid(text: string, address: Result<Endpoint>): Endpoint {
  if (address.ok) return address.value;
  throw new CommandFailure(1, `Invalid IP address ${text}`);
}

/** `ADDRESS/BITS`. */
export function parseAddressWithMask(text: string): { addr: SockAddr; mask: number } | undefined {
  const slash = text.lastIndexOf("/");
  const addr = parseAddress(text.slice(0, Math.max(slash, 0)));
  if (!addr.ok) return undefined;
  const mask = parseDecimal(text.slice(slash + 1), addr.value.family === "ipv4" ? 32 : 128);
  return mask === undefined ? undefined : { addr: addr.value, mask };
}

function parseDecimal(text: string, max: number): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= max ? value : undefined;
}

export function sameAddress(a: SockAddr, b: SockAddr): boolean {
  return a.family === b.family && a.address === b.address;
}

/** IPv4 first, then by the bytes of the address, then by port. */
export function compareAddresses(a: SockAddr, b: SockAddr): number {
  if (a.family !== b.family) return a.family < b.family ? -1 : 1;
  const [left, right] = [addressBytes(a.address), addressBytes(b.address)];
  const at = left.findIndex((byte, i) => byte !== right[i]);
  return at < 0 ? a.port - b.port : (left[at] as number) - (right[at] as number);
}
