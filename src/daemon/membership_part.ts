/**
 * The part of a node that is about being one of several: which others are connected and mean the same
 * by their numbers, keepalives between them, and our own standing, health and freezing.
 */
import type { JournalActor } from "../base/journal_event.ts";
import { U64_ZERO } from "../base/u64.ts";
import type { ConfiguredNode } from "../config/types.ts";
import type { ControlRouter } from "../control/control_router.ts";
import type { OwnControlDone } from "../control/pending_controls.ts";
import type { MutableStatistics } from "../database/host.ts";
import { versionFor } from "../membership/announced_version.ts";
import { Keepalive, versionConflict } from "../membership/keepalive.ts";
import { NODE_MAP_ANSWER_MS } from "../membership/limits.ts";
import type { NodeEntry } from "../membership/node_table.ts";
import { PeerAgreement } from "../membership/peer_agreement.ts";
import type { NodeLinks } from "../transport/node_links.ts";
import type { Turns } from "../transport/turns.ts";
import { EMPTY, encode } from "../wire/codec.ts";
import { CTDB_PORT, NODE_FLAGS, NODE_FLAGS_INACTIVE, SRVID } from "../wire/constants.ts";
import { CONTROLS } from "../wire/controls.ts";
import { BROADCAST_CONNECTED } from "../wire/packet.ts";
import { buildReqKeepalive } from "../wire/packets/message.ts";
import { flagChange, srvidMessage } from "../wire/structs/cluster.ts";
import type { DatabasePart } from "./database_part.ts";
import type { DaemonDependencies } from "./dependencies.ts";
import { Health } from "./lifecycle/health.ts";
import { MissingLinks } from "./lifecycle/missing_links.ts";
import type { NodeEvents } from "./lifecycle/node_events.ts";
import { NodeFreeze } from "./lifecycle/node_freeze.ts";
import { Standing } from "./lifecycle/standing.ts";
import type { NodeCore } from "./node_core.ts";
import type { RoutingPart } from "./routing_part.ts";

export interface MembershipNeeds {
  readonly core: NodeCore;
  readonly dependencies: DaemonDependencies;
  readonly turns: Turns;
  readonly links: NodeLinks;
  readonly routing: RoutingPart;
  readonly database: DatabasePart;
  readonly events: NodeEvents;
  readonly statistics: MutableStatistics;
  /** Asked when there is something to send: the controls are made after this. */
  controls(): ControlRouter;
  /** This node is stopped or banned from now on. */
  becameInactive(): void;
  /** Others are nodes of the cluster now, or known by other addresses. */
  nodesChanged(): void;
  shutdown(exitCode: number, reason: string): void;
}

export class MembershipPart {
  readonly freeze: NodeFreeze;
  readonly standing: Standing;
  readonly health: Health;
  readonly keepalive: Keepalive;
  readonly peers: PeerAgreement;
  readonly missingLinks: MissingLinks;
  readonly #n: MembershipNeeds;
  /** Members of the cluster whose link was lost and is not back. */
  readonly #lostPeers = new Set<number>();

