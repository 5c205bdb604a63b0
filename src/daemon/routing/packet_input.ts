/**
 * What comes in, by operation: from clients, from nodes, and from ourselves.
 *
 * Invariants:
 * 1. Nobody behind this sees a packet whose body is shorter than it says: the sender loses its link.
 * 2. Calls of nodes, and those that come back from this one, pass only in the current generation and while
 *    we are not banned (docs/protocol.md, "Generation").
 * 3. Of a node with another nodes list nothing passes (peer_agreement.ts).
 */
import type { Logger } from "../../base/log.ts";
import type { ControlRouter } from "../../control/control_router.ts";
import type { MutableStatistics } from "../../database/host.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { PeerAgreement } from "../../membership/peer_agreement.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import { OPERATIONS, type PacketView } from "../../wire/packet.ts";
import { bodyProblem, layoutOfOperation, packetProblem } from "../../wire/packets/layouts.ts";
import { readReqKeepalive } from "../../wire/packets/message.ts";
import type { DatabasePart } from "../database_part.ts";
import type { Client } from "./client_table.ts";
import type { MessageRouter } from "./message_router.ts";
import type { TunnelRouter } from "./tunnel_router.ts";

export interface PacketInputParts {
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly statistics: MutableStatistics;
  readonly messages: MessageRouter;
  readonly controls: ControlRouter;
  readonly tunnels: TunnelRouter;
  readonly database: DatabasePart;
  readonly peers: PeerAgreement;
  readonly log: Logger;
  keepalive(pnn: number, version: number, uptime: number): void;
  dropClient(client: Client, reason: string): void;
  restartNode(pnn: number, reason: string): void;
}

export class PacketInput {
  readonly #p: PacketInputParts;
  /** Packets that were refused, by sender; `ctdb dumpmemory` shows them. */
  readonly refused = { client: 0, node: 0 };
  /** Calls about records that came too late for their generation, or while we are banned. */
  staleCalls = 0;
  /** Packets of nodes with another nodes list. */
  outsiders = 0;

  constructor(parts: PacketInputParts) {
    this.#p = parts;
  }

  fromClient(client: Client, packet: PacketView): void {
    const { statistics, messages, controls, tunnels } = this.#p;
    statistics.client_packets_recv += 1;
    const problem = packetProblem(packet);
    if (problem !== undefined) {
      this.refuseClient(client, problem);
      return;
    }
    switch (packet.operation) {
      case OPERATIONS.REQ_MESSAGE:
        statistics.client.req_message += 1;
        messages.fromClient(packet);
        return;
      case OPERATIONS.REQ_CALL:
        statistics.client.req_call += 1;
        this.#p.database.clientCall(client.id, packet);
        return;
      case OPERATIONS.REQ_CONTROL:
        statistics.client.req_control += 1;
        controls.fromClient(client, packet);
        return;
      case OPERATIONS.REQ_TUNNEL:
        statistics.client.req_tunnel += 1;
        tunnels.fromClient(packet);
        return;
      default:
        this.refuseClient(client, `operation ${packet.operation} is not for clients`);
        return;
    }
  }

  refuseClient(client: Client, reason: string): void {
    this.refused.client += 1;
    this.#p.log.error(`Closed connection of client ${client.pid}: ${reason}`);
    this.#p.dropClient(client, reason);
  }

  /** Over the link of node `pnn`. */
  fromNode(packet: PacketView, pnn: number): void {
    const { statistics, nodes } = this.#p;
    statistics.node_packets_recv += 1;
    const layout = layoutOfOperation(packet.operation);
    if (layout === undefined) {
      this.refused.node += 1;
      this.#p.log.error(`Dropped packet of node ${pnn}: operation ${packet.operation}`);
      return;
    }
    const problem = bodyProblem(packet, layout);
    if (problem !== undefined) {
      this.#refuseNode(pnn, problem);
      return;
    }
    const standing = this.#p.peers.standing(packet, pnn);
    if (standing !== "member") {
      if (typeof standing === "object") this.#refuseNode(pnn, standing.problem);
      else this.outsiders += 1;
      if (standing === "outsider") this.#fromOutsider(packet, pnn);
      return;
    }
    const entry = nodes.entry(pnn);
    if (entry !== undefined) entry.received += 1;
    this.#handle(packet, pnn);
  }

  /** Bytes that are no packet; the link is restarted by who found them. */
  malformedFromNode(pnn: number, reason: string): void {
    this.refused.node += 1;
    this.#p.log.error(`Malformed packet from node ${pnn}: ${reason}`);
  }

  /** What we sent to ourselves. */
  looped(packet: PacketView): void {
    this.#handle(packet, this.#p.nodes.ownPnn);
  }

  #fromOutsider(packet: PacketView, pnn: number): void {
    const { controls } = this.#p;
    if (packet.operation === OPERATIONS.REQ_CONTROL) controls.fromOutsider(packet);
    else if (packet.operation === OPERATIONS.REPLY_CONTROL) controls.replyFromNode(packet, pnn);
  }

  #handle(packet: PacketView, pnn: number): void {
    const { statistics, messages, controls, tunnels, database } = this.#p;
    const { node } = statistics;
    switch (packet.operation) {
      case OPERATIONS.REQ_MESSAGE:
        node.req_message += 1;
        messages.fromNode(packet);
        return;
      case OPERATIONS.REQ_CONTROL:
        controls.fromNode(packet);
        return;
      case OPERATIONS.REPLY_CONTROL:
        controls.replyFromNode(packet, pnn);
        return;
      case OPERATIONS.REQ_TUNNEL:
        node.req_tunnel += 1;
        tunnels.fromNode(packet);
        return;
      case OPERATIONS.REQ_KEEPALIVE:
        this.#keepalive(packet, pnn);
        return;
      case OPERATIONS.REPLY_ERROR:
        node.reply_error += 1;
        database.nodePacket(packet);
        return;
      case OPERATIONS.REQ_CALL:
        if (!this.#callAllowed(packet)) return;
        node.req_call += 1;
        database.nodePacket(packet);
        return;
      case OPERATIONS.REPLY_CALL:
        if (!this.#callAllowed(packet)) return;
        node.reply_call += 1;
        database.nodePacket(packet);
        return;
      case OPERATIONS.REQ_DMASTER:
        if (!this.#callAllowed(packet)) return;
        node.req_dmaster += 1;
        database.nodePacket(packet);
        return;
      case OPERATIONS.REPLY_DMASTER:
        if (!this.#callAllowed(packet)) return;
        node.reply_dmaster += 1;
        database.nodePacket(packet);
        return;
      default:
        return;
    }
  }

  #refuseNode(pnn: number, problem: string): void {
    this.refused.node += 1;
    this.#p.log.error(`Restarting link of node ${pnn}: ${problem}`);
    this.#p.restartNode(pnn, problem);
  }

  #callAllowed(packet: PacketView): boolean {
    const { nodes, vnnMap } = this.#p;
    const banned = (nodes.own.flags & NODE_FLAGS.BANNED) !== 0;
    if (!banned && packet.generation === vnnMap.generation) return true;
    this.staleCalls += 1;
    return false;
  }

  #keepalive(packet: PacketView, pnn: number): void {
    this.#p.statistics.keepalive_packets_recv += 1;
    const keepalive = readReqKeepalive(packet);
    if (!keepalive.ok) {
      this.#refuseNode(pnn, keepalive.error);
      return;
    }
    this.#p.keepalive(pnn, keepalive.value.version, keepalive.value.uptime);
  }
}
