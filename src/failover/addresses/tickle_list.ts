/**
 * TCP connections to one public address, which the node that takes the address over ends (docs/failover.md, "Tickle
 * lists"). `src` is the client, `dst` the public address.
 */
import { type Connection, connectionText } from "../../wire/structs/connection_text.ts";
import { parseAddress, type SockAddr } from "../../wire/structs/socket_address.ts";
import { CONNECTIONS_PER_ADDRESS_MAX } from "./limits.ts";

export class TickleList {
  readonly #connections = new Map<string, Connection>();
  /** The other nodes do not have it as it is. */
  changed = false;

  get size(): number {
    return this.#connections.size;
  }
  all(): readonly Connection[] {
    return [...this.#connections.values()];
  }
  /** Those to a port; port 0: all. */
  toPort(port: number): readonly Connection[] {
    const all = this.all();
    return port === 0 ? all : all.filter(({ dst }) => dst.port === port);
  }

  /** False when there is no room. */
  add(connection: Connection): boolean {
    const key = connectionText(connection);
    if (this.#connections.has(key)) return true;
    if (this.#connections.size >= CONNECTIONS_PER_ADDRESS_MAX) return false;
    this.#connections.set(key, connection);
    return true;
  }

  remove(connection: Connection): void {
    if (this.#connections.delete(connectionText(connection))) this.changed = true;
  }

  replace(connections: readonly Connection[]): void {
    this.#connections.clear();
    for (const connection of connections) if (!this.add(connection)) return;
  }

  removeAll(connections: readonly Connection[]): void {
    for (const connection of connections) this.remove(connection);
  }
}

/** An IPv4 address that came as a mapped IPv6 one is the IPv4 address. */
export function canonicalConnection({ src, dst }: Connection): Connection {
  return { src: canonical(src), dst: canonical(dst) };
}

function canonical(end: SockAddr): SockAddr {
  if (end.family !== "ipv6" || !end.address.includes(".")) return end;
  const parsed = parseAddress(end.address, end.port);
  return parsed.ok && parsed.value.family === "ipv4" ? parsed.value : end;
}
