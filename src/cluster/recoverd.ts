/**
 * The recovery daemon's core: knows who leads, watches the cluster, and starts recoveries and
 * takeover runs while this node leads (docs/recovery.md). A client of its own ctdbd.
 *
 * Invariants:
 * 1. No handler waits. Answers arrive as snapshots, and a snapshot of the cluster is used only
 *    when the epoch is still the one it was begun in: leadership, an election, flags or a finished
 *    operation start a new epoch (what was read before a wait is void after it).
 * 2. A recovery or takeover run is cancelled in the step in which this node stops leading.
 * 3. The ping to ctdbd, the look at our own state and the leader broadcast never wait for other
 *    nodes.
 */
import { unreachable } from "../base/assert.ts";
import type { Logger } from "../base/log.ts";
import { done, err, type Result } from "../base/result.ts";
import type { CtdbClient } from "../client/types.ts";
import { TunableSet } from "../config/tunables.ts";
import type { ClusterLock } from "../lock/cluster_lock.ts";
import type { Clock, Random, Timer, Timers, Timeval } from "../platform/types/time.ts";
import { encode, u32Codec } from "../wire/codec.ts";
import {
  CAPABILITIES,
  NODE_FLAGS,
  NODE_FLAGS_INACTIVE,
  RECOVERY_ACTIVE,
  SRVID,
} from "../wire/constants.ts";
import {
  BROADCAST_ALL,
  BROADCAST_CONNECTED,
  INVALID_GENERATION,
  UNKNOWN_PNN,
} from "../wire/packet.ts";
import {
  type ElectionMessage,
  electionMessage,
  type NodeAndFlags,
} from "../wire/structs/cluster.ts";
import { Culprits } from "./culprits.ts";
import { type Action, decideCluster, decideLocal } from "./decide.ts";
import { Election, pnnText } from "./election.ts";
import { OperationGate } from "./operation_gate.ts";
import { registerMessages } from "./recoverd_messages.ts";
import { type RecoveryHelper, RecoveryRun } from "./recovery_run.ts";
import {
  activeNodes,
  collectLocal,
  collectRemote,
  connectedNodes,
  flagsOf,
  type LocalSnapshot,
  type RemoteSnapshot,
} from "./snapshot.ts";
import { type TakeoverHelper, TakeoverRuns } from "./takeover_runs.ts";

const LEADER_BROADCAST_MS = 1000;
/** How long the leader must be disconnected before it is given up: a link may come back. */
const LEADER_GONE_MS = 900;
/** The first election of a test cluster. */
const FAST_ELECTION_MS = 500;

export interface RecoverdHost {
  readonly client: CtdbClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly recoveryHelper: RecoveryHelper;
  readonly takeoverHelper: TakeoverHelper;
  /** undefined: elections by message. */
  readonly clusterLock: ClusterLock | undefined;
  readonly leaderTimeoutMs: number;
  readonly testMode: boolean;
  /** The level that ctdbd has now. */
  setLogLevel(level: number): void;
  /** The answer to MEM_DUMP. */
  memoryReport(): string;
}

export class Recoverd {
  readonly election: Election;
  readonly takeoverRuns: TakeoverRuns;
  readonly recoveries: OperationGate;
  readonly #host: RecoverdHost;
  readonly #culprits = new Culprits();
  #tunables = new TunableSet();
  #nodes: readonly NodeAndFlags[] = [];
  #capabilities = 0;
  #priorityTime: Timeval;
  #epoch = 0;
  #lookingLocal = false;
  #lookingRemote = false;
  /** Something happened that the running look may have missed. */
  #lookAgain = false;
  #recoveryNeeded = false;
  #failedRecoveries = 0;
  #recovery: RecoveryRun | undefined;
  #frozen: "no" | "freezing" | "yes" = "no";
  #lastProblem: string | undefined;
  /** Since when every look found the leader disconnected. */
  #leaderGoneMs: number | undefined;
  #nextTick: Timer | undefined;
  #broadcasts: Timer | undefined;
  #subscriptions: readonly { remove(): void }[] = [];
  #stopped = false;

