/**
 * Who leads: one state machine for elections by message and elections by cluster lock
 * (docs/recovery.md, "Elections").
 *
 * Invariants:
 * 1. One election at a time. Each has an attempt number; an answer that belongs to another
 *    attempt is ignored.
 * 2. Every state but "settled" ends by itself: by a deadline or by the deadline of the lock
 *    attempt.
 * 3. With a cluster lock this node leads only while it holds it, and broadcasts of others are
 *    ignored as long as it does (upstream bug 15892).
 * 4. Receiving LEADER(unknown) never sends LEADER(unknown); our own broadcasts come back to us,
 *    and a message does not say who sent it.
 * 5. Contention for the lock is no fault: who does not get it follows, and tries again when no
 *    leader shows up for the leader timeout.
 *
 * It decides about nothing but leadership, and reaches nodes only through its host.
 */
import { unreachable } from "../base/assert.ts";
import type { ClusterLock, LockAttempt } from "../lock/cluster_lock.ts";
import type { Timer } from "../platform/types/time.ts";
import { UNKNOWN_PNN } from "../wire/packet.ts";
import type { ElectionMessage } from "../wire/structs/cluster.ts";
import { byChance } from "./by_chance.ts";
import type { ElectionHost } from "./election_host.ts";
import { beats } from "./election_order.ts";
import { LeaderRivals } from "./leader_rivals.ts";

/** Fixed by upstream: how long a helper may think about the lock. */
const LOCK_TIMEOUT_MS = 120_000;
/**
 * Our own message is held back so that several arriving ones are answered once; by chance less, so that one whom a better
 * one outdoes has mostly heard that before it speaks: with n nodes some log n speak, and not all.
 */
const ANSWER_DELAY_MS = 500;
/** The same for those who miss a leader at the same moment. */
const SILENCE_DELAY_MS = 250;

type State =
  | { readonly name: "settled" }
  | {
      readonly name: "electing";
      readonly attempt: number;
      deadline: Timer;
      answer: Timer | undefined;
    }
  | { readonly name: "locking"; readonly attempt: number };

export class Election {
  /** UNKNOWN_PNN when nobody is known to lead. During an election: who is ahead. */
  leader = UNKNOWN_PNN;
  /** Elections that ended here. */
  completed = 0;
  readonly #host: ElectionHost;
  readonly #lock: ClusterLock | undefined;
  #state: State = { name: "settled" };
  #attempt = 0;
  #silence: Timer | undefined;
  readonly #rivals = new LeaderRivals();
  /** Who leads as it is written down, and why the one who leads now does. */
  #written = UNKNOWN_PNN;
  #why = "";
  #closed = false;

