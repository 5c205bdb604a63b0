/**
 * The object graph of a node that knows who it is: every part of the daemon, and how they are
 * joined. Nothing is decided here; the lifecycle is in daemon.ts.
 */
import type { Logger } from "../base/log.ts";
import { type U64, U64_ZERO } from "../base/u64.ts";
import type { ConfiguredNode } from "../config/types.ts";
import { ControlDispatch } from "../control/control_dispatch.ts";
import type { ControlHandlers } from "../control/control_request.ts";
import { ControlRouter, type OwnControlDone, PendingControls } from "../control/control_router.ts";
import { RequestIds } from "../control/request_ids.ts";
import type { ClusterLockProbe } from "../lock/cluster_lock_probe.ts";
import { Keepalive, versionConflict } from "../membership/keepalive.ts";
import { NODE_MAP_ANSWER_MS } from "../membership/limits.ts";
import { NodeTable } from "../membership/node_table.ts";
import { PeerAgreement } from "../membership/peer_agreement.ts";
import { VnnMap } from "../membership/vnn_map.ts";
import type { NodeLinks } from "../transport/node_links.ts";
import type { Turns } from "../transport/turns.ts";
import { EMPTY, encode } from "../wire/codec.ts";
import { CAPABILITIES, NODE_FLAGS, NODE_FLAGS_INACTIVE, SRVID } from "../wire/constants.ts";
import { CONTROLS } from "../wire/controls.ts";
import { BROADCAST_CONNECTED } from "../wire/packet.ts";
import { buildReqKeepalive } from "../wire/packets_message.ts";
import { flagChange, srvidMessage } from "../wire/structs/cluster.ts";
import { addressControls } from "./controls/addresses.ts";
import { clientControls } from "./controls/clients.ts";
import { membershipControls } from "./controls/membership.ts";
import { nodeControls } from "./controls/node.ts";
import { recoveryControls } from "./controls/recovery.ts";
import { createDatabaseHost } from "./database_host.ts";
import type { DatabasePart } from "./database_part.ts";
import type { DaemonDependencies } from "./dependencies.ts";
import { Health } from "./lifecycle/health.ts";
import { NodeFreeze } from "./lifecycle/node_freeze.ts";
import { NodeState } from "./lifecycle/node_state.ts";
import type { RecoverdWatch } from "./lifecycle/recoverd_watch.ts";
import { Membership } from "./lifecycle/standing.ts";
import { memoryReport } from "./report/memory_report.ts";
import { knowledgeOf } from "./report/node_knowledge.ts";
import { nodeMemory } from "./report/node_memory.ts";
import type { NodeStatistics } from "./report/node_statistics.ts";
import { ClientService } from "./routing/client_service.ts";
import { ClientTable } from "./routing/client_table.ts";
import { LeaderCache } from "./routing/leader_cache.ts";
import { MessageRouter } from "./routing/message_router.ts";
import { NodeOutput } from "./routing/node_output.ts";
import { PacketInput } from "./routing/packet_input.ts";
import { SrvidRegistry } from "./routing/srvid_registry.ts";
import { TunnelRouter } from "./routing/tunnel_router.ts";

export interface NodeParts {
  readonly dependencies: DaemonDependencies;
  readonly turns: Turns;
  readonly links: NodeLinks;
  readonly recoverd: RecoverdWatch;
  readonly ownPnn: number;
  readonly statistics: NodeStatistics;
  shutdown(exitCode: number, reason: string): void;
}

