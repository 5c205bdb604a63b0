/**
 * The part of a node that answers controls: the handlers of the daemon beside those of the databases,
 * their dispatch, and the router that carries controls of clients and nodes.
 */
import type { U64 } from "../base/u64.ts";
import { ControlDispatch } from "../control/control_dispatch.ts";
import type { ControlHandlers } from "../control/control_request.ts";
import { ControlRouter } from "../control/control_router.ts";
import type { ClusterLockProbe } from "../lock/cluster_lock_probe.ts";
import type { Turns } from "../transport/turns.ts";
import { EMPTY } from "../wire/codec.ts";
import type { AddressPart } from "./address_part.ts";
import { addressControls } from "./controls/addresses.ts";
import { clientControls } from "./controls/clients.ts";
import { membershipControls } from "./controls/membership.ts";
import { nodeControls } from "./controls/node.ts";
import { recoveryControls } from "./controls/recovery.ts";
import type { DatabasePart } from "./database_part.ts";
import type { DaemonDependencies } from "./dependencies.ts";
import { recordsAskedOfOthers } from "./journal/asked_of_others.ts";
import type { AdmindWatch } from "./lifecycle/admind_watch.ts";
import type { NodeEvents } from "./lifecycle/node_events.ts";
import type { RecoverdWatch } from "./lifecycle/recoverd_watch.ts";
import { reloader } from "./lifecycle/reload.ts";
import type { MembershipPart } from "./membership_part.ts";
import type { NodeCore } from "./node_core.ts";
import { healthOf } from "./report/node_health.ts";
import { knowledgeOf } from "./report/node_knowledge.ts";
import type { NodeStatistics } from "./report/node_statistics.ts";
import { turnsOf } from "./report/node_turns.ts";
import type { Client } from "./routing/client_table.ts";
import type { RoutingPart } from "./routing_part.ts";

export interface ControlsNeeds {
  readonly core: NodeCore;
  readonly dependencies: DaemonDependencies;
  readonly turns: Turns;
  readonly routing: RoutingPart;
  readonly database: DatabasePart;
  readonly membership: MembershipPart;
  readonly addresses: AddressPart;
  readonly recoverd: RecoverdWatch;
  readonly admind: AdmindWatch;
  readonly events: NodeEvents;
  readonly statistics: NodeStatistics;
  memoryReport(): string;
  /** Tunables changed, some of which act at once. */
  tunablesChanged(): void;
  dropClient(client: Client, reason: string): void;
  shutdown(exitCode: number, reason: string): void;
}

export function createControls(needs: ControlsNeeds): ControlRouter {
  const { core, dependencies: d, turns, routing, database, statistics } = needs;
  // Handlers run when controls come, and none comes before the router is there.
  const router: ControlRouter = new ControlRouter({
    nodes: core.nodes,
    output: routing.output,
    clients: routing.clients,
    dispatch: new ControlDispatch([...daemonHandlers(needs, () => router), database.controls]),
    statistics: statistics.current,
    requestIds: routing.requestIds,
    clock: d.clock,
    timers: turns.timers("controls"),
    log: core.log,
    generation: () => core.vnnMap.generation,
    timeoutSec: () => core.tunable("ControlTimeout"),
    asksOther: recordsAskedOfOthers({
      ownPnn: core.nodes.ownPnn,
      journal: core.journal,
      actors: core.actors,
      clients: routing.clients,
    }),
  });
  return router;
}

type Shared = ReturnType<typeof sharedParts>;

function sharedParts({
  core,
  dependencies,
  turns,
  database,
  membership,
  events,
  statistics,
}: ControlsNeeds) {
  return {
    nodes: core.nodes,
    vnnMap: core.vnnMap,
    state: core.state,
    log: core.log,
    journal: core.journal,
    actors: core.actors,
    ownPnn: core.nodes.ownPnn,
    database,
    freeze: membership.freeze,
    events,
    clusterLock: dependencies.config.cluster.clusterLock,
    timers: turns.timers("controls"),
    statistics,
    banOurselves: (reason: string) => membership.standing.banOurselves(reason),
  };
}

function daemonHandlers(
  needs: ControlsNeeds,
  router: () => ControlRouter,
): readonly ControlHandlers[] {
  const { core, dependencies: d, turns, routing, membership, shutdown } = needs;
  const shared = sharedParts(needs);
  return [
    ownNodeControls(needs, shared),
    ownClientControls(needs, shared),
    membershipControls({
      ...shared,
      standing: membership.standing,
      loadNodes: (done) => d.loadNodes((outcome) => turns.run("nodes-file", () => done(outcome))),
      nodesReloaded: (nodes, by) => membership.nodesReloaded(nodes, by),
      leader: () => routing.leaderCache.recent(),
      forceRecovery: (reason) => core.forceRecovery(reason),
    }),
    recoveryControls({
      ...shared,
      clusterLockProbe: probeInTurns(d.clusterLockProbe, turns),
      askClusterLock: (pnn, done) => router().send(pnn, "GET_RECLOCK_FILE", EMPTY, done),
      shutdown,
    }),
    addressControls({
      ...shared,
      addresses: needs.addresses.addresses,
      reloadAddresses: () => needs.addresses.reload(),
      announce: (srvid: U64) => routing.messages.send(core.nodes.ownPnn, srvid, EMPTY),
    }),
  ];
}

function ownNodeControls(needs: ControlsNeeds, shared: Shared): ControlHandlers {
  const { core, dependencies: d, routing, database, membership, recoverd } = needs;
  return nodeControls({
    ...shared,
    ownPid: d.ownPid,
    tunables: d.tunables,
    logLevel: d.logLevel,
    clock: d.clock,
    clientCount: () => routing.clients.size,
    backlogBytes: (srvid) => routing.messages.queuedBytes(core.nodes.ownPnn, srvid),
    listeners: (srvid) => routing.messages.listeners(srvid),
    knowledge: () =>
      knowledgeOf(
        core.nodes,
        membership.keepalive,
        routing.leaderCache,
        membership.peers,
        membership.missingLinks,
        d.announcedVersion.version,
      ),
    health: () => healthOf(membership.health),
    standingReasons: () => core.reasons.toWire(core.nodes.entries(), database.recovering()),
    options: d.options,
    reload: reloader({
      reloadConfig: d.reloadConfig,
      ...shared,
      logLevel: d.logLevel,
      admindReconfigured: (wanted) => needs.admind.reconfigured(wanted),
    }),
    turns: () => turnsOf(needs.turns.trace),
    allFrozen: () => membership.freeze.frozen,
    memoryUsed: () => d.memoryUse().residentBytes,
    memoryReport: () => needs.memoryReport(),
    resetDatabaseStatistics: () => database.resetStatistics(),
    tunableChanged: () => needs.tunablesChanged(),
    recoverdPinged: () => recoverd.ping(),
    shutdown: (by) => needs.shutdown(0, `asked to shut down by ${core.actors.text(by)}`),
  });
}

function ownClientControls(needs: ControlsNeeds, shared: Shared): ControlHandlers {
  const { routing, dependencies: d } = needs;
  const { clients, registry, tunnels, leaderCache } = routing;
  return clientControls({
    ...shared,
    clients,
    registry,
    tunnels,
    registered: (client, hi, lo) => {
      const packet = leaderCache.fresh(hi, lo);
      // After the answer to the registration.
      if (packet !== undefined) shared.timers.soon(() => client.deliver(packet));
    },
    dropClient: (client, reason) => needs.dropClient(client, reason),
    isAlive: (pid) => d.isAlive(pid),
  });
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
