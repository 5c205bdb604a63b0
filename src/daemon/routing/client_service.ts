/**
 * The life of local clients: taken in, served, held back or dropped, and everything undone that they
 * had registered.
 *
 * Invariants:
 * 1. Before `serve` clients may connect, but nothing that they send is handled.
 * 2. A client that goes is removed from every table in the same turn, once.
 * 3. What waits for one client is bounded; a client over the limit is dropped and nobody else is
 *    held up.
 */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { ControlRouter } from "../../control/control_router.ts";
import type { RequestIds } from "../../control/request_ids.ts";
import type { MutableStatistics } from "../../database/host.ts";
import type { NodeAddresses } from "../../failover/addresses/node_addresses.ts";
import type { ClientAcceptor, ClientKind } from "../../transport/client_links.ts";
import type { PacketLink } from "../../transport/packet_link.ts";
import { BROADCAST_CONNECTED, OPERATIONS, type PacketView } from "../../wire/packet.ts";
import type { DatabasePart } from "../database_part.ts";
import { Client, type ClientTable } from "./client_table.ts";
import { CLIENT_QUEUE_BYTES_MAX, CLIENTS_MAX } from "./limits.ts";
import type { MessageRouter } from "./message_router.ts";
import type { NodeOutput } from "./node_output.ts";
import type { PacketInput } from "./packet_input.ts";
import type { SrvidRegistry } from "./srvid_registry.ts";
import type { TunnelRouter } from "./tunnel_router.ts";

export interface ClientServiceParts {
  readonly clients: ClientTable;
  readonly registry: SrvidRegistry;
  readonly tunnels: TunnelRouter;
  readonly messages: MessageRouter;
  readonly controls: ControlRouter;
  readonly database: DatabasePart;
  readonly addresses: NodeAddresses;
  readonly input: PacketInput;
  readonly output: NodeOutput;
  readonly requestIds: RequestIds;
  readonly statistics: MutableStatistics;
  readonly log: Logger;
  readonly journal: Journal;
  processName(pid: number): string | undefined;
  tunable(name: string): number;
  forceRecovery(reason: string): void;
}

export class ClientService {
  readonly #p: ClientServiceParts;
  #serving = false;

  constructor(parts: ClientServiceParts) {
    this.#p = parts;
  }

  acceptor(kind: ClientKind): ClientAcceptor {
    return (pid) => {
      const { clients, log } = this.#p;
      if (kind === "clients" && clients.size >= CLIENTS_MAX) {
        log.error(`Refused connection of process ${pid}: ${CLIENTS_MAX} clients are connected`);
        return undefined;
      }
      let client: Client | undefined;
      return {
        owner: {
          onPacket: (packet) => {
            if (client !== undefined) this.#packet(client, packet);
          },
          onClosed: (reason, malformed) => {
            if (client === undefined) return;
            if (malformed) this.#p.input.refuseClient(client, reason);
            else this.#gone(client);
          },
          onRelieved: () => {
            if (client !== undefined) relieved(client);
          },
        },
        connect: (link) => {
          client = this.#connected(pid, link, kind);
        },
      };
    };
  }

  /** From now on what clients send is handled, what they sent before included. */
  serve(): void {
    this.#serving = true;
    for (const client of this.#p.clients.all()) client.link.release();
  }

  drop(client: Client, reason: string): void {
    this.#p.log.info(`Closing connection of client ${client.pid}: ${reason}`);
    client.link.close();
    this.#gone(client);
  }

  close(): void {
    for (const client of this.#p.clients.all()) client.link.close();
  }

  #connected(pid: number, link: PacketLink, kind: ClientKind): Client {
    const { clients, requestIds } = this.#p;
    const deliver = (to: Client, packet: PacketView) => this.#deliver(to, packet);
    const client = new Client(requestIds.take(), pid, link, kind, deliver);
    clients.add(client);
    if (!this.#serving) link.hold();
    return client;
  }

  #packet(client: Client, packet: PacketView): void {
    const { input, output } = this.#p;
    output.source = client.link;
    try {
      input.fromClient(client, packet);
    } finally {
      output.source = undefined;
    }
  }

  #deliver(client: Client, packet: PacketView): void {
    const { statistics, log, tunable } = this.#p;
    const { link } = client;
    if (!link.open) return;
    statistics.client_packets_sent += 1;
    const isMessage = packet.operation === OPERATIONS.REQ_MESSAGE;
    if (isMessage && link.queuedPackets > tunable("MaxQueueDropMsg")) {
      log.error("CTDB_REQ_MESSAGE queue full - killing client connection.");
      this.drop(client, `${link.queuedPackets} packets wait for it`);
      return;
    }
    link.send(packet);
    if (link.queuedBytes > CLIENT_QUEUE_BYTES_MAX) {
      this.drop(client, `${link.queuedBytes} bytes wait for it`);
      return;
    }
    if (link.congested && !client.heldForBacklog) {
      client.heldForBacklog = true;
      link.hold();
    }
  }

  #gone(client: Client): void {
    const { clients, registry, tunnels, controls, database, messages, forceRecovery } = this.#p;
    if (!clients.remove(client)) return;
    for (const { hi, lo } of client.srvids) registry.remove(hi, lo, client);
    client.srvids.length = 0;
    tunnels.clientGone(client);
    controls.clientGone(client);
    for (const name of database.clientGone(client.id)) {
      this.#died(client, name, "a commit of a transaction");
    }
    this.#p.addresses.connections.clientGone(client.id);
    if (client.persistentUpdates > 0) {
      this.#died(client, null, "an update of persistent databases");
      forceRecovery(`client ${client.pid} ended with persistent updates in flight`);
    }
    for (const { hi, lo, data } of client.notifications) {
      messages.send(BROADCAST_CONNECTED, { hi, lo }, data);
    }
    client.notifications.length = 0;
  }

  #died({ pid }: Client, database: string | null, during: string): void {
    // The process is on its way out, and mostly still has its name.
    const program = this.#p.processName(pid) ?? "";
    this.#p.journal.record({ kind: "client_died", pid, program, database, during });
  }
}

function relieved(client: Client): void {
  if (!client.heldForBacklog) return;
  client.heldForBacklog = false;
  client.link.release();
}