export class Node {
  readonly pnn: number;
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly state: NodeState;
  readonly statistics: NodeStatistics;
  readonly clients = new ClientTable();
  readonly registry = new SrvidRegistry();
  readonly output: NodeOutput;
  readonly messages: MessageRouter;
  readonly tunnels: TunnelRouter;
  readonly controls: ControlRouter;
  readonly membership: Membership;
  readonly database: DatabasePart;
  readonly freeze: NodeFreeze;
  readonly health: Health;
  readonly keepalive: Keepalive;
  readonly peers: PeerAgreement;
  readonly input: PacketInput;
  readonly clientService: ClientService;
  readonly #parts: NodeParts;
  readonly #log: Logger;
  readonly #requestIds: RequestIds;
  readonly #leaderCache: LeaderCache;
  /** Asked for while a recovery ran, with the generation of that moment. */
  #wantedRecovery: { readonly generation: number; readonly reason: string } | undefined;
  /** Members of the cluster whose link was lost and is not back. */
  readonly #lostPeers = new Set<number>();

  constructor(parts: NodeParts) {
    const { dependencies: d, turns, links, statistics } = parts;
    const pending = new PendingControls();
    this.#parts = parts;
    this.#log = d.log;
    this.pnn = parts.ownPnn;
    this.statistics = statistics;
    this.nodes = new NodeTable(this.pnn, d.nodes);
    this.#setFirstFlags();
    this.vnnMap = new VnnMap(this.nodes.configured());
    this.state = this.#newState();
    this.#requestIds = new RequestIds((id) => pending.byId.has(id) || this.clients.has(id));
    this.#leaderCache = new LeaderCache(d.clock);
    this.output = new NodeOutput(
      this.nodes,
      links,
      turns.timers("loopback"),
      statistics.current,
      (packet) => this.input.looped(packet),
    );
    this.messages = new MessageRouter(
      this.pnn,
      this.vnnMap,
      this.output,
      this.registry,
      this.#leaderCache,
    );
    this.tunnels = new TunnelRouter(this.nodes, this.vnnMap, this.output, d.log);
    this.database = d.createDatabase(this.#databaseHost());
    this.freeze = new NodeFreeze(this.database);
    const shared = {
      nodes: this.nodes,
      vnnMap: this.vnnMap,
      state: this.state,
      database: this.database,
      freeze: this.freeze,
      events: d.events,
      log: d.log,
      tunable: (name: string) => this.tunable(name),
    };
    this.membership = new Membership({ ...shared, timers: turns.timers("ban") });
    this.health = new Health({
      ...shared,
      timers: turns.timers("health"),
      fastStart: d.paths.testMode,
      startedUp: () =>
        this.controls.sendNoReply(BROADCAST_CONNECTED, CONTROLS.STARTUP.opcode, 0, EMPTY),
      flagsChanged: (before) => this.#ownFlagsChanged(before),
      fatal: (reason) => parts.shutdown(11, reason),
      notify: () => {},
    });
    this.keepalive = this.#newKeepalive();
    this.peers = new PeerAgreement({
      nodes: this.nodes,
      links,
      log: d.log,
      introduce: (pnn) => this.#sendKeepalive(pnn),
      askNodeMap: (pnn, done) => this.#askNodeMap(pnn, done),
    });
    this.controls = new ControlRouter({
      nodes: this.nodes,
      output: this.output,
      clients: this.clients,
      dispatch: new ControlDispatch([...this.#handlers(), this.database.controls]),
      statistics: statistics.current,
      requestIds: this.#requestIds,
      pending,
      clock: d.clock,
      timers: turns.timers("controls"),
      log: d.log,
      generation: () => this.vnnMap.generation,
      timeoutSec: () => this.tunable("ControlTimeout"),
    });
    this.input = new PacketInput({
      ...shared,
      statistics: statistics.current,
      messages: this.messages,
      controls: this.controls,
      tunnels: this.tunnels,
      peers: this.peers,
      keepalive: (pnn, version, uptime) => this.#keepaliveCame(pnn, version, uptime),
      dropClient: (client, reason) => this.clientService.drop(client, reason),
      restartNode: (pnn, reason) => links.restart(pnn, reason),
    });
    this.clientService = new ClientService({
      ...shared,
      clients: this.clients,
      registry: this.registry,
      tunnels: this.tunnels,
      messages: this.messages,
      controls: this.controls,
      input: this.input,
      output: this.output,
      requestIds: this.#requestIds,
      statistics: statistics.current,
      forceRecovery: (reason) => this.forceRecovery(reason),
    });
  }

  tunable(name: string): number {
    return this.#parts.dependencies.tunables.get(name) ?? 0;
  }

  /**
   * While a recovery runs it may come too late for that one, which has thawed databases already: then
   * another follows.
   */
  forceRecovery(reason: string): void {
    if (this.state.recovering) {
      this.#wantedRecovery = { generation: this.vnnMap.generation, reason };
      return;
    }
    this.#log.error(`Recovery mode set to ACTIVE: ${reason}`);
    this.state.setRecovering(true);
  }

  #recoveryEnded(): void {
    this.database.recovered();
    this.health.look();
    const wanted = this.#wantedRecovery;
    this.#wantedRecovery = undefined;
    // What was seen in an earlier generation is over with this one.
    if (wanted?.generation === this.vnnMap.generation) this.forceRecovery(wanted.reason);
  }

  // --- links of nodes

  nodeConnected(pnn: number): void {
    if (!this.nodes.markConnected(pnn)) return;
    this.peers.complete(pnn);
    this.#log.error(
      `${this.#name(this.pnn)}: connected to ${this.#name(pnn)} - ${this.#others()} connected`,
    );
    // The leader was connected to us both before, and made us members: then packets about records were
    // dropped between the two of us, and only a recovery finds what they would have done.
    const wasLost = this.#lostPeers.delete(pnn);
    if (!wasLost && !this.vnnMap.map.includes(pnn)) return;
    if (!this.vnnMap.valid || this.nodes.ownInactive) return;
    this.forceRecovery(`packets for node ${pnn} were dropped while it was not connected`);
  }

  nodeLost(pnn: number, reason: string): void {
    const wasActive = (this.nodes.flags(pnn) & NODE_FLAGS_INACTIVE) === 0;
    if (!this.nodes.markDisconnected(pnn)) return;
    this.#log.error(
      `${this.#name(this.pnn)}: node ${this.#name(pnn)} is dead: ${this.#others()} connected (${reason})`,
    );
    this.#leaderCache.nodeLost(pnn);
    this.controls.nodeLost(pnn);
    this.database.nodeLost(pnn);
    if (wasActive) this.#lostPeers.add(pnn);
  }

