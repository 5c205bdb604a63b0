/**
 * Connections of clients to public addresses: TCP_CLIENT and its sisters, TCP_ADD, TCP_REMOVE, and the lists that nodes
 * send each other, so that the node that takes an address over knows whom to wake (docs/failover.md, "Tickle lists").
 *
 * Invariants:
 * 1. Only the node that hosts an address sends its list, and it takes none from others.
 * 2. What a client told goes with the client, unless the address is on its way elsewhere: then the next node needs it.
 */
import { type ControlReply, failure, SUCCESS } from "../../control/control_request.ts";
import type { Timer } from "../../platform/types/time.ts";
import { type Connection, connectionText } from "../../wire/structs/connection_text.ts";
import type { SockAddr } from "../../wire/structs/socket_address.ts";
import type { AddressBook } from "./address_book.ts";
import type { AddressHost } from "./host.ts";
import { CONNECTIONS_PER_CLIENT_MAX } from "./limits.ts";
import type { PublicAddress } from "./public_address.ts";
import { canonicalConnection } from "./tickle_list.ts";

export interface TickleNetwork {
  /** To the connected nodes, this one included. */
  broadcastAdd(connection: Connection): void;
  broadcastRemove(connection: Connection): void;
  /** To all nodes. */
  broadcastList(address: SockAddr, connections: readonly Connection[]): void;
  /** TickleUpdateInterval. */
  updateIntervalMs(): number;
}

/** tickle lists of an address that is not ours: positive, so that the asker does not retry. */
const NOT_A_PUBLIC_ADDRESS: ControlReply = { status: 1 };
const UPDATE_INTERVAL_MIN_MS = 1000;

export class Connections {
  readonly #host: AddressHost;
  readonly #book: AddressBook;
  readonly #network: TickleNetwork;
  readonly #ofClient = new Map<number, Map<string, Connection>>();
  #timer: Timer | undefined;

  constructor(host: AddressHost, book: AddressBook, network: TickleNetwork) {
    this.#host = host;
    this.#book = book;
    this.#network = network;
  }

  // --- clients

  clientConnected(clientId: number, told: Connection): ControlReply {
    // Without public addresses nobody needs to know.
    if (this.#book.isEmpty) return SUCCESS;
    if (clientId === 0) return failure("this control is for local clients only");
    const connection = canonicalConnection(told);
    const address = this.#book.find(connection.dst);
    if (address === undefined) {
      const what = connectionText(connection);
      this.#host.log.info(`TCP connection ${what} of client ${clientId}: not a public address`);
      return SUCCESS;
    }
    if (!this.#isOurs(address)) {
      const reason = `cannot register a connection to ${address.text}, which this node does not hold`;
      this.#host.log.error(`${reason} (client ${clientId})`);
      return failure(reason);
    }
    const connections = this.#ofClient.get(clientId) ?? new Map<string, Connection>();
    if (connections.size >= CONNECTIONS_PER_CLIENT_MAX) {
      return failure(`client ${clientId} has ${connections.size} connections`);
    }
    this.#ofClient.set(clientId, connections);
    connections.set(connectionText(connection), connection);
    this.#network.broadcastAdd(connection);
    return SUCCESS;
  }

  clientDisconnected(clientId: number, told: Connection): ControlReply {
    const connection = canonicalConnection(told);
    if (!this.#forget(clientId, connection)) return SUCCESS;
    const address = this.#book.find(connection.dst);
    if (address !== undefined && !this.#staysHere(address)) return SUCCESS;
    this.#network.broadcastRemove(connection);
    return SUCCESS;
  }

  /** Another client has the connection now, and has told us or will. */
  clientPassed(clientId: number, told: Connection): ControlReply {
    this.#forget(clientId, canonicalConnection(told));
    return SUCCESS;
  }

  clientGone(clientId: number): void {
    const connections = this.#ofClient.get(clientId);
    if (connections === undefined) return;
    this.#ofClient.delete(clientId);
    for (const connection of connections.values()) {
      const address = this.#book.find(connection.dst);
      if (address !== undefined && this.#staysHere(address)) address.tickles.remove(connection);
    }
  }

  // --- lists

  /** `tellLater`: the others are to get it with the next list. */
  add(told: Connection, tellLater: boolean): ControlReply {
    if (this.#book.isEmpty) return SUCCESS;
    const connection = canonicalConnection(told);
    const address = this.#book.find(connection.dst);
    if (address === undefined) return failure(`"${connection.dst.address}" is not public`);
    if (!address.tickles.add(connection)) {
      return failure(`"${address.text}" has ${address.tickles.size} connections already`);
    }
    if (tellLater) address.tickles.changed = true;
    return SUCCESS;
  }

  remove(told: Connection): ControlReply {
    const connection = canonicalConnection(told);
    this.#book.find(connection.dst)?.tickles.remove(connection);
    return SUCCESS;
  }

  /** Those to the port of `asked`; port 0: all. undefined: not a public address. */
  listOf(asked: SockAddr): readonly Connection[] | undefined {
    return this.#book.find(asked)?.tickles.toPort(asked.port);
  }

  /** Those that no client of this node has: of the node that had the address before. */
  ofFormerHost(address: PublicAddress): readonly Connection[] {
    const clients = [...this.#ofClient.values()];
    const own = new Set(clients.flatMap((connections) => [...connections.keys()]));
    return address.tickles.all().filter((connection) => !own.has(connectionText(connection)));
  }

  setList(list: { readonly addr: SockAddr; readonly connections: readonly Connection[] }) {
    const address = this.#book.find(list.addr);
    if (address === undefined) return NOT_A_PUBLIC_ADDRESS;
    if (!this.#isOurs(address)) address.tickles.replace(list.connections);
    return SUCCESS;
  }

  // --- to the others

  start(): void {
    const intervalMs = Math.max(this.#network.updateIntervalMs(), UPDATE_INTERVAL_MIN_MS);
    this.#timer = this.#host.timers.after(intervalMs, () => {
      this.sendLists("changed");
      this.start();
    });
  }

  sendLists(which: "all" | "changed"): void {
    for (const address of this.#book.list()) {
      if (!this.#isOurs(address)) continue;
      if (which === "changed" && !address.tickles.changed) continue;
      this.#network.broadcastList(address.address, address.tickles.all());
      address.tickles.changed = false;
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #forget(clientId: number, connection: Connection): boolean {
    const connections = this.#ofClient.get(clientId);
    if (connections?.delete(connectionText(connection)) !== true) return false;
    if (connections.size === 0) this.#ofClient.delete(clientId);
    return true;
  }

  #isOurs(address: PublicAddress): boolean {
    return address.pnn === this.#host.ownPnn;
  }
  #staysHere(address: PublicAddress): boolean {
    return this.#isOurs(address) && address.activity !== "releasing";
  }
}
