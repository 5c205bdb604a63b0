/** IP addresses of the command line and of lists on standard input, with the original's messages. */
import { err, ok, type Result } from "../base/result.ts";
import { addressBytes, parseAddress, type SockAddr } from "../wire/structs/socket_address.ts";
import { CommandFailure } from "./failure.ts";

const PORT_MAX = 0xffff;

/** Two ends of a TCP connection in the order in which they are written: the client first. */
export interface Ends {
  readonly src: SockAddr;
  readonly dst: SockAddr;
}

export function expectAddress(text: string, port = 0): SockAddr {
  return orInvalid(text, parseAddress(text, port));
}

/** `ADDRESS:PORT`, an IPv6 address with or without brackets. */
export function expectAddressWithPort(text: string): SockAddr {
  return orInvalid(text, parseAddressWithPort(text));
}

function orInvalid(text: string, address: Result<SockAddr>): SockAddr {
  if (address.ok) return address.value;
  throw new CommandFailure(1, `Invalid IP address ${text}`);
}

function parseAddressWithPort(text: string): Result<SockAddr> {
  const colon = text.lastIndexOf(":");
  const port = parseDecimal(text.slice(colon + 1), PORT_MAX);
  const address = parseAddress(text.slice(0, Math.max(colon, 0)), port ?? 0);
  if (port !== undefined && address.ok) return address;
  return err(`expected an IP address with a port behind a colon, got "${text}"`);
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

/** Without a port, or with one: then an IPv6 address stands in brackets. */
export function addressWithPort({ family, address, port }: SockAddr): string {
  return family === "ipv6" ? `[${address}]:${port}` : `${address}:${port}`;
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

/**
 * A list of connections, two ends a line; empty lines and those that begin with # do not count. The reason
 * names the first line that is neither.
 */
export function parseConnections(text: string): Result<readonly Ends[]> {
  const connections: Ends[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const connection = parseConnection(line);
    if (!connection.ok) return err(`line ${index + 1}: ${connection.error}`);
    connections.push(connection.value);
  }
  return ok(connections);
}

function parseConnection(line: string): Result<Ends> {
  // The original ignores what stands behind the second one.
  const [first, second] = line.split(/[ \t]+/).filter((word) => word !== "");
  if (first === undefined || second === undefined) {
    return err(`expected two addresses with ports, got "${line}"`);
  }
  const src = parseAddressWithPort(first);
  if (!src.ok) return src;
  const dst = parseAddressWithPort(second);
  if (!dst.ok) return dst;
  if (src.value.family === dst.value.family) return ok({ src: src.value, dst: dst.value });
  return err(`expected two addresses of one kind, got "${line}"`);
}
