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
import { done, err, type Result } from "../base/result.ts";
import type { Timer, Timeval } from "../platform/types/time.ts";
import { encode, u32Codec } from "../wire/codec.ts";
import { NODE_FLAGS, RECOVERY_NORMAL, SRVID } from "../wire/constants.ts";
import { BROADCAST_ALL, BROADCAST_CONNECTED, UNKNOWN_PNN } from "../wire/packet.ts";
import {
  type ElectionMessage,
  electionMessage,
  type NodeAndFlags,
} from "../wire/structs/cluster.ts";
import { AddressChecks } from "./address_checks.ts";
import { Blame } from "./blame.ts";
import { Culprits } from "./culprits.ts";
import { type Action, decideCluster, decideLocal } from "./decide.ts";
import { Election, pnnText } from "./election.ts";
import { LeaderConnection } from "./leader_connection.ts";
import { LeaseVotes } from "./lease_votes.ts";
import { LinksToCome } from "./links_to_come.ts";
import { LostNodes } from "./lost_nodes.ts";
import { isNewWithAllNodes, nobodyWasRecovered } from "./new_cluster.ts";
import { NodeRequests } from "./node_requests.ts";
import { OwnView } from "./own_view.ts";
import { PauseWatch } from "./pause_watch.ts";
import type { RecoverdHost } from "./recoverd_host.ts";
import { registerMessages } from "./recoverd_messages.ts";
import { Recoveries } from "./recoveries.ts";
import { SelfFence } from "./self_fence.ts";
import {
  collectLocal,
  collectRemote,
  connectedNodes,
  type LocalSnapshot,
  type RemoteSnapshot,
} from "./snapshot.ts";
import { TakeoverRuns } from "./takeover_runs.ts";

const LEADER_BROADCAST_MS = 1000;
/** While addresses wait for somebody who may still have them. */
const AWAITED_LOOK_MS = 250;
/** The first election of a test cluster. */
const FAST_ELECTION_MS = 500;

export class Recoverd {
  readonly election: Election;
  readonly takeoverRuns: TakeoverRuns;
  readonly recoveries: Recoveries;
  readonly #host: RecoverdHost;
  readonly #view: OwnView;
  readonly #requests: NodeRequests;
  readonly #blame: Blame;
  readonly #addressChecks: AddressChecks | undefined;
  readonly #selfFence: SelfFence | undefined;
  readonly #pauses: PauseWatch;
  #priorityTime: Timeval;
  #epoch = 0;
  #lookingLocal = false;
  /** This node leads, and no election is under way. */
  #leads = false;
  #lookingRemote = false;
  /** Something happened that the running look may have missed. */
  #lookAgain = false;
  #lastProblem: string | undefined;
  readonly #leaderConnection: LeaderConnection;
  readonly #linksToCome = new LinksToCome();
  readonly #lostNodes = new LostNodes();
  #nextTick: Timer | undefined;
  #nextLook: Timer | undefined;
  #broadcasts: Timer | undefined;
  #subscriptions: readonly { remove(): void }[] = [];
  #stopped = false;