  constructor(needs: MembershipNeeds) {
    const { core, dependencies: d, turns, links, database } = needs;
    const { nodes, vnnMap, state, log } = core;
    this.#n = needs;
    this.freeze = new NodeFreeze(database);
    const shared = {
      nodes,
      vnnMap,
      state,
      database,
      freeze: this.freeze,
      log,
      journal: core.journal,
      actors: core.actors,
      tunable: (name: string) => core.tunable(name),
    };
    this.standing = new Standing({
      ...shared,
      timers: turns.timers("ban"),
      becameInactive: () => needs.becameInactive(),
      forceRecovery: (reason) => core.forceRecovery(reason),
    });
    this.health = new Health({
      ...shared,
      events: needs.events,
      timers: turns.timers("health"),
      fastStart: d.paths.testMode,
      startedUp: () =>
        needs.controls().sendNoReply(BROADCAST_CONNECTED, CONTROLS.STARTUP.opcode, 0, EMPTY),
      flagsChanged: (before) => this.#ownFlagsChanged(before),
      fatal: (reason) => needs.shutdown(11, reason),
      notify: (what) => d.notify?.(what),
    });
    this.keepalive = new Keepalive(
      nodes,
      {
        sendKeepalive: (pnn) => this.#sendKeepalive(pnn),
        waitsForVersion: !d.announcedVersion.fixed,
        nodeSilent: (pnn) => links.restart(pnn, "no packet came for too long"),
      },
      turns.timers("keepalive"),
      d.clock,
      shared.tunable,
      log,
    );
    this.peers = new PeerAgreement({
      nodes,
      links,
      log,
      // No keepalive: it would announce a version before the other's is known.
      introduce: (pnn) => needs.controls().sendNoReply(pnn, CONTROLS.PING.opcode, 0, EMPTY),
      askNodeMap: (pnn, done) => this.#askNodeMap(pnn, done),
    });
    const { standing, peers } = this;
    this.missingLinks = new MissingLinks({
      ...shared,
      messages: needs.routing.messages,
      timers: turns.timers("missing-links"),
      clock: d.clock,
      isKeptOut: (pnn) => peers.isKeptOut(pnn),
      standAside: (reason) => {
        const before = nodes.own.flags;
        return standing.standAside(reason) && this.#tellFlags(before);
      },
      get standsAside() {
        return standing.standsAside;
      },
      comeBack: () => {
        const before = nodes.own.flags;
        return standing.comeBack() && this.#tellFlags(before);
      },
    });
  }

  // --- links of nodes

  nodeConnected(pnn: number): void {
    const { core } = this.#n;
    const { nodes, vnnMap, log } = core;
    if (!nodes.exists(pnn) || (nodes.flags(pnn) & NODE_FLAGS.DISCONNECTED) === 0) return;
    core.journal.record({ kind: "link_up", peer: pnn });
    nodes.markConnected(pnn, "both connections with it are up");
    this.peers.complete(pnn);
    this.missingLinks.nodeConnected(pnn);
    log.error(
      `${this.#name(nodes.ownPnn)}: connected to ${this.#name(pnn)} - ${this.#others()} connected`,
    );
    // The leader was connected to us both before, and made us members: then packets about records were
    // dropped between the two of us, and only a recovery finds what they would have done.
    const wasLost = this.#lostPeers.delete(pnn);
    if (!wasLost && !vnnMap.map.includes(pnn)) return;
    if (!vnnMap.valid || nodes.ownInactive) return;
    core.forceRecovery(`packets for node ${pnn} were dropped while it was not connected`);
  }

  nodeLost(pnn: number, reason: string): void {
    const { nodes, log, journal } = this.#n.core;
    const wasActive = (nodes.flags(pnn) & NODE_FLAGS_INACTIVE) === 0;
    if (!nodes.exists(pnn) || (nodes.flags(pnn) & NODE_FLAGS.DISCONNECTED) !== 0) return;
    journal.record({ kind: "link_down", peer: pnn, reason });
    nodes.markDisconnected(pnn, `its link is lost: ${reason}`);
    log.error(
      `${this.#name(nodes.ownPnn)}: node ${this.#name(pnn)} is dead: ${this.#others()} connected (${reason})`,
    );
    this.#n.routing.leaderCache.nodeLost(pnn);
    this.missingLinks.nodeLost(pnn);
    this.#forgetRequests(pnn);
    if (wasActive) this.#lostPeers.add(pnn);
  }

