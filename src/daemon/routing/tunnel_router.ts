/**
 * Tunnels: packets between clients of different nodes that registered the same tunnel id. One client
 * per tunnel id and node; what nobody registered for is dropped.
 */
import type { Logger } from "../../base/log.ts";
import { u64Hex } from "../../base/u64.ts";
import { type ControlReply, failure, SUCCESS } from "../../control/control_request.ts";
import type { NodeTable } from "../../membership/node_table.ts";
import type { VnnMap } from "../../membership/vnn_map.ts";
import { CURRENT_NODE, type PacketView } from "../../wire/packet.ts";
import { REQ_TUNNEL_AT } from "../../wire/packets/layouts.ts";
import type { Client } from "./client_table.ts";
import type { NodeOutput } from "./node_output.ts";
import { SrvidRegistry } from "./srvid_registry.ts";

export class TunnelRouter {
  readonly #nodes: NodeTable;
  readonly #vnnMap: VnnMap;
  readonly #output: NodeOutput;
  readonly #log: Logger;
  readonly #registry = new SrvidRegistry();

  constructor(nodes: NodeTable, vnnMap: VnnMap, output: NodeOutput, log: Logger) {
    this.#nodes = nodes;
    this.#vnnMap = vnnMap;
    this.#output = output;
    this.#log = log;
  }

  register(client: Client, hi: number, lo: number): ControlReply {
    if (this.#registry.find(hi, lo).length > 0) {
      return failure(`tunnel id ${u64Hex({ hi, lo })} is registered already`);
    }
    this.#registry.add(hi, lo, client);
    client.tunnels.push({ hi, lo });
    return SUCCESS;
  }

  deregister(client: Client, hi: number, lo: number): ControlReply {
    if (!this.#registry.remove(hi, lo, client)) {
      return failure(`tunnel id ${u64Hex({ hi, lo })} is not registered by this client`);
    }
    const at = client.tunnels.findIndex((tunnel) => tunnel.hi === hi && tunnel.lo === lo);
    client.tunnels.splice(at, 1);
    return SUCCESS;
  }

  clientGone(client: Client): void {
    for (const { hi, lo } of client.tunnels) this.#registry.remove(hi, lo, client);
    client.tunnels.length = 0;
  }

  /**
   * Dropped, with a line in the log, when no client of this node has registered the tunnel id: the sender need
   * not be the one that has. The original does the same.
   */
  fromClient(packet: PacketView): void {
    const destination = packet.destnode === CURRENT_NODE ? this.#nodes.ownPnn : packet.destnode;
    const hi = packet.u32(REQ_TUNNEL_AT.TUNNEL_ID + 4);
    const lo = packet.u32(REQ_TUNNEL_AT.TUNNEL_ID);
    if (!this.#nodes.exists(destination)) {
      this.#log.error(`Dropped tunnel packet: node ${destination} does not exist`);
      return;
    }
    if (this.#registry.find(hi, lo).length === 0) {
      this.#log.error(`Dropped tunnel packet: tunnel id ${u64Hex({ hi, lo })} is not registered`);
      return;
    }
    packet.srcnode = this.#nodes.ownPnn;
    packet.generation = this.#vnnMap.generation;
    this.#output.send(destination, packet);
  }

  fromNode(packet: PacketView): void {
    const hi = packet.u32(REQ_TUNNEL_AT.TUNNEL_ID + 4);
    const lo = packet.u32(REQ_TUNNEL_AT.TUNNEL_ID);
    const sinks = this.#registry.find(hi, lo);
    if (sinks.length === 0) {
      this.#log.info(`Dropped tunnel packet: tunnel id ${u64Hex({ hi, lo })} is not registered`);
    }
    for (const sink of sinks) sink.deliver(packet);
  }
}
