/**
 * The cluster lock of a simulated cluster: a correct lock service that answers after a while, gives the lock
 * back when its holder dies, and can be taken away. It remembers who holds it, for the checkers.
 */
import type { ClusterLock, LockAttempt } from "../../src/cluster/cluster_lock.ts";
import type { SeededRandom } from "./random.ts";
import type { Scheduler, SimProcess } from "./scheduler.ts";

const ANSWER_MIN_MS = 1;
const ANSWER_MAX_MS = 30;
/** A cluster file system frees the locks of a dead node only after a while. */
const DEATH_RELEASE_MAX_MS = 2000;

export class LockService {
  holder: SimLock | undefined;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #kernel: SimProcess;
  #revoked: { pnn: number; atMs: number } | undefined;

  constructor(scheduler: Scheduler, random: SeededRandom, kernel: SimProcess) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#kernel = kernel;
  }

  clientOf(owner: SimProcess, pnn: number): SimLock {
    const lock = new SimLock(this, owner, pnn);
    owner.onDeath(() => {
      if (this.holder !== lock) return;
      this.later(DEATH_RELEASE_MAX_MS, () => {
        if (this.holder === lock) this.holder = undefined;
      });
    });
    return lock;
  }

  /** It lost the lock and has perhaps not heard of it yet. */
  recentlyRevoked(pnn: number): boolean {
    return this.#revoked?.pnn === pnn && this.#scheduler.nowMs - this.#revoked.atMs <= ANSWER_MAX_MS;
  }

  /** The holder loses it, and hears of it a moment later. */
  revoke(): void {
    const lost = this.holder;
    this.holder = undefined;
    if (lost !== undefined) this.#revoked = { pnn: lost.pnn, atMs: this.#scheduler.nowMs };
    if (lost !== undefined) this.later(ANSWER_MAX_MS, () => lost.notifyLost());
  }

  later(limitMs: number, action: () => void): void {
    const delay = this.#random.between(ANSWER_MIN_MS, limitMs);
    this.#scheduler.at(this.#kernel, this.#scheduler.nowMs + delay, action);
  }

  answerAfter(owner: SimProcess, action: () => void): void {
    const delay = this.#random.between(ANSWER_MIN_MS, ANSWER_MAX_MS);
    this.#scheduler.at(owner, this.#scheduler.nowMs + delay, action);
  }
}

export class SimLock implements ClusterLock {
  readonly description = "simulated lock";
  readonly pnn: number;
  readonly #service: LockService;
  readonly #owner: SimProcess;
  #held = false;
  #attempt = 0;
  #lost: (() => void) | undefined;

  constructor(service: LockService, owner: SimProcess, pnn: number) {
    this.#service = service;
    this.#owner = owner;
    this.pnn = pnn;
  }

  get held(): boolean {
    return this.#held;
  }

  attempt(_timeoutMs: number, answered: (outcome: LockAttempt) => void): void {
    const attempt = ++this.#attempt;
    this.#service.answerAfter(this.#owner, () => {
      if (attempt !== this.#attempt) return;
      if (this.#service.holder !== undefined) return answered({ kind: "contended" });
      this.#service.holder = this;
      this.#held = true;
      answered({ kind: "held", latencyMs: 1 });
    });
  }

  release(released?: () => void): void {
    this.#attempt += 1;
    this.#held = false;
    this.#service.answerAfter(this.#owner, () => {
      if (this.#service.holder === this && !this.#held) this.#service.holder = undefined;
      released?.();
    });
  }

  onLost(action: () => void): void {
    this.#lost = action;
  }

  notifyLost(): void {
    if (!this.#held || !this.#owner.alive) return;
    this.#held = false;
    this.#lost?.();
  }
}
