/**
 * The cluster lock through a mutex helper process: `[cluster] cluster lock = FILE` with the fcntl
 * helper of this installation, or `!COMMAND ARGS` with any program that speaks the helper
 * protocol.
 */
import { assert } from "../base/assert.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { ClusterLock, ClusterLockProbe, LockAttempt } from "./cluster_lock.ts";
import { MutexHelper, type MutexHelperHost } from "./mutex_helper.ts";

const FCNTL_HELPER = "ctdb_mutex_fcntl_helper";
/** Time in which ctdbd's probe must find that the lock is taken. */
const PROBE_TIMEOUT_MS = 5000;

export type LockCommand = readonly [string, ...string[]];

/** What to run for a configured value; words of a command are separated by blanks and tabs. */
export function lockCommand(configured: string, helperDirectory: string): Result<LockCommand> {
  if (!configured.startsWith("!")) {
    if (configured === "") return err(`expected a path or !command, got ""`);
    return ok([`${helperDirectory}/${FCNTL_HELPER}`, configured]);
  }
  const [program, ...args] = configured
    .slice(1)
    .split(/[ \t]+/)
    .filter((word) => word !== "");
  if (program === undefined) return err(`expected a command after "!", got "${configured}"`);
  return ok([program, ...args]);
}

export class HelperLock implements ClusterLock {
  readonly description: string;
  readonly #host: MutexHelperHost;
  readonly #command: LockCommand;
  #helper: MutexHelper | undefined;
  #held = false;
  #onLost: () => void = () => {};
  /** Who waits for the process of a released lock to be gone. */
  #released: (() => void)[] = [];
  /** A released helper that still runs. */
  #ending = false;
  /** An attempt that waits for it. */
  #next: (() => void) | undefined;

  constructor(host: MutexHelperHost, command: LockCommand, description: string) {
    this.#host = host;
    this.#command = command;
    this.description = description;
  }

  get held(): boolean {
    return this.#held;
  }

  onLost(action: () => void): void {
    this.#onLost = action;
  }

  attempt(timeoutMs: number, answered: (outcome: LockAttempt) => void): void {
    assert(this.#helper === undefined && this.#next === undefined, "one lock attempt at a time");
    if (this.#ending) {
      this.#next = () => this.#start(timeoutMs, answered);
      return;
    }
    this.#start(timeoutMs, answered);
  }

  release(released?: () => void): void {
    this.#next = undefined;
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
    const helper = new MutexHelper(this.#host, this.#command, timeoutMs, {
      answered: (outcome) => {
        if (helper !== this.#helper) return;
        this.#held = outcome.kind === "held";
        if (!this.#held) {
          this.#helper = undefined;
          this.#ending = true;
        }
        answered(outcome);
      },
      lost: () => {
        if (helper !== this.#helper) return;
        this.#held = false;
        this.#helper = undefined;
        this.#ending = true;
        this.#onLost();
      },
      ended: () => this.#ended(),
    });
    this.#helper = helper;
  }

  #ended(): void {
    this.#ending = false;
    const released = this.#released;
    this.#released = [];
    for (const action of released) action();
    const next = this.#next;
    this.#next = undefined;
    next?.();
  }
}

/** ctdbd's test of the lock, a helper of its own for each. */
export class HelperLockProbe implements ClusterLockProbe {
  readonly #host: MutexHelperHost;
  readonly #command: LockCommand;

  constructor(host: MutexHelperHost, command: LockCommand) {
    this.#host = host;
    this.#command = command;
  }

  probe(answered: (outcome: LockAttempt) => void): { cancel(): void } {
    const helper = new MutexHelper(this.#host, this.#command, PROBE_TIMEOUT_MS, {
      answered: (outcome) => {
        helper.stop();
        answered(outcome);
      },
      lost: () => {},
      ended: () => {},
    });
    return { cancel: () => helper.stop() };
  }
}
