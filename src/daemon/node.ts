/**
 * A node that knows who it is: its parts, and how they are joined. Nothing is decided here; the lifecycle
 * is in lifecycle/daemon.ts.
 *
 *     packets of clients and nodes ─▶ input ─▶ routing (messages, tunnels) ─▶ clients, other nodes
 *                                       ├────▶ controls ─▶ handlers of membership, database …
 *                                       └────▶ database (records)
 */
import type { JournalNodeState } from "../base/journal_event.ts";
import type { ControlRouter } from "../control/control_router.ts";
import type { NodeTable } from "../membership/node_table.ts";
import type { VnnMap } from "../membership/vnn_map.ts";
import type { NodeLinks } from "../transport/node_links.ts";
import type { Turns } from "../transport/turns.ts";
import { AddressPart } from "./address_part.ts";
import { createControls } from "./controls_part.ts";
import { createDatabaseHost } from "./database_host.ts";
import type { DatabasePart } from "./database_part.ts";
import type { DaemonDependencies } from "./dependencies.ts";
import { actors } from "./journal/actors.ts";
import { JournalFeed } from "./journal/journal_feed.ts";
import type { JournalRing } from "./journal/journal_ring.ts";
import { nodeStateNow } from "./journal/node_state_now.ts";
import { StateEvents } from "./journal/state_events.ts";
import type { AdmindWatch } from "./lifecycle/admind_watch.ts";
import type { NodeEvents } from "./lifecycle/node_events.ts";
import type { NodeState } from "./lifecycle/node_state.ts";
import type { RecoverdWatch } from "./lifecycle/recoverd_watch.ts";
import { MembershipPart } from "./membership_part.ts";
import { NodeCore } from "./node_core.ts";
import { NodesFileService } from "./nodes_file/nodes_file_service.ts";
import { memoryReport } from "./report/memory_report.ts";
import { NodeFactsService } from "./report/node_facts.ts";
import { nodeMemory } from "./report/node_memory.ts";
import type { NodeStatistics } from "./report/node_statistics.ts";
import { ClientService } from "./routing/client_service.ts";
import { PacketInput } from "./routing/packet_input.ts";
import { RoutingPart } from "./routing_part.ts";

export interface NodeParts {
  readonly dependencies: DaemonDependencies;
  readonly turns: Turns;
  readonly links: NodeLinks;
  readonly recoverd: RecoverdWatch;
  readonly admind: AdmindWatch;
  readonly events: NodeEvents;
  readonly ownPnn: number;
  readonly statistics: NodeStatistics;
  readonly journal: JournalRing;
  shutdown(exitCode: number, reason: string): void;
}

export class Node {
  readonly pnn: number;
  readonly nodes: NodeTable;
  readonly vnnMap: VnnMap;
  readonly state: NodeState;
  readonly statistics: NodeStatistics;
  readonly routing: RoutingPart;
  readonly database: DatabasePart;
  readonly membership: MembershipPart;
  readonly addresses: AddressPart;
  readonly controls: ControlRouter;
  readonly input: PacketInput;
  readonly clientService: ClientService;
  readonly #journalFeed: JournalFeed;
  readonly #states: StateEvents;
  readonly #facts: NodeFactsService;
  readonly #nodesFile: NodesFileService | undefined;
  readonly #core: NodeCore;
  readonly #parts: NodeParts;

