/**
 * The local clients: who is connected, with which process id, and what each has registered.
 *
 * Invariants:
 * 1. A client number is never 0 and is not given again while its client is there.
 * 2. When a client goes, everything that it registered goes with it, once (client_service.ts).
 */
import type { ClientKind } from "../../transport/client_links.ts";
import type { PacketLink } from "../../transport/packet_link.ts";
import type { PacketView } from "../../wire/packet.ts";
import type { MessageSink } from "./srvid_registry.ts";

/** A srvid as it was registered. */
export interface Registration {
  readonly hi: number;
  readonly lo: number;
}

export interface Notification {
  readonly hi: number;
  readonly lo: number;
  readonly data: Uint8Array;
}

export class Client implements MessageSink {
  readonly id: number;
  /** 0 when the system does not tell. */
  readonly pid: number;
  readonly link: PacketLink;
  /** By the socket that it has connected to. */
  readonly kind: ClientKind;
  readonly srvids: Registration[] = [];
  readonly tunnels: Registration[] = [];
  /** Sent to all nodes when the client goes. */
  readonly notifications: Notification[] = [];
  /** Controls of it that are not answered. */
  pendingControls = 0;
  /** Updates of persistent databases that it began and neither ended nor cancelled. */
  persistentUpdates = 0;
  /** Its own backlog makes us not read from it. */
  heldForBacklog = false;
  readonly #deliver: (client: Client, packet: PacketView) => void;

  constructor(
    id: number,
    pid: number,
    link: PacketLink,
    kind: ClientKind,
    deliver: (client: Client, packet: PacketView) => void,
  ) {
    this.id = id;
    this.pid = pid;
    this.link = link;
    this.kind = kind;
    this.#deliver = deliver;
  }

  get backlogBytes(): number {
    return this.link.queuedBytes;
  }

  deliver(packet: PacketView): void {
    this.#deliver(this, packet);
  }
}

export class ClientTable {
  readonly #byId = new Map<number, Client>();
  readonly #byPid = new Map<number, Client[]>();

  get size(): number {
    return this.#byId.size;
  }

  get(id: number): Client | undefined {
    return this.#byId.get(id);
  }
  has(id: number): boolean {
    return this.#byId.has(id);
  }
  all(): IterableIterator<Client> {
    return this.#byId.values();
  }
  /** Clients of a process, oldest first: a process may have several connections. */
  ofPid(pid: number): readonly Client[] {
    return this.#byPid.get(pid) ?? [];
  }

  add(client: Client): void {
    this.#byId.set(client.id, client);
    this.#byPid.set(client.pid, [...this.ofPid(client.pid), client]);
  }

  /** False when it was not there. */
  remove(client: Client): boolean {
    if (this.#byId.get(client.id) !== client) return false;
    this.#byId.delete(client.id);
    const others = this.ofPid(client.pid).filter((other) => other !== client);
    if (others.length > 0) this.#byPid.set(client.pid, others);
    else this.#byPid.delete(client.pid);
    return true;
  }
}
