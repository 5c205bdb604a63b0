/**
 * The part of a node that carries packets to where they belong: the local clients, who listens to which
 * srvid, messages, tunnels, and the way to other nodes and to ourselves.
 */
import { RequestIds } from "../control/request_ids.ts";
import type { MutableStatistics } from "../database/host.ts";
import type { Clock } from "../platform/types/time.ts";
import type { NodeLinks } from "../transport/node_links.ts";
import type { Turns } from "../transport/turns.ts";
import type { PacketView } from "../wire/packet.ts";
import type { NodeCore } from "./node_core.ts";
import { ClientTable } from "./routing/client_table.ts";
import { LeaderCache } from "./routing/leader_cache.ts";
import { MessageRouter } from "./routing/message_router.ts";
import { NodeOutput } from "./routing/node_output.ts";
import { SrvidRegistry } from "./routing/srvid_registry.ts";
import { TunnelRouter } from "./routing/tunnel_router.ts";

export interface RoutingNeeds {
  readonly core: NodeCore;
  readonly links: NodeLinks;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly statistics: MutableStatistics;
  /** A packet that we sent to ourselves comes back. */
  looped(packet: PacketView): void;
  /** Whether a control with this number is on its way. */
  isPendingControl(reqid: number): boolean;
}

export class RoutingPart {
  readonly clients = new ClientTable();
  readonly registry = new SrvidRegistry();
  readonly leaderCache: LeaderCache;
  readonly output: NodeOutput;
  readonly messages: MessageRouter;
  readonly tunnels: TunnelRouter;
  /** Numbers of requests and of clients are of one sequence. */
  readonly requestIds: RequestIds;

  constructor(needs: RoutingNeeds) {
    const { nodes, vnnMap, log } = needs.core;
    this.leaderCache = new LeaderCache(needs.clock);
    this.output = new NodeOutput(
      nodes,
      needs.links,
      needs.turns.timers("loopback"),
      needs.statistics,
      (packet) => needs.looped(packet),
    );
    this.messages = new MessageRouter(
      nodes.ownPnn,
      vnnMap,
      this.output,
      this.registry,
      this.leaderCache,
    );
    this.tunnels = new TunnelRouter(nodes, vnnMap, this.output, log);
    this.requestIds = new RequestIds((id) => needs.isPendingControl(id) || this.clients.has(id));
  }
}