  constructor(parts: NodeParts) {
    const { dependencies, turns, links, statistics } = parts;
    this.#parts = parts;
    this.pnn = parts.ownPnn;
    this.statistics = statistics;
    const core = new NodeCore(dependencies, parts.ownPnn, this.#records(), {
      progressed: () => {
        this.database.recovered();
        this.membership.health.look();
      },
      recoveryModeChanged: (active) => {
        this.addresses.recoveryModeChanged(active);
        if (!active) this.#states.recoveryEnded();
      },
    });
    this.#core = core;
    this.nodes = core.nodes;
    this.vnnMap = core.vnnMap;
    this.state = core.state;
    this.routing = new RoutingPart({
      core,
      links,
      turns,
      clock: dependencies.clock,
      statistics: statistics.current,
      looped: (packet) => this.input.looped(packet),
      isPendingControl: (reqid) => this.controls.isPending(reqid),
    });
    this.#journalFeed = new JournalFeed({
      ring: parts.journal,
      messages: this.routing.messages,
      timers: turns.timers("journal"),
      ownPnn: this.pnn,
      log: core.log,
    });
    this.database = dependencies.createDatabase(this.#databaseHost());
    const { routing, database } = this;
    this.membership = new MembershipPart({
      core,
      dependencies,
      turns,
      links,
      routing,
      database,
      events: parts.events,
      statistics: statistics.current,
      controls: () => this.controls,
      becameInactive: () => this.addresses.becameInactive(),
      nodesChanged: () => this.#states.write(),
      shutdown: parts.shutdown,
    });
    this.addresses = new AddressPart({
      ...parts,
      core,
      routing,
      controls: () => this.controls,
      banOurselves: (reason) => this.membership.standing.banOurselves(reason),
    });
    this.controls = createControls({
      ...parts,
      core,
      routing,
      database,
      membership: this.membership,
      addresses: this.addresses,
      memoryReport: () => this.#memoryReport(),
      tunablesChanged: () => this.tunablesChanged(),
      dropClient: (client, reason) => this.clientService.drop(client, reason),
    });
    this.input = this.#newInput();
    this.clientService = this.#newClientService();
    const stateTimers = turns.timers("journal");
    this.#states = new StateEvents(parts.journal, stateTimers, () => this.#stateNow());
    this.#facts = this.#newFacts();
    this.#nodesFile = this.#newNodesFile();
  }

  /** Clients and other nodes are served from now on. */
  serve(): void {
    this.addresses.start();
    this.clientService.serve();
    this.#states.start();
  }

  forceRecovery(reason: string): void {
    this.#core.forceRecovery(reason);
  }

  /** Tunables that act at once rather than when they are next looked at. */
  tunablesChanged(): void {
    const latencyMs = this.#core.tunable("LogLatencyMs");
    this.#parts.turns.trace.setThresholdMs(latencyMs > 0 ? latencyMs : TURN_ALWAYS_LOGGED_MS);
  }

  close(): void {
    this.#journalFeed.close();
    this.#states.stop();
    this.#facts.close();
    this.#nodesFile?.close();
    this.membership.close();
    this.addresses.close();
    this.statistics.stop();
    this.database.close();
    this.controls.close();
    this.routing.output.close();
    this.clientService.close();
  }

  #records() {
    const { journal, ownPnn, dependencies } = this.#parts;
    const pidOf = (clientId: number) => this.routing.clients.get(clientId)?.pid;
    const processName = (pid: number) => dependencies.processName(pid);
    return { journal, actors: actors({ ownPnn, pidOf, processName }) };
  }

  #databaseHost() {
    const { routing } = this;
    return createDatabaseHost({
      dependencies: this.#parts.dependencies,
      turns: this.#parts.turns,
      nodes: this.nodes,
      vnnMap: this.vnnMap,
      state: this.state,
      statistics: this.statistics.current,
      clients: routing.clients,
      output: routing.output,
      messages: routing.messages,
      journal: this.#parts.journal,
      newReqid: () => routing.requestIds.take(),
      sendNoReply: (destination, opcode, srvidLow, data) =>
        this.controls.sendNoReply(destination, opcode, srvidLow, data),
      requestControl: (pnn, name, data, timeoutMs, finished, more) =>
        this.controls.send(pnn, name, data, finished, timeoutMs, more),
      forceRecovery: (reason) => this.forceRecovery(reason),
    });
  }

  #newInput(): PacketInput {
    const { routing, membership } = this;
    return new PacketInput({
      nodes: this.nodes,
      vnnMap: this.vnnMap,
      statistics: this.statistics.current,
      messages: routing.messages,
      controls: this.controls,
      tunnels: routing.tunnels,
      database: this.database,
      peers: membership.peers,
      log: this.#core.log,
      keepalive: (pnn, version, uptime) => membership.keepaliveCame(pnn, version, uptime),
      dropClient: (client, reason) => this.clientService.drop(client, reason),
      restartNode: (pnn, reason) => this.#parts.links.restart(pnn, reason),
    });
  }

  #newClientService(): ClientService {
    const { routing } = this;
    return new ClientService({
      clients: routing.clients,
      registry: routing.registry,
      tunnels: routing.tunnels,
      messages: routing.messages,
      controls: this.controls,
      nodes: this.nodes,
      database: this.database,
      addresses: this.addresses.addresses,
      input: this.input,
      output: routing.output,
      requestIds: routing.requestIds,
      statistics: this.statistics.current,
      log: this.#core.log,
      journal: this.#parts.journal,
      processName: (pid) => this.#parts.dependencies.processName(pid),
      tunable: (name) => this.#core.tunable(name),
      forceRecovery: (reason) => this.forceRecovery(reason),
    });
  }

  #stateNow(): JournalNodeState {
    const { state, vnnMap, nodes, routing, database, addresses } = this;
    return nodeStateNow({
      state,
      vnnMap,
      nodes,
      database,
      leaderCache: routing.leaderCache,
      addresses: addresses.addresses,
    });
  }

  #newFacts(): NodeFactsService {
    const { routing, database } = this;
    const { dependencies, turns, journal, events } = this.#parts;
    return new NodeFactsService({
      core: this.#core,
      dependencies,
      startedMs: this.state.startedMs,
      trace: turns.trace,
      clients: routing.clients,
      messages: routing.messages,
      output: routing.output,
      database,
      pendingControls: () => this.controls.pendingCount,
      ring: journal,
      events,
      timers: turns.timers("facts"),
    });
  }

  #newNodesFile(): NodesFileService | undefined {
    const { dependencies, turns } = this.#parts;
    const { nodesList: source } = dependencies;
    if (source === undefined) return undefined;
    return new NodesFileService({
      nodes: this.nodes,
      messages: this.routing.messages,
      log: this.#core.log,
      source,
      inTurn: (action) => turns.run("nodes-file", action),
    });
  }

  #memoryReport(): string {
    const { dependencies, turns, links } = this.#parts;
    const counted = {
      clients: this.routing.clients,
      nodes: this.nodes,
      registry: this.routing.registry,
      database: this.database,
      controls: this.controls,
      statistics: this.statistics,
      input: this.input,
      queuedBytes: (pnn: number) => links.queuedBytes(pnn),
    };
    return memoryReport(nodeMemory(counted, dependencies.memoryUse(true), turns.trace));
  }
}

/** Without LogLatencyMs: a turn this long is always worth a line. */
const TURN_ALWAYS_LOGGED_MS = 3000;