  constructor(host: RecoverdHost) {
    this.#host = host;
    this.#priorityTime = host.clock.wallTime();
    const { client, timers, log } = host;
    this.#view = new OwnView(client.pnn);
    this.#leaderConnection = new LeaderConnection(host);
    this.#requests = new NodeRequests(client, log, host.journal, this.#view);
    this.#pauses = new PauseWatch({
      ...host,
      limitMs: host.leaderTimeoutMs,
      wasPaused: (forMs) => this.#wasPaused(forMs),
    });
    const culprits = new Culprits();
    this.#blame = new Blame({ ...host, view: this.#view, culprits, requests: this.#requests });
    this.takeoverRuns = new TakeoverRuns({
      ...host,
      helper: host.takeoverHelper,
      awaited: () => this.#lostNodes.awaited(host.clock.monotonicMs()),
    });
    this.recoveries = new Recoveries({
      ...host,
      helper: host.recoveryHelper,
      takeoverRuns: this.takeoverRuns,
      view: this.#view,
      culprits,
      mayRecover: () => this.#mayAct && this.#view.canLead,
      beginEpoch: () => this.#beginEpoch(),
      look: () => this.look(),
    });
    if (host.addressCheck !== undefined) {
      this.#addressChecks = new AddressChecks({ ...host, ...host.addressCheck });
      this.#selfFence = new SelfFence(host);
    }
    this.election = new Election(
      {
        pnn: client.pnn,
        timers,
        log,
        journal: host.journal,
        random: host.random,
        nowMs: () => host.clock.monotonicMs(),
        leaderTimeoutMs: host.leaderTimeoutMs,
        electionTimeoutMs: () => this.#electionTimeoutMs(),
        canLead: () => this.#view.canLead,
        electionMessage: () => this.#electionMessage(),
        sendLeader: (pnn) =>
          client.sendMessage(BROADCAST_CONNECTED, SRVID.LEADER, encode(u32Codec, pnn)),
        sendElection: (message) =>
          client.sendMessage(BROADCAST_ALL, SRVID.ELECTION, encode(electionMessage, message)),
        stopTraffic: () => this.#requests.stopTraffic(),
        changed: () => this.#leadershipChanged(),
        lockTaken: (latencyMs) => client.controlNoReply("RECD_RECLOCK_LATENCY", latencyMs / 1000),
        lockLost: () => void this.#selfFence?.lockLost(),
      },
      host.clusterLock,
    );
  }

  /** Leads, and knows that it still does. */
  get #mayAct(): boolean {
    return this.election.mayAct && !this.#pauses.paused;
  }

  /** For how long a coordinator that is started now may act without hearing of us again. */
  get mayActMs(): number {
    if (!this.#mayAct) return 0;
    const { clusterLock, leaderTimeoutMs } = this.#host;
    return Math.min(clusterLock?.provenForMs ?? leaderTimeoutMs, leaderTimeoutMs);
  }

  #wasPaused(forMs: number): void {
    const seconds = (forMs / 1000).toFixed(1);
    this.#host.log.warning(`The recovery daemon did not run for ${seconds} s`);
    // A lock is proven anew; without one only an election tells whether others have gone on.
    if (this.#host.clusterLock !== undefined || !this.election.leading) return;
    this.election.force(`this node leads, and did not run for ${seconds} s`);
  }

  /** Resolves when all messages are heard; the error is why ctdbd refused. */
  async start(): Promise<Result<void>> {
    const registered = await registerMessages(this.#host.client, this.#host.log, {
      election: this.election,
      takeoverRuns: this.takeoverRuns,
      recoveries: this.recoveries.gate,
      votes: new LeaseVotes({ ...this.#host, view: this.#view }),
      nodes: () => this.#view.nodes,
      requestTimeoutMs: () => this.#view.requestTimeoutMs,
      look: () => this.look(),
      memoryReport: () => this.#host.memoryReport(),
      blameAll: (pnn) => this.#blame.blameAll(pnn, "it makes takeover runs fail"),
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
    this.#nextLook?.cancel();
    this.#leaderConnection.forget();
    this.#broadcasts?.cancel();
    for (const subscription of this.#subscriptions) subscription.remove();
    this.#cancelOperations("the recovery daemon ends");
    this.#selfFence?.close();
    this.#pauses.close();
    this.recoveries.gate.close();
    this.takeoverRuns.gate.close();
    this.election.close(released);
  }

  /** Looks at the cluster now instead of at the next interval. */
  look(): void {
    if (this.#stopped || this.#view.isEmpty) return;
    if (this.#lookingLocal) this.#lookAgain = true;
    else this.#lookLocal();
  }

  get nodes(): readonly NodeAndFlags[] {
    return this.#view.nodes;
  }
  get recovering(): boolean {
    return this.recoveries.running;
  }

  // --- the main loop

  #tick(): void {
    if (this.#stopped) return;
    const intervalMs = Math.max(this.#view.tunable("RecoverInterval"), 1) * 1000;
    this.#nextTick = this.#host.timers.after(intervalMs, () => this.#tick());
    this.#host.client.controlNoReply("RECD_PING", undefined);
    if (!this.#lookingLocal) this.#lookLocal();
  }

  #lookLocal(): void {
    this.#lookingLocal = true;
    this.#lookAgain = false;
    collectLocal(this.#host.client, this.#view.requestTimeoutMs).then((local) => {
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
      bansDue: this.#blame.due,
    };
    const decision = decideLocal(local, memory);
    if (!decision.active) this.#priorityTime = this.#host.clock.wallTime();
    else this.#requests.databasesAreInUse();
    for (const action of decision.actions) this.#act(action);
    this.#heedLeader();
    this.#followLeader(local);
    if (decision.active && local.recoveryMode === RECOVERY_NORMAL) this.#checkAddresses();
    const busy =
      this.election.inProgress ||
      this.recovering ||
      this.takeoverRuns.running ||
      this.#lookingRemote;
    if (decision.goOn && this.election.leading && !busy) this.#lookRemote(local);
    if (this.#mayBeNewCluster(local) && !this.#lookingRemote) this.#lookForLeader(local);
  }

  #checkAddresses(): void {
    const mayAsk = () => {
      const { running, gate } = this.takeoverRuns;
      return !this.#stopped && this.#view.active && !running && !gate.disabled && !this.recovering;
    };
    if (!mayAsk()) return;
    const takesAddresses = this.#view.flags === 0 && this.#view.tunable("NoIPTakeover") === 0;
    this.#addressChecks?.look({ takesAddresses, timeoutMs: this.#view.requestTimeoutMs }, mayAsk);
  }

  /** When no node was ever recovered there is no leader to be waited for. */
  #lookForLeader(local: LocalSnapshot): void {
    this.#lookingRemote = true;
    const epoch = this.#epoch;
    const timeoutMs = this.#view.requestTimeoutMs;
    nobodyWasRecovered(this.#host.client, local, timeoutMs).then((allNew) => {
      this.#lookingRemote = false;
      if (this.#stopped || epoch !== this.#epoch || !this.#mayBeNewCluster(local)) return;
      if (allNew) this.election.force("all nodes are here and none was ever recovered");
    });
  }

  #heedLeader(): void {
    const { leader, inProgress } = this.election;
    if (!inProgress && leader !== UNKNOWN_PNN) this.takeoverRuns.gate.leaderIs(leader);
  }

  /** What a node does that does not lead. */
  #followLeader(local: LocalSnapshot): void {
    const { leader, leading, inProgress } = this.election;
    if (leading || inProgress || leader === UNKNOWN_PNN) {
      this.#leaderConnection.forget();
      return;
    }
    this.takeoverRuns.handOver(leader);
    const nowMs = this.#host.clock.monotonicMs();
    this.#leaderConnection.look(local.nodes, leader, nowMs, () => {
      // Another node may have called one meanwhile.
      const { election } = this;
      const mayCall = this.#view.canLead && !election.inProgress && election.leader === leader;
      if (mayCall) election.force(`leader ${leader} is not connected`);
    });
  }

  #mayBeNewCluster(local: LocalSnapshot): boolean {
    const { leader, inProgress } = this.election;
    const mayElect = leader === UNKNOWN_PNN && !inProgress && this.#view.canLead;
    return mayElect && isNewWithAllNodes(local);
  }

  #learn(local: LocalSnapshot): void {
    if (this.#view.learn(local)) this.#beginEpoch();
    const nowMs = this.#host.clock.monotonicMs();
    this.#linksToCome.learn(local.nodes, nowMs);
    this.#lostNodes.learn(local.nodes, nowMs);
    this.#host.setLogLevel(local.debugLevel);
  }

  /** What was read of the cluster before is void. */
  #beginEpoch(): void {
    this.#epoch += 1;
  }

  #lookRemote(local: LocalSnapshot): void {
    this.#lookingRemote = true;
    const epoch = this.#epoch;
    const options = { timeoutMs: this.#view.requestTimeoutMs, askHeard: this.#lostNodes.some };
    collectRemote(this.#host.client, local, options).then((remote) => {
      this.#lookingRemote = false;
      if (this.#stopped) return;
      if (epoch === this.#epoch) this.#actRemote(local, remote);
      else this.look();
    });
  }

  #actRemote(local: LocalSnapshot, remote: RemoteSnapshot): void {
    const lock = this.#host.clusterLock;
    if (this.#pauses.paused || (lock?.held === true && lock.provenForMs <= 0)) {
      this.#problem("This node leads and does not act: it cannot prove that it still may");
      return;
    }
    const nowMs = this.#host.clock.monotonicMs();
    this.#lostNodes.told(remote, Math.max(this.#view.tunable("KeepaliveInterval"), 1) * 1000);
    const lostAwaited = this.#lostNodes.awaited(nowMs);
    if (lostAwaited !== undefined && this.takeoverRuns.wanted) this.#lookSoon();
    const decision = decideCluster(local, remote, {
      pnn: this.#host.client.pnn,
      recoveryNeeded: this.recoveries.needed,
      recoveriesDisabled: this.recoveries.gate.disabled,
      takeoverRunsDisabled: this.takeoverRuns.gate.disabled,
      takeoverRunWanted: this.takeoverRuns.wanted,
      linksAwaited: this.#linksToCome.awaited(local.nodes, remote.nodeMaps, nowMs),
      lostAwaited,
      lockHeld: lock?.held,
    });
    if (decision.problem === undefined) this.#lastProblem = undefined;
    else this.#problem([decision.problem, ...remote.problems].join("; "));
    for (const action of decision.actions) this.#act(action);
  }

  /** Addresses that are on no host are missed sooner than in an interval. */
  #lookSoon(): void {
    this.#nextLook?.cancel();
    this.#nextLook = this.#host.timers.after(AWAITED_LOOK_MS, () => this.look());
  }

  /** The same problem each second is said once. */
  #problem(text: string): void {
    if (text !== this.#lastProblem) this.#host.log.error(text);
    this.#lastProblem = text;
  }

  // --- actions

  #act(action: Action): void {
    switch (action.do) {
      case "ban":
        this.#blame.ban(action.pnn, action.credits);
        return;
      case "lock_databases":
        this.#requests.lockDatabases(action.setMode);
        return;
      case "yield":
        this.election.yieldLeadership(action.reason);
        return;
      case "push_flags":
        this.#requests.pushFlags(action.stale);
        // A run that was made meanwhile, after a recovery or for the tool, took it for what it was.
        if (action.moves) this.takeoverRuns.want(`flags of node ${action.stale.pnn} have changed`);
        return;
      case "blame":
        this.#blame.blame(action.pnn, 1, action.reason);
        return;
      case "elect":
        this.election.force(action.reason);
        return;
      case "recover":
        this.recoveries.want(action);
        return;
      case "takeover_run":
        this.#takeOver();
        return;
      default:
        unreachable(action);
    }
  }

  #takeOver(): void {
    this.#beginEpoch();
    const timeoutMs = this.#view.tunable("TakeoverTimeout") * 1000;
    const connected = connectedNodes(this.#view.nodes);
    this.takeoverRuns.start({ connected, timeoutMs }, () => this.#beginEpoch());
  }

  // --- leadership

  #leadershipChanged(): void {
    this.#beginEpoch();
    const leads = this.election.leading && !this.election.inProgress;
    // The one before may have given a run up in the middle: then an address is on no host, and nobody misses it.
    if (leads && !this.#leads) this.takeoverRuns.want("this node leads from now on");
    this.#leads = leads;
    if (this.election.leading) {
      if (!this.election.inProgress) this.look();
      return;
    }
    const leader = pnnText(this.election.leader);
    const reason = `leader changed to ${leader}`;
    if (this.recovering) {
      this.#host.log.error(`Leader changed to ${leader}, aborting recovery`);
    }
    this.#cancelOperations(reason);
  }

  #cancelOperations(reason: string): void {
    this.recoveries.cancel(reason);
    this.takeoverRuns.cancel(reason);
  }

  #electionTimeoutMs(): number {
    if (this.#host.testMode && this.election.completed === 0) return FAST_ELECTION_MS;
    return Math.max(this.#view.tunable("ElectionTimeout") * 1000, FAST_ELECTION_MS);
  }

  #electionMessage(): ElectionMessage {
    const { client, clock } = this.#host;
    const canLead = this.#view.canLead;
    return {
      num_connected: canLead ? connectedNodes(this.#view.nodes).length : 0,
      priority_time: canLead ? this.#priorityTime : clock.wallTime(),
      pnn: client.pnn,
      node_flags: this.#view.flags ?? NODE_FLAGS.DISCONNECTED,
    };
  }
}
