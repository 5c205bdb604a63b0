/**
 * The cluster lock of a simulated cluster: a lock service that answers after a while, gives
 * the lock back when its holder dies, can be taken away, and can be out of reach, slow, or without its file. It may
 * also lie for a while: a holder believes that it has what others can take. It remembers who holds it, for the checkers.
 */
import { assert } from "../../src/base/assert.ts";
import type { ClusterLock, LockAttempt } from "../../src/lock/cluster_lock.ts";
import {
  type ClusterLockProbe,
  PROBE_TIMEOUT_MS,
  type ProbeOutcome,
} from "../../src/lock/cluster_lock_probe.ts";
import type { Timer } from "../../src/platform/types/time.ts";
import type { SeededRandom } from "./random.ts";
import type { Scheduler, SimProcess } from "./scheduler.ts";

const ANSWER_MIN_MS = 1;
const ANSWER_MAX_MS = 30;
/** A cluster file system frees the locks of a dead node only after a while. */
const DEATH_RELEASE_MAX_MS = 2000;

/** So long it takes to see that the service is out of reach. */
const OUT_OF_REACH_MS = 10_000;

/** How often a holder makes sure that it still runs, and how long that counts. */
const PROOF_TICK_MS = 1000;
const PROOF_MS = 5000;

interface Attempt {
  readonly startMs: number;
  sent: boolean;
  readonly deadline: Timer;
  answered(outcome: LockAttempt): void;
}

export class LockService {
  holder: SimLock | undefined;
  /** Nobody reaches it: attempts fail, what is held stays held. */
  down = false;
  /** What is asked of it takes up to so much longer. */
  slowMs = 0;
  /** Its file is not where it should be: attempts fail at once. */
  fileMissing = false;
  /** Nodes that do not reach it, while others do. */
  readonly outOfReachOf = new Set<number>();
  /** They hold nothing, and have not been told. */
  readonly #deceived = new Set<SimLock>();
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

  /** The probe of one node's ctdbd. */
  probeOf(owner: SimProcess): ClusterLockProbe {
    return {
      probe: (answered) => {
        const startMs = this.#scheduler.nowMs;
        const answer = (outcome: ProbeOutcome) =>
          answered(outcome, (this.#scheduler.nowMs - startMs) / 1000);
        this.answerAfter(owner, () => {
          if (this.down)
            owner.timers.after(PROBE_TIMEOUT_MS - ANSWER_MAX_MS, () => answer("timeout"));
          else answer(this.holder === undefined ? "taken" : "contended");
        });
      },
    };
  }

  /** The holder loses it, and hears of it a moment later, when it runs. */
  revoke(): void {
    const lost = this.holder;
    this.holder = undefined;
    if (lost !== undefined) this.#later(lost.owner, ANSWER_MAX_MS, () => lost.notifyLost());
  }

  /** The holder goes on as if it still had the lock, which others can take, and hears the truth so much later. */
  lie(forMs: number): void {
    const deceived = this.holder;
    if (deceived === undefined) return;
    this.holder = undefined;
    this.#deceived.add(deceived);
    this.#scheduler.at(deceived.owner, this.#scheduler.nowMs + forMs, () => this.#tell(deceived));
  }

  /** It answers at once, and those who hold nothing hear so. */
  healAll(): void {
    this.down = false;
    this.slowMs = 0;
    this.fileMissing = false;
    this.outOfReachOf.clear();
    for (const deceived of this.#deceived) {
      this.#later(deceived.owner, ANSWER_MAX_MS, () => this.#tell(deceived));
    }
  }

  #tell(deceived: SimLock): void {
    if (this.#deceived.delete(deceived)) deceived.notifyLost();
  }

  answerAfter(owner: SimProcess, action: () => void): void {
    this.#later(owner, ANSWER_MAX_MS + this.slowMs, action);
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
  attempts = 0;
  readonly #service: LockService;
  #held = false;
  /** Who waits for an answer. */
  #attempt: Attempt | undefined;
  /** Releases that the service has not heard of; an attempt waits for them. */
  #releasing = 0;
  #lost: ((reason: string) => void) | undefined;
  /** When its process last ran for certain. */
  #ranMs = 0;

  constructor(service: LockService, owner: SimProcess, pnn: number) {
    this.#service = service;
    this.owner = owner;
    this.pnn = pnn;
    owner.timers.every(PROOF_TICK_MS, () => this.#ran());
  }

  #ran(): void {
    this.#ranMs = this.owner.clock.monotonicMs();
  }

  get provenForMs(): number {
    return this.#held ? this.#ranMs + PROOF_MS - this.owner.clock.monotonicMs() : 0;
  }

  /** As far as the holder knows. */
  get held(): boolean {
    return this.#held;
  }

  attempt(timeoutMs: number, answered: (outcome: LockAttempt) => void): void {
    assert(this.#attempt === undefined && !this.#held, "one lock attempt at a time");
    const startMs = this.owner.clock.monotonicMs();
    const attempt: Attempt = {
      startMs,
      sent: false,
      deadline: this.owner.timers.after(timeoutMs, () =>
        this.#answer(attempt, { kind: "timeout" }),
      ),
      answered,
    };
    this.#attempt = attempt;
    this.attempts += 1;
    this.#send();
  }

  release(released?: () => void): void {
    this.#attempt?.deadline.cancel();
    this.#attempt = undefined;
    this.#held = false;
    this.#releasing += 1;
    this.#service.answerAfter(this.owner, () => {
      if (this.#service.holder === this) this.#service.holder = undefined;
      this.#releasing -= 1;
      released?.();
      this.#send();
    });
  }

  #send(): void {
    const attempt = this.#attempt;
    if (attempt === undefined || attempt.sent || this.#releasing > 0) return;
    attempt.sent = true;
    this.#service.answerAfter(this.owner, () => this.#ask(attempt));
  }

  #ask(attempt: Attempt): void {
    if (attempt !== this.#attempt) return;
    const service = this.#service;
    if (service.down || service.outOfReachOf.has(this.pnn)) {
      const failed = { kind: "failed", reason: "out of reach" } as const;
      this.owner.timers.after(OUT_OF_REACH_MS, () => this.#answer(attempt, failed));
    } else if (service.fileMissing) {
      this.#answer(attempt, { kind: "failed", reason: "no such file" });
    } else if (service.holder !== undefined) {
      this.#answer(attempt, { kind: "contended" });
    } else {
      service.holder = this;
      const latencyMs = this.owner.clock.monotonicMs() - attempt.startMs;
      this.#answer(attempt, { kind: "held", latencyMs });
    }
  }

  #answer(attempt: Attempt, outcome: LockAttempt): void {
    if (attempt !== this.#attempt) return;
    attempt.deadline.cancel();
    this.#attempt = undefined;
    this.#held = outcome.kind === "held";
    this.#ran();
    attempt.answered(outcome);
  }

  onLost(action: (reason: string) => void): void {
    this.#lost = action;
  }

  notifyLost(): void {
    if (!this.#held || this.#service.holder === this) return;
    this.#held = false;
    this.#lost?.("it was taken away");
  }
}