  constructor(host: ElectionHost, lock: ClusterLock | undefined) {
    this.#host = host;
    this.#lock = lock;
    lock?.onLost((reason) => this.#lockLost(reason));
  }

  /** From here on the silence of a leader is noticed. */
  start(): void {
    this.#expectLeader();
  }

  get inProgress(): boolean {
    return this.#state.name !== "settled";
  }
  get leading(): boolean {
    return this.leader === this.#host.pnn;
  }
  /** Leads, with everything that it takes: what may be acted upon. */
  get mayAct(): boolean {
    return (
      this.leading && !this.inProgress && (this.#lock === undefined || this.#lock.provenForMs > 0)
    );
  }

  /** Calls an election, unless one is under way. */
  force(reason: string): void {
    if (this.inProgress || this.#closed) return;
    this.#host.log.notice(`Start election: ${reason}`);
    this.#host.stopTraffic();
    this.#host.sendLeader(UNKNOWN_PNN);
    if (this.#lock !== undefined) {
      this.#becomeLocking(this.#lock, reason);
      return;
    }
    this.#becomeElecting(reason);
    this.#sendOwnMessage();
  }

  /** This node must not lead any more: it was stopped or banned, or lost the capability. */
  yieldLeadership(reason: string): void {
    const lock = this.#lock;
    const involved = this.leading || lock?.held === true || this.#state.name === "locking";
    if (!involved || this.#closed) return;
    this.#host.log.notice(`Yielding leadership: ${reason}`);
    this.#setLeader(UNKNOWN_PNN, reason);
    if (lock !== undefined) {
      this.#settle();
      // The others begin at once, and would find the lock still taken.
      this.#release(lock, () => this.#host.sendLeader(UNKNOWN_PNN));
      return;
    }
    this.#host.sendLeader(UNKNOWN_PNN);
    if (!this.inProgress) this.#becomeElecting(`this node must not lead any more: ${reason}`);
    this.#host.sendElection(this.#host.electionMessage());
  }

  /** Once a second: the leader says so. */
  broadcast(): void {
    if (this.mayAct && this.#host.canLead()) this.#host.sendLeader(this.#host.pnn);
  }

  close(released?: () => void): void {
    this.#closed = true;
    this.#silence?.cancel();
    this.#leaveState();
    this.#state = { name: "settled" };
    if (this.#lock === undefined) released?.();
    else this.#release(this.#lock, released);
  }

  // --- what is heard

  /** `from`: the node it came from. */
  heardLeader(pnn: number, from: number): void {
    if (this.#closed || pnn === this.#host.pnn) return;
    if (pnn === UNKNOWN_PNN) {
      this.#heardElectionCall(from);
      return;
    }
    const lock = this.#lock;
    if (lock?.held === true) {
      this.#host.log.warning(
        `Node ${pnn} claims to lead, but this node holds the cluster lock (${lock.description})`,
      );
      return;
    }
    switch (this.#state.name) {
      case "electing":
        // A late broadcast of the leader before; the winner repeats its own each second.
        return;
      case "locking":
        this.#host.log.notice(`Received leader broadcast, leader=${pnn}`);
        lock?.release();
        this.#setLeader(pnn, "it says so");
        this.#settle();
        return;
      case "settled":
        this.#follow(pnn);
        return;
      default:
        unreachable(this.#state);
    }
  }

  heardElection(message: ElectionMessage): void {
    const host = this.#host;
    if (this.#closed || message.pnn === host.pnn) return;
    if (this.#lock !== undefined) {
      host.log.warning(
        `Node ${message.pnn} holds elections without a cluster lock, this node uses ` +
          `${this.#lock.description}: expected the same configuration`,
      );
      return;
    }
    const state = this.#becomeElecting(`node ${message.pnn} calls one`);
    if (beats(host.electionMessage(), message) && host.canLead()) {
      const limitMs = Math.min(ANSWER_DELAY_MS, host.electionTimeoutMs() / 2);
      state.answer ??= host.timers.after(byChance(host.random, limitMs), () => {
        state.answer = undefined;
        this.#sendOwnMessage();
      });
      return;
    }
    state.answer?.cancel();
    state.answer = undefined;
    this.#setLeader(message.pnn, "it has won the election");
  }

  /** LEADER(unknown): somebody calls an election; with a lock there is no other notice. */
  #heardElectionCall(from: number): void {
    if (this.inProgress) return;
    const reason = `node ${from} calls one`;
    if (this.#lock === undefined) this.#becomeElecting(reason);
    else this.#becomeLocking(this.#lock, reason);
  }

  /** Another node leads. Without a lock two may think so after the cluster was parted. */
  #follow(pnn: number): void {
    const host = this.#host;
    if (this.leading) {
      if (this.#rivals.heard(pnn, host.nowMs())) this.force(`node ${pnn} leads, too`);
      return;
    }
    if (this.leader !== pnn) host.log.notice(`Received leader broadcast, leader=${pnn}`);
    this.#setLeader(pnn, "it says so");
    this.#expectLeader();
  }

  // --- states

  #becomeElecting(reason: string): State & { name: "electing" } {
    const host = this.#host;
    if (this.#state.name === "electing") {
      this.#state.deadline.cancel();
      this.#state.deadline = this.#deadline(this.#state.attempt);
      return this.#state;
    }
    this.#begun(reason);
    const state: State = {
      name: "electing",
      attempt: this.#attempt,
      deadline: this.#deadline(this.#attempt),
      answer: undefined,
    };
    this.#state = state;
    host.changed();
    return state;
  }

  #deadline(attempt: number): Timer {
    return this.#host.timers.after(this.#host.electionTimeoutMs(), () => {
      if (this.#state.name === "electing" && this.#state.attempt === attempt) this.#electionEnded();
    });
  }

  #sendOwnMessage(): void {
    if (this.#state.name !== "electing") return;
    const message = this.#host.electionMessage();
    if (this.#host.canLead()) this.#setLeader(this.#host.pnn, "it has won the election");
    else if (this.leading) this.#setLeader(UNKNOWN_PNN, "it cannot lead any more");
    this.#becomeElecting("it goes on");
    this.#host.sendElection(message);
  }

  #electionEnded(): void {
    if (this.leading && !this.#host.canLead()) {
      this.#setLeader(UNKNOWN_PNN, "it cannot lead any more");
    }
    this.#host.log.notice(`Election period ended, leader=${pnnText(this.leader)}`);
    this.#settle();
    this.broadcast();
  }

  #begun(reason: string): void {
    this.#silence?.cancel();
    this.#attempt += 1;
    this.#host.journal.record({ kind: "election", reason });
  }

  #becomeLocking(lock: ClusterLock, reason: string): void {
    const host = this.#host;
    this.#begun(reason);
    const attempt = this.#attempt;
    if (!host.canLead()) {
      if (lock.held) this.#release(lock);
      this.#setLeader(UNKNOWN_PNN, `there is an election: ${reason}`);
      this.#settle();
      return;
    }
    if (lock.held) {
      // Holding on to it keeps the cluster stable; the others only need to hear so.
      this.#setLeader(host.pnn, "it still has the cluster lock");
      this.#settle();
      this.broadcast();
      return;
    }
    this.#state = { name: "locking", attempt };
    this.#setLeader(UNKNOWN_PNN, `there is an election: ${reason}`);
    host.changed();
    host.log.notice(`Attempting to take cluster lock (${lock.description})`);
    lock.attempt(LOCK_TIMEOUT_MS, (outcome) => {
      if (this.#state.name !== "locking" || this.#state.attempt !== attempt) return;
      this.#lockAnswered(lock, outcome);
    });
  }

  #lockAnswered(lock: ClusterLock, outcome: LockAttempt): void {
    const host = this.#host;
    const { journal } = host;
    const { description } = lock;
    const refused = (reason: string) =>
      journal.record({ kind: "lock_refused", lock: description, reason });
    switch (outcome.kind) {
      case "held":
        host.lockTaken(outcome.latencyMs);
        journal.record({
          kind: "lock_taken",
          lock: description,
          duration_ms: outcome.latencyMs,
        });
        if (host.canLead()) {
          this.#setLeader(host.pnn, "it has taken the cluster lock");
          host.log.notice(`Took cluster lock, leader=${host.pnn}`);
        } else {
          this.#release(lock);
        }
        break;
      case "contended":
        host.log.notice("Unable to take cluster lock - contention");
        refused("another node holds it");
        break;
      case "timeout":
        host.log.error("Unable to take cluster lock - timeout");
        refused("there was no answer in time");
        break;
      case "failed":
        host.log.error(`Unable to take cluster lock - ${outcome.reason}`);
        refused(outcome.reason);
        break;
      default:
        unreachable(outcome);
    }
    this.#settle();
    this.broadcast();
  }

  #lockLost(reason: string): void {
    if (this.#closed) return;
    this.#host.log.error(`Cluster lock lost: ${reason}`);
    const lock = this.#lock?.description ?? "";
    this.#host.journal.record({ kind: "lock_lost", lock, reason });
    this.#host.lockLost();
    if (this.leading) this.#setLeader(UNKNOWN_PNN, "it has lost the cluster lock");
    if (this.#host.canLead()) this.force("cluster lock lost");
    else this.#expectLeader();
  }

  #settle(): void {
    const wasInProgress = this.inProgress;
    this.#leaveState();
    this.#state = { name: "settled" };
    if (wasInProgress) this.completed += 1;
    this.#writeLeader();
    this.#expectLeader();
    this.#host.changed();
  }

  #leaveState(): void {
    if (this.#state.name !== "electing") return;
    this.#state.deadline.cancel();
    this.#state.answer?.cancel();
  }

  #setLeader(pnn: number, why: string): void {
    if (this.leader === pnn) return;
    this.leader = pnn;
    this.#why = why;
    // While messages are exchanged it is only who is ahead.
    if (this.#state.name !== "electing") this.#writeLeader();
    this.#host.changed();
  }

  #writeLeader(): void {
    const [before, after] = [this.#written, this.leader];
    if (before === after) return;
    this.#written = after;
    this.#host.journal.record({
      kind: "leader",
      before: before === UNKNOWN_PNN ? null : before,
      after: after === UNKNOWN_PNN ? null : after,
      reason: this.#why,
    });
  }

  #release(lock: ClusterLock, released?: () => void): void {
    if (lock.held) this.#host.journal.record({ kind: "lock_released", lock: lock.description });
    lock.release(released);
  }

  /** Unless this node leads, a leader must be heard within the leader timeout. */
  #expectLeader(): void {
    this.#silence?.cancel();
    if (this.leading || this.#closed) return;
    const { leaderTimeoutMs, random, timers } = this.#host;
    const delayMs = leaderTimeoutMs + byChance(random, SILENCE_DELAY_MS);
    this.#silence = timers.after(delayMs, () => {
      this.#host.log.notice("Leader broadcast timeout");
      this.#setLeader(UNKNOWN_PNN, `it was silent for ${leaderTimeoutMs / 1000} s`);
      if (this.#host.canLead()) this.force("leader broadcast timeout");
      else this.#expectLeader();
    });
  }
}

export function pnnText(pnn: number): string {
  return pnn === UNKNOWN_PNN ? "UNKNOWN" : String(pnn);
}
