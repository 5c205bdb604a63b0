/**
 * The cluster lock of a simulated cluster: a correct lock service that answers after a while, gives
 * the lock back when its holder dies, can be taken away, and can be out of reach. It remembers who
 * holds it, for the checkers.
 */
import type { ClusterLock, LockAttempt } from "../../src/lock/cluster_lock.ts";
import type { SeededRandom } from "./random.ts";
import type { Scheduler, SimProcess } from "./scheduler.ts";

const ANSWER_MIN_MS = 1;
const ANSWER_MAX_MS = 30;
/** A cluster file system frees the locks of a dead node only after a while. */
const DEATH_RELEASE_MAX_MS = 2000;

export class LockService {
  holder: SimLock | undefined;
  /** Nobody reaches it: attempts fail, what is held stays held. */
  down = false;
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #kernel: SimProcess;

  constructor(scheduler: Scheduler, random: SeededRandom, kernel: SimProcess) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#kernel = kernel;
  }

  clientOf(owner: SimProcess, pnn: number): SimLock {
    const lock = new SimLock(this, owner, pnn);
    owner.onDeath(() => {
      if (this.holder !== lock) return;
      this.#later(this.#kernel, DEATH_RELEASE_MAX_MS, () => {
        if (this.holder === lock) this.holder = undefined;
      });
    });
    return lock;
  }

  /** The holder loses it, and hears of it a moment later, when it runs. */
  revoke(): void {
    const lost = this.holder;
    this.holder = undefined;
    if (lost !== undefined) this.#later(lost.owner, ANSWER_MAX_MS, () => lost.notifyLost());
  }

  answerAfter(owner: SimProcess, action: () => void): void {
    this.#later(owner, ANSWER_MAX_MS, action);
  }

  #later(owner: SimProcess, limitMs: number, action: () => void): void {
    const delayMs = this.#random.between(ANSWER_MIN_MS, limitMs);
    this.#scheduler.at(owner, this.#scheduler.nowMs + delayMs, action);
  }
}

export class SimLock implements ClusterLock {
  readonly description = "simulated lock";
  readonly pnn: number;
  readonly owner: SimProcess;
  readonly #service: LockService;
  #held = false;
  #attempt = 0;
  #lost: (() => void) | undefined;

  constructor(service: LockService, owner: SimProcess, pnn: number) {
    this.#service = service;
    this.owner = owner;
    this.pnn = pnn;
  }

  /** As far as the holder knows. */
  get held(): boolean {
    return this.#held;
  }

  attempt(timeoutMs: number, answered: (outcome: LockAttempt) => void): void {
    const attempt = ++this.#attempt;
    const service = this.#service;
    service.answerAfter(this.owner, () => {
      if (attempt !== this.#attempt) return;
      if (service.down) {
        const delayMs = Math.min(timeoutMs, 10_000);
        this.owner.timers.after(delayMs, () => {
          if (attempt === this.#attempt) answered({ kind: "failed", reason: "out of reach" });
        });
        return;
      }
      if (service.holder !== undefined) return answered({ kind: "contended" });
      service.holder = this;
      this.#held = true;
      answered({ kind: "held", latencyMs: 1 });
    });
  }

  release(released?: () => void): void {
    this.#attempt += 1;
    this.#held = false;
    this.#service.answerAfter(this.owner, () => {
      if (this.#service.holder === this && !this.#held) this.#service.holder = undefined;
      released?.();
    });
  }

  onLost(action: () => void): void {
    this.#lost = action;
  }

  notifyLost(): void {
    if (!this.#held || this.#service.holder === this) return;
    this.#held = false;
    this.#lost?.();
  }
}