  close(): void {
    this.health.stop();
    this.keepalive.stop();
    this.membership.close();
    this.statistics.stop();
    this.database.close();
    this.controls.close();
    this.output.close();
    this.clientService.close();
  }

  // --- parts

  #setFirstFlags(): void {
    const { legacy } = this.#parts.dependencies.config;
    if (legacy.startAsDisabled) {
      this.#log.error("This node is configured to start in DISABLED state");
      this.nodes.setOwnFlag("PERMANENTLY_DISABLED");
    }
    if (legacy.startAsStopped) {
      this.#log.error("This node is configured to start in STOPPED state");
      this.nodes.setOwnFlag("STOPPED");
    }
  }

  #newState(): NodeState {
    const { config, clock, log } = this.#parts.dependencies;
    let capabilities = CAPABILITIES.PARALLEL_RECOVERY | CAPABILITIES.FRAGMENTED_CONTROLS;
    if (config.cluster.leaderCapability) capabilities |= CAPABILITIES.RECMASTER;
    if (config.legacy.lmasterCapability) capabilities |= CAPABILITIES.LMASTER;
    return new NodeState(clock, log, capabilities, {
      recoveryModeChanged: (active) => {
        if (!active) this.#recoveryEnded();
      },
      runstateChanged: (runstate) => {
        if (runstate === "INIT" || runstate === "SHUTDOWN") return;
        // Attaches wait for the runstate, too.
        this.database.recovered();
        this.health.look();
      },
    });
  }

  #databaseHost() {
    return createDatabaseHost({
      dependencies: this.#parts.dependencies,
      turns: this.#parts.turns,
      nodes: this.nodes,
      vnnMap: this.vnnMap,
      state: this.state,
      statistics: this.statistics.current,
      clients: this.clients,
      output: this.output,
      messages: this.messages,
      newReqid: () => this.#requestIds.take(),
      sendNoReply: (destination, opcode, srvidLow, data) =>
        this.controls.sendNoReply(destination, opcode, srvidLow, data),
      requestControl: (pnn, name, data, timeoutMs, finished, more) =>
        this.controls.send(pnn, name, data, finished, timeoutMs, more),
      forceRecovery: (reason) => this.forceRecovery(reason),
    });
  }

  #newKeepalive(): Keepalive {
    const { turns, links, dependencies } = this.#parts;
    return new Keepalive(
      this.nodes,
      {
        sendKeepalive: (pnn) => this.#sendKeepalive(pnn),
        nodeSilent: (pnn) => links.restart(pnn, "no packet came for too long"),
      },
      turns.timers("keepalive"),
      dependencies.clock,
      (name) => this.tunable(name),
      dependencies.log,
    );
  }

  #sendKeepalive(pnn: number): void {
    this.statistics.current.keepalive_packets_sent += 1;
    const header = {
      generation: this.vnnMap.generation,
      destnode: pnn,
      srcnode: this.pnn,
      reqid: 0,
    };
    const { version, uptime } = this.#identity();
    this.output.send(pnn, buildReqKeepalive(header, { version, uptime }));
  }

  #askNodeMap(pnn: number, done: OwnControlDone): void {
    const options = { srvid: U64_ZERO, flags: 0, anyway: true };
    this.controls.send(pnn, "GET_NODEMAP", EMPTY, done, NODE_MAP_ANSWER_MS, options);
  }

  #identity() {
    return {
      version: this.#parts.dependencies.sambaVersion,
      uptime: this.state.uptimeSec(),
    };
  }

  #keepaliveCame(pnn: number, version: number, uptime: number): void {
    const entry = this.nodes.entry(pnn);
    if (entry !== undefined) entry.version = version;
    if (this.tunable("AllowMixedVersions") === 1) return;
    const conflict = versionConflict(this.#identity(), { version, uptime });
    if (conflict === undefined) return;
    this.#log.error(`${conflict} from node ${pnn}`);
    this.#log.error("CTDB Cluster with mixed versions, cannot continue");
    this.#parts.shutdown(0, conflict);
  }

  #ownFlagsChanged(before: number): void {
    const after = this.nodes.own.flags;
    const change = { pnn: this.pnn, new_flags: after, old_flags: before };
    this.messages.send(this.pnn, SRVID.PUSH_NODE_FLAGS, encode(flagChange, change));
    const healthy = (after & NODE_FLAGS.UNHEALTHY) === 0;
    this.#log.error(
      `Node became ${healthy ? "HEALTHY" : "UNHEALTHY"}. Ask recovery master to reallocate IPs`,
    );
    const request = encode(srvidMessage, { pnn: this.pnn, srvid: { hi: 0, lo: 0 } });
    this.messages.send(BROADCAST_CONNECTED, SRVID.TAKEOVER_RUN, request);
  }

  #handlers(): readonly ControlHandlers[] {
    const { dependencies: d, turns, links, recoverd, shutdown } = this.#parts;
    const banOurselves = (reason: string) => this.membership.banOurselves(reason);
    const shared = {
      nodes: this.nodes,
      vnnMap: this.vnnMap,
      state: this.state,
      database: this.database,
      freeze: this.freeze,
      events: d.events,
      log: d.log,
    };
    const timers = turns.timers("controls");
    return [
      nodeControls({
        ...shared,
        ownPnn: this.pnn,
        ownPid: d.ownPid,
        statistics: this.statistics,
        tunables: d.tunables,
        logLevel: d.logLevel,
        clusterLock: d.config.cluster.clusterLock,
        clock: d.clock,
        timers,
        clientCount: () => this.clients.size,
        backlogBytes: (srvid) => this.messages.queuedBytes(this.pnn, srvid),
        knowledge: () => knowledgeOf(this.nodes, this.keepalive, this.#leaderCache, this.peers),
        allFrozen: () => this.freeze.frozen,
        memoryUsed: () => d.memoryUse().residentBytes,
        memoryReport: () =>
          memoryReport(
            nodeMemory(this, d.memoryUse(true), turns.trace, (pnn) => links.queuedBytes(pnn)),
          ),
        resetDatabaseStatistics: () => this.database.resetStatistics(),
        tunableChanged: () => this.tunablesChanged(),
        recoverdPinged: () => recoverd.ping(),
        shutdown: () => shutdown(0, "asked to shut down"),
      }),
      clientControls({
        ...shared,
        clients: this.clients,
        registry: this.registry,
        tunnels: this.tunnels,
        registered: (client, hi, lo) => {
          const packet = this.#leaderCache.fresh(hi, lo);
          // After the answer to the registration.
          if (packet !== undefined) timers.soon(() => client.deliver(packet));
        },
        dropClient: (client, reason) => this.clientService.drop(client, reason),
        isAlive: (pid) => d.isAlive(pid),
      }),
      membershipControls({
        ...shared,
        membership: this.membership,
        loadNodes: (done) => d.loadNodes((outcome) => turns.run("nodes-file", () => done(outcome))),
        nodesReloaded: (nodes) => this.#nodesReloaded(nodes),
        forceRecovery: (reason) => this.forceRecovery(reason),
      }),
      recoveryControls({
        ...shared,
        statistics: this.statistics,
        clusterLock: d.config.cluster.clusterLock,
        clusterLockProbe: probeInTurns(d.clusterLockProbe, turns),
        askClusterLock: (pnn, done) => this.controls.send(pnn, "GET_RECLOCK_FILE", EMPTY, done),
        banOurselves,
        shutdown,
      }),
      addressControls({
        ...shared,
        ownPnn: this.pnn,
        banOurselves,
        announce: (srvid: U64) => this.messages.send(this.pnn, srvid, EMPTY),
      }),
    ];
  }

  /** Tunables that act at once rather than when they are next looked at. */
  tunablesChanged(): void {
    const latencyMs = this.tunable("LogLatencyMs");
    this.#parts.turns.trace.setThresholdMs(latencyMs > 0 ? latencyMs : TURN_ALWAYS_LOGGED_MS);
  }

  #nodesReloaded(nodes: readonly ConfiguredNode[]): void {
    const { links } = this.#parts;
    const { added, removed } = this.nodes.reload(nodes);
    for (const { pnn } of removed) {
      links.remove(pnn, "the nodes file changed");
      this.controls.nodeLost(pnn);
      this.database.nodeLost(pnn);
    }
    for (const { pnn, address } of added) links.add(pnn, address);
    this.peers.reloaded(removed.map(({ pnn }) => pnn));
    this.messages.send(this.pnn, SRVID.RELOAD_NODES, EMPTY);
  }

  #name(pnn: number): string {
    return `${this.nodes.entry(pnn)?.address ?? "?"}:4379`;
  }

  #others(): number {
    return this.nodes.connectedNodes().length - 1;
  }
}

function probeInTurns(
  probe: ClusterLockProbe | undefined,
  turns: Turns,
): ClusterLockProbe | undefined {
  if (probe === undefined) return undefined;
  return {
    probe: (done) =>
      probe.probe((outcome, latencySec) =>
        turns.run("cluster-lock", () => done(outcome, latencySec)),
      ),
  };
}

/** Without LogLatencyMs: a turn this long is always worth a line. */
const TURN_ALWAYS_LOGGED_MS = 3000;
