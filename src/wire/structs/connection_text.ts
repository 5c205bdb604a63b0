/**
 * TCP connections as people, tools and scripts write them: "10.0.0.1:445" or "[fd00::1]:445" for an end, two ends in a line
 * for a connection, the one first that is named SOURCE.
 */
import { err, ok, type Result } from "../../base/result.ts";
import { type Endpoint, parseAddress, type SockAddr } from "./socket_address.ts";

/** In TCP_* controls and tickle lists `src` is the remote client. */
export interface Connection {
  readonly src: SockAddr;
  readonly dst: SockAddr;
}

export interface WrittenConnection extends Connection {
  readonly src: Endpoint;
  readonly dst: Endpoint;
}

const PORT_MAX = 0xffff;

export function endpointText({ family, address, port }: SockAddr): string {
  return family === "ipv6" ? `[${address}]:${port}` : `${address}:${port}`;
}

export function connectionText({ src, dst }: Connection): string {
  return `${endpointText(src)} -> ${endpointText(dst)}`;
}

/** An IPv6 address with or without brackets; an IPv4-mapped one is the IPv4 address. */
export function parseEndpoint(text: string): Result<Endpoint> {
  const colon = text.lastIndexOf(":");
  const port = text.slice(colon + 1);
  const isPort = colon !== -1 && /^[0-9]{1,5}$/.test(port) && Number(port) <= PORT_MAX;
  const endpoint = isPort ? parseAddress(text.slice(0, colon), Number(port)) : undefined;
  if (endpoint?.ok === true) return endpoint;
  return err(`expected an IP address, ":" and a port, got "${text}"`);
}

/** A line with spaces or tabs between; as the original, what stands behind the second end does not count. */
export function parseConnection(line: string): Result<WrittenConnection> {
  const [source, destination] = line.split(/[ \t]+/).filter((word) => word !== "");
  if (source === undefined || destination === undefined) {
    return err(`expected SOURCE:PORT DESTINATION:PORT, got "${line}"`);
  }
  const src = parseEndpoint(source);
  if (!src.ok) return src;
  const dst = parseEndpoint(destination);
  if (!dst.ok) return dst;
  if (src.value.family === dst.value.family) return ok({ src: src.value, dst: dst.value });
  return err(`expected addresses of one family, got "${source}" and "${destination}"`);
}