  constructor(host: RecoverdHost) {
    this.#host = host;
    this.#priorityTime = host.clock.wallTime();
    const { client, timers, log } = host;
    this.takeoverRuns = new TakeoverRuns(client, timers, log, host.takeoverHelper);
    this.recoveries = new OperationGate(timers, (state, seconds) => {
      if (state === "disabled") log.notice(`Disabling recoveries for ${seconds} seconds`);
      else log.notice(`Reenabling recoveries${state === "expired" ? " after timeout" : ""}`);
      this.look();
    });
    this.election = new Election(
      {
        pnn: client.pnn,
        timers,
        log,
        nowMs: () => host.clock.monotonicMs(),
        leaderTimeoutMs: host.leaderTimeoutMs,
        electionTimeoutMs: () => this.#electionTimeoutMs(),
        canLead: () => this.#canLead(),
        electionMessage: () => this.#electionMessage(),
        sendLeader: (pnn) =>
          client.sendMessage(BROADCAST_CONNECTED, SRVID.LEADER, encode(u32Codec, pnn)),
        sendElection: (message) =>
          client.sendMessage(BROADCAST_ALL, SRVID.ELECTION, encode(electionMessage, message)),
        stopTraffic: () => this.#stopTraffic(),
        changed: () => this.#leadershipChanged(),
        lockTaken: (latencyMs) => client.controlNoReply("RECD_RECLOCK_LATENCY", latencyMs / 1000),
      },
      host.clusterLock,
    );
  }