  /** A new nodes file is in force. */
  nodesReloaded(configured: readonly ConfiguredNode[], by: JournalActor): void {
    const { core, links, routing } = this.#n;
    const cause = { reason: "the nodes file was read again", by };
    const { added, removed } = core.nodes.reload(configured, cause);
    const pnns = (nodes: readonly NodeEntry[]) => nodes.map(({ pnn }) => pnn);
    core.journal.record({ kind: "nodes_file", added: pnns(added), removed: pnns(removed) });
    for (const { pnn } of removed) {
      links.remove(pnn, "the nodes file changed");
      this.#forgetRequests(pnn);
    }
    for (const { pnn, address } of added) links.add(pnn, address);
    this.peers.reloaded(pnns(removed));
    this.#n.nodesChanged();
    routing.messages.send(core.nodes.ownPnn, SRVID.RELOAD_NODES, EMPTY);
  }

  keepaliveCame(pnn: number, version: number, uptime: number): void {
    const { nodes, log } = this.#n.core;
    const entry = nodes.entry(pnn);
    if (entry !== undefined) entry.version = version;
    if (this.#n.core.tunable("AllowMixedVersions") === 1) return;
    const conflict = versionConflict(this.#identityFor(version), { version, uptime });
    if (conflict === undefined) return;
    log.error(`${conflict} from node ${pnn}`);
    log.error("CTDB Cluster with mixed versions, cannot continue");
    this.#n.shutdown(0, conflict);
  }

  close(): void {
    this.health.stop();
    this.keepalive.stop();
    this.missingLinks.stop();
    this.standing.close();
  }

  /** Nothing that was asked of this node is answered any more. */
  #forgetRequests(pnn: number): void {
    this.#n.controls().nodeLost(pnn);
    this.#n.database.nodeLost(pnn);
  }

  #sendKeepalive(pnn: number): void {
    const { core, routing, statistics } = this.#n;
    statistics.keepalive_packets_sent += 1;
    const header = {
      generation: core.vnnMap.generation,
      destnode: pnn,
      srcnode: core.nodes.ownPnn,
      reqid: 0,
    };
    const version = core.nodes.entry(pnn)?.version ?? 0;
    routing.output.send(pnn, buildReqKeepalive(header, this.#identityFor(version)));
  }

  #identityFor(theirVersion: number) {
    return {
      version: versionFor(this.#n.dependencies.announcedVersion, theirVersion),
      uptime: this.#n.core.state.uptimeSec(),
    };
  }

  #askNodeMap(pnn: number, done: OwnControlDone): void {
    const options = { srvid: U64_ZERO, flags: 0, anyway: true };
    this.#n.controls().send(pnn, "GET_NODEMAP", EMPTY, done, NODE_MAP_ANSWER_MS, options);
  }

  /** The leader is asked for the addresses to be spread anew. */
  #ownFlagsChanged(before: number): void {
    const { core, routing } = this.#n;
    const { own, ownPnn } = core.nodes;
    const change = { pnn: ownPnn, new_flags: own.flags, old_flags: before };
    routing.messages.send(ownPnn, SRVID.PUSH_NODE_FLAGS, encode(flagChange, change));
    const healthy = (own.flags & NODE_FLAGS.UNHEALTHY) === 0;
    core.log.error(
      `Node became ${healthy ? "HEALTHY" : "UNHEALTHY"}. Ask recovery master to reallocate IPs`,
    );
    const request = encode(srvidMessage, { pnn: ownPnn, srvid: U64_ZERO });
    routing.messages.send(BROADCAST_CONNECTED, SRVID.TAKEOVER_RUN, request);
  }

  /** The leader, which tells the others of flags, may be the one that we do not reach. */
  #tellFlags(before: number): true {
    const { nodes } = this.#n.core;
    const change = { pnn: nodes.ownPnn, new_flags: nodes.own.flags, old_flags: before };
    const { opcode } = CONTROLS.MODIFY_FLAGS;
    this.#n.controls().sendNoReply(BROADCAST_CONNECTED, opcode, 0, encode(flagChange, change));
    return true;
  }

  #name(pnn: number): string {
    return `${this.#n.core.nodes.entry(pnn)?.address ?? "?"}:${CTDB_PORT}`;
  }

  #others(): number {
    return this.#n.core.nodes.connectedNodes().length - 1;
  }
}
