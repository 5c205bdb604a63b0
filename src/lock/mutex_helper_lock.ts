/** The recovery daemon's cluster lock: a mutex helper process that lives as long as the lock is held. */
import { assert } from "../base/assert.ts";
import type { Timer } from "../platform/types/time.ts";
import type { ClusterLock, LockAttempt } from "./cluster_lock.ts";
import { PROOF_MS } from "./lock_proof.ts";
import { MutexHelper, type MutexHelperHandlers, type MutexHelperHost } from "./mutex_helper.ts";
import type { LockCommand } from "./mutex_helper_command.ts";

export class MutexHelperLock implements ClusterLock {
  readonly description: string;
  readonly #host: MutexHelperHost;
  readonly #command: LockCommand;
  #helper: MutexHelper | undefined;
  #held = false;
  #onLost: (reason: string) => void = () => {};
  readonly #proofMs: number;
  /** Who waits for the process of a released lock to be gone. */
  #released: (() => void)[] = [];
  /** A released helper that still runs. */
  #ending = false;
  /** An attempt that waits for it, within its own time. */
  #next: { start(): void; readonly deadline: Timer } | undefined;

  /** `proofMs`: how long a lock without a lease is ours by one answer of its helper. */
  constructor(
    host: MutexHelperHost,
    command: LockCommand,
    description: string,
    proofMs = PROOF_MS,
  ) {
    this.#host = host;
    this.#proofMs = proofMs;
    this.#command = command;
    this.description = description;
  }

  get held(): boolean {
    return this.#held;
  }

  get provenForMs(): number {
    return this.#held ? (this.#helper?.provenForMs ?? 0) : 0;
  }

  onLost(action: (reason: string) => void): void {
    this.#onLost = action;
  }

  attempt(timeoutMs: number, answered: (outcome: LockAttempt) => void): void {
    assert(this.#helper === undefined && this.#next === undefined, "one lock attempt at a time");
    if (!this.#ending) {
      this.#start(timeoutMs, answered);
      return;
    }
    const { clock, timers } = this.#host;
    const endMs = clock.monotonicMs() + timeoutMs;
    this.#next = {
      start: () => this.#start(Math.max(0, endMs - clock.monotonicMs()), answered),
      deadline: timers.after(timeoutMs, () => {
        this.#next = undefined;
        answered({ kind: "timeout" });
      }),
    };
  }

  release(released?: () => void): void {
    this.#takeNext();
    if (this.#helper === undefined && !this.#ending) {
      if (released !== undefined) this.#host.timers.soon(released);
      return;
    }
    if (released !== undefined) this.#released.push(released);
    const helper = this.#helper;
    this.#helper = undefined;
    this.#held = false;
    if (helper === undefined) return;
    this.#ending = true;
    helper.stop();
  }

  #start(timeoutMs: number, answered: (outcome: LockAttempt) => void): void {
    const handlers: MutexHelperHandlers = {
      answered: (outcome) => {
        if (helper !== this.#helper) return;
        this.#held = outcome.kind === "held";
        if (!this.#held) {
          this.#helper = undefined;
          this.#ending = true;
        }
        answered(outcome);
      },
      lost: (reason) => {
        if (helper !== this.#helper) return;
        this.#held = false;
        this.#helper = undefined;
        this.#ending = true;
        this.#onLost(reason);
      },
      ended: () => this.#ended(),
    };
    const helper = new MutexHelper(this.#host, this.#command, timeoutMs, handlers, this.#proofMs);
    this.#helper = helper;
  }

  #ended(): void {
    this.#ending = false;
    const released = this.#released;
    this.#released = [];
    for (const action of released) action();
    // One of them may have released again, or even begun an attempt.
    if (!this.#ending) this.#takeNext()?.start();
  }

  #takeNext() {
    const next = this.#next;
    this.#next = undefined;
    next?.deadline.cancel();
    return next;
  }
}