  /** Resolves when all messages are heard; the error is why ctdbd refused. */
  async start(): Promise<Result<void>> {
    const registered = await registerMessages(this.#host.client, this.#host.log, {
      election: this.election,
      takeoverRuns: this.takeoverRuns,
      recoveries: this.recoveries,
      nodes: () => this.#nodes,
      requestTimeoutMs: () => this.requestTimeoutMs,
      look: () => this.look(),
      memoryReport: () => this.#host.memoryReport(),
      blameAll: (pnn) => this.#blame(pnn, this.#nodes.length),
    });
    if (!registered.ok) return err(registered.error);
    this.#subscriptions = registered.value;
    if (this.#stopped) return done;
    this.election.start();
    this.#broadcasts = this.#host.timers.every(LEADER_BROADCAST_MS, () =>
      this.election.broadcast(),
    );
    this.#tick();
    return done;
  }

  /** Gives up everything; `released` runs when the cluster lock is free. */
  stop(released?: () => void): void {
    this.#stopped = true;
    this.#nextTick?.cancel();
    this.#broadcasts?.cancel();
    for (const subscription of this.#subscriptions) subscription.remove();
    this.#cancelOperations();
    this.recoveries.close();
    this.takeoverRuns.gate.close();
    this.election.close(released);
  }

  /** Looks at the cluster now instead of at the next interval. */
  look(): void {
    if (this.#stopped || this.#capabilities === 0) return;
    if (this.#lookingLocal) this.#lookAgain = true;
    else this.#lookLocal();
  }

  get nodes(): readonly NodeAndFlags[] {
    return this.#nodes;
  }
  get recovering(): boolean {
    return this.#recovery !== undefined;
  }
  get requestTimeoutMs(): number {
    return Math.max(this.#tunable("RecoverTimeout"), 1) * 1000;
  }

  // --- the main loop

  #tick(): void {
    if (this.#stopped) return;
    const intervalMs = Math.max(this.#tunable("RecoverInterval"), 1) * 1000;
    this.#nextTick = this.#host.timers.after(intervalMs, () => this.#tick());
    this.#host.client.controlNoReply("RECD_PING", undefined);
    if (!this.#lookingLocal) this.#lookLocal();
  }

  #lookLocal(): void {
    this.#lookingLocal = true;
    this.#lookAgain = false;
    collectLocal(this.#host.client, this.requestTimeoutMs).then((local) => {
      this.#lookingLocal = false;
      if (this.#stopped) return;
      if (local.ok) this.#actLocal(local.value);
      else this.#problem(local.error);
      if (this.#lookAgain) this.#host.timers.soon(() => this.look());
    });
  }

  #actLocal(local: LocalSnapshot): void {
    this.#learn(local);
    const memory = {
      pnn: this.#host.client.pnn,
      leading: this.election.leading,
      bansDue: this.#bansDue(),
    };
    const decision = decideLocal(local, memory);
    if (!decision.active) this.#priorityTime = this.#host.clock.wallTime();
    else this.#frozen = "no";
    for (const action of decision.actions) this.#act(action, local.nodes);
    this.#followLeader(local);
    const busy =
      this.election.inProgress ||
      this.recovering ||
      this.takeoverRuns.running ||
      this.#lookingRemote;
    if (decision.goOn && this.election.leading && !busy) this.#lookRemote(local);
    if (this.#mayBeNewCluster(local) && !this.#lookingRemote) this.#lookForLeader(local);
  }

  /** What a node does that does not lead. */
  #followLeader(local: LocalSnapshot): void {
    const { leader, leading, inProgress } = this.election;
    if (leading || inProgress || leader === UNKNOWN_PNN) {
      this.#leaderGoneMs = undefined;
      return;
    }
    this.takeoverRuns.handOver(leader);
    const flags = flagsOf(local.nodes, leader) ?? NODE_FLAGS.DELETED;
    const gone = (flags & (NODE_FLAGS.DISCONNECTED | NODE_FLAGS.DELETED)) !== 0;
    const nowMs = this.#host.clock.monotonicMs();
    this.#leaderGoneMs = gone ? (this.#leaderGoneMs ?? nowMs) : undefined;
    if (this.#leaderGoneMs === undefined || nowMs - this.#leaderGoneMs < LEADER_GONE_MS) return;
    // Its silence would tell as well, later.
    if (this.#canLead()) this.election.force(`leader ${leader} is not connected`);
  }

  /** Nobody leads, all configured nodes are here, and this one was never part of a cluster. */
  #mayBeNewCluster(local: LocalSnapshot): boolean {
    const { leader, inProgress } = this.election;
    if (leader !== UNKNOWN_PNN || inProgress || !this.#canLead()) return false;
    if (local.vnnMap.generation !== INVALID_GENERATION) return false;
    return local.nodes.every(
      ({ flags }) => (flags & NODE_FLAGS.DELETED) !== 0 || (flags & NODE_FLAGS.DISCONNECTED) === 0,
    );
  }

  /** When no node was ever recovered there is no leader to be waited for. */
  #lookForLeader(local: LocalSnapshot): void {
    this.#lookingRemote = true;
    const epoch = this.#epoch;
    const { client } = this.#host;
    const others = connectedNodes(local.nodes).filter((pnn) => pnn !== client.pnn);
    const options = { timeoutMs: this.requestTimeoutMs };
    client.controlEach("GETVNNMAP", undefined, others, options).then((outcomes) => {
      this.#lookingRemote = false;
      if (this.#stopped || epoch !== this.#epoch || !this.#mayBeNewCluster(local)) return;
      const allNew = [...outcomes.values()].every(
        (outcome) => outcome.ok && outcome.value.data.generation === INVALID_GENERATION,
      );
      if (allNew) this.election.force("all nodes are here and none was ever recovered");
    });
  }

  #learn(local: LocalSnapshot): void {
    const changed =
      local.nodes.length !== this.#nodes.length ||
      local.nodes.some((node, i) => {
        const known = this.#nodes[i];
        return known?.pnn !== node.pnn || known.flags !== node.flags;
      });
    if (changed || local.capabilities !== this.#capabilities) this.#epoch += 1;
    this.#nodes = local.nodes;
    this.#capabilities = local.capabilities;
    this.#tunables = local.tunables;
    this.#host.setLogLevel(local.debugLevel);
  }

  #lookRemote(local: LocalSnapshot): void {
    this.#lookingRemote = true;
    const epoch = this.#epoch;
    collectRemote(this.#host.client, local, this.requestTimeoutMs).then((remote) => {
      this.#lookingRemote = false;
      if (this.#stopped) return;
      if (epoch === this.#epoch) this.#actRemote(local, remote);
      else this.look();
    });
  }

  #actRemote(local: LocalSnapshot, remote: RemoteSnapshot): void {
    const lock = this.#host.clusterLock;
    const decision = decideCluster(local, remote, {
      pnn: this.#host.client.pnn,
      recoveryNeeded: this.#recoveryNeeded,
      recoveriesDisabled: this.recoveries.disabled,
      takeoverRunsDisabled: this.takeoverRuns.gate.disabled,
      takeoverRunWanted: this.takeoverRuns.wanted,
      lockHeld: lock?.held,
    });
    if (decision.problem === undefined) this.#lastProblem = undefined;
    else this.#problem(`${decision.problem} (${remote.problems.join("; ")})`);
    for (const action of decision.actions) this.#act(action, decision.nodes);
  }

  /** The same problem each second is said once. */
  #problem(text: string): void {
    if (text !== this.#lastProblem) this.#host.log.error(text);
    this.#lastProblem = text;
  }

  // --- actions

  #act(action: Action, nodes: readonly NodeAndFlags[]): void {
    switch (action.do) {
      case "ban":
        this.#host.log.notice(`Node ${action.pnn} reached ${action.credits} banning credits`);
        this.#ban(action.pnn);
        return;
      case "lock_databases":
        this.#lockDatabases(action.setMode);
        return;
      case "yield":
        this.election.yieldLeadership(action.reason);
        return;
      case "push_flags":
        this.#pushFlags(action.pnn, action.flags);
        return;
      case "blame":
        this.#blame(action.pnn, 1);
        return;
      case "elect":
        this.election.force(action.reason);
        return;
      case "recover":
        this.#recover(action.reason, nodes);
        return;
      case "takeover_run":
        this.#takeOver();
        return;
      default:
        unreachable(action);
    }
  }

  #blame(pnn: number, credits: number): void {
    const graceMs = this.#tunable("RecoveryGracePeriod") * 1000;
    if (flagsOf(this.#nodes, pnn) === undefined) {
      this.#host.log.warning(`Unknown culprit node ${pnn}`);
      return;
    }
    if (!this.#active) return;
    this.#culprits.blame(pnn, credits, this.#host.clock.monotonicMs(), graceMs);
  }

  #bansDue(): readonly { readonly pnn: number; readonly credits: number }[] {
    return this.#culprits
      .due(this.#nodes.length)
      .map((pnn) => ({ pnn, credits: this.#culprits.count(pnn) }));
  }

  #ban(pnn: number): void {
    this.#culprits.settle(pnn);
    const { client, log } = this.#host;
    if (this.#tunable("EnableBans") === 0) {
      log.notice(`Bans are disabled - not banning node ${pnn}`);
      return;
    }
    const time = this.#tunable("RecoveryBanPeriod");
    log.notice(`Banning node ${pnn} for ${time} seconds`);
    const options = { pnn, timeoutMs: this.requestTimeoutMs };
    client.control("SET_BAN_STATE", { pnn, time }, options).then((outcome) => {
      if (!outcome.ok) log.error(`Cannot ban node ${pnn}: ${outcome.error.reason}`);
    });
  }

  /** Stopped or banned: nothing may use our records. */
  #lockDatabases(setMode: boolean): void {
    const { client, log } = this.#host;
    const options = { timeoutMs: this.requestTimeoutMs };
    if (setMode) {
      log.error("Node is stopped or banned but recovery mode is not active. Activating it");
      // A recovery that was under way when this node became inactive has thawed the databases.
      this.#frozen = "no";
      client.control("SET_RECMODE", RECOVERY_ACTIVE, options).then((outcome) => {
        if (!outcome.ok) log.error(`Cannot activate recovery mode: ${outcome.error.reason}`);
      });
    }
    if (this.#frozen !== "no") return;
    this.#frozen = "freezing";
    client.control("FREEZE", undefined, options).then((outcome) => {
      if (!outcome.ok) log.error(`Cannot freeze the databases: ${outcome.error.reason}`);
      if (this.#frozen === "freezing") this.#frozen = outcome.ok ? "yes" : "no";
    });
  }

  #pushFlags(pnn: number, flags: number): void {
    const { client, log } = this.#host;
    log.notice(`Pushing updated flags for node ${pnn} (0x${flags.toString(16)})`);
    const oldFlags = flagsOf(this.#nodes, pnn) ?? flags;
    const options = { timeoutMs: this.requestTimeoutMs };
    const change = { pnn, new_flags: flags, old_flags: oldFlags };
    client
      .controlEach("MODIFY_FLAGS", change, connectedNodes(this.#nodes), options)
      .then((outcomes) => {
        for (const [target, outcome] of outcomes) {
          if (!outcome.ok) log.error(`MODIFY_FLAGS on node ${target}: ${outcome.error.reason}`);
        }
      });
  }

  #recover(reason: string, nodes: readonly NodeAndFlags[]): void {
    const { log } = this.#host;
    const first = !this.#recoveryNeeded;
    this.#recoveryNeeded = true;
    if (this.recoveries.disabled) {
      if (first) log.notice(`Recovery needed (${reason}), but recoveries are disabled`);
      return;
    }
    if (this.recovering || !this.election.mayAct || !this.#canLead()) return;
    const generation = newGeneration(this.#host.random);
    log.notice(`Starting recovery, new generation ${generation}: ${reason}`);
    if (this.#culprits.last !== undefined) {
      log.info(`Recovery initiated due to problem with node ${this.#culprits.last}`);
    }
    this.#epoch += 1;
    this.recoveries.inProgress = true;
    const plan = {
      generation,
      nodes,
      timeoutMs: this.requestTimeoutMs,
      takeoverTimeoutMs: this.#tunable("TakeoverTimeout") * 1000,
    };
    const host = {
      ...this.#host,
      helper: this.#host.recoveryHelper,
      takeoverRuns: this.takeoverRuns,
    };
    this.#recovery = new RecoveryRun(host, plan, (outcome) => this.#recoveryEnded(outcome));
  }

  #recoveryEnded(outcome: Result<void>): void {
    const { clock, log } = this.#host;
    const tookMs = clock.monotonicMs() - (this.#recovery?.startMs ?? 0);
    this.#recovery = undefined;
    this.recoveries.inProgress = false;
    this.#epoch += 1;
    if (!outcome.ok) {
      this.#failedRecoveries += 1;
      this.#culprits.excludeTime(tookMs);
      log.error(`Recovery failed (${this.#failedRecoveries} in a row): ${outcome.error}`);
      return;
    }
    log.notice(`Recovery complete after ${Math.round(tookMs)} ms`);
    this.#recoveryNeeded = false;
    this.#failedRecoveries = 0;
    this.#culprits.clear();
    this.recoveries.disable(this.#tunable("RerecoveryTimeout"));
    this.look();
  }

  #takeOver(): void {
    this.#epoch += 1;
    const timeoutMs = this.#tunable("TakeoverTimeout") * 1000;
    this.takeoverRuns.start(connectedNodes(this.#nodes), timeoutMs, () => {
      this.#epoch += 1;
    });
  }

  // --- leadership

  #leadershipChanged(): void {
    this.#epoch += 1;
    if (this.election.leading) {
      if (!this.election.inProgress) this.look();
      return;
    }
    if (this.recovering) {
      const leader = pnnText(this.election.leader);
      this.#host.log.error(`Leader changed to ${leader}, aborting recovery`);
    }
    this.#cancelOperations();
  }

  #cancelOperations(): void {
    this.#recovery?.cancel();
    this.#recovery = undefined;
    this.recoveries.inProgress = false;
    this.#recoveryNeeded = false;
    this.takeoverRuns.cancel();
  }

  get #active(): boolean {
    const flags = flagsOf(this.#nodes, this.#host.client.pnn) ?? NODE_FLAGS.DELETED;
    return (flags & NODE_FLAGS_INACTIVE) === 0;
  }

  #canLead(): boolean {
    return this.#active && (this.#capabilities & CAPABILITIES.RECMASTER) !== 0;
  }

  #electionTimeoutMs(): number {
    if (this.#host.testMode && this.election.completed === 0) return FAST_ELECTION_MS;
    return Math.max(this.#tunable("ElectionTimeout") * 1000, FAST_ELECTION_MS);
  }

  #electionMessage(): ElectionMessage {
    const { client, clock } = this.#host;
    const canLead = this.#canLead();
    return {
      num_connected: canLead ? connectedNodes(this.#nodes).length : 0,
      priority_time: canLead ? this.#priorityTime : clock.wallTime(),
      pnn: client.pnn,
      node_flags: flagsOf(this.#nodes, client.pnn) ?? NODE_FLAGS.DISCONNECTED,
    };
  }

  /** Controls and messages to a node keep their order: it stops before it hears of the election. */
  #stopTraffic(): void {
    const { client, log } = this.#host;
    const options = { timeoutMs: this.requestTimeoutMs };
    const active = activeNodes(this.#nodes);
    client.controlEach("SET_RECMODE", RECOVERY_ACTIVE, active, options).then((outcomes) => {
      for (const [pnn, outcome] of outcomes) {
        if (!outcome.ok) log.warning(`SET_RECMODE on node ${pnn}: ${outcome.error.reason}`);
      }
    });
  }

  #tunable(name: string): number {
    return this.#tunables.get(name) ?? 0;
  }
}

function newGeneration(random: Random): number {
  for (;;) {
    const generation = random.u32() >>> 1;
    if (generation > INVALID_GENERATION) return generation;
  }
}
