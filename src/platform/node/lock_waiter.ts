/**
 * Waits for TDB locks on threads, so that the event loop never blocks (docs/tdb.md, "Waiting for
 * locks"). A lock on all records is tried by the loop itself first: a freeze of a quiet database needs no
 * thread.
 *
 * Invariants:
 * 1. Of the waits of this process for one lock only the first holds it or is on a thread; the others follow
 *    in the order in which they came.
 * 2. A thread is used by one wait at a time, from the start of the wait to the release of the lock.
 * 3. `granted` is called at most once per wait, in a later turn, and never after `release`.
 *
 * Must not: terminate a thread that is not idle.
 */
import { tryingPrimitives } from "../../tdb/locks/lock_protocol.ts";
import {
  type LockWait,
  type LockWaiter,
  TDB_FLAGS,
  type Tdb,
  type TdbErrorCode,
  type TdbResult,
} from "../../tdb/types.ts";
import type { SharedFiles } from "../types/shared_files.ts";
import type { Timers } from "../types/time.ts";
import { type TakenLock, takeLock } from "./lock_attempt.ts";
import { ALL_RECORDS } from "./lock_messages.ts";
import { LockThread } from "./lock_thread.ts";

type Granted = (outcome: TdbResult<void>) => void;

const DONE: TdbResult<void> = { ok: true, value: undefined };
const THREADS_MAX = 256;
const IDLE_THREADS_MAX = 8;

export class ThreadLockWaiter implements LockWaiter {
  readonly #files: SharedFiles;
  readonly #timers: Timers;
  readonly #threadsMax: number;
  readonly #idle: LockThread[] = [];
  #threads = 0;
  /** Waits for one lock, first the one that holds it or is on a thread (or next to get one). */
  readonly #byLock = new Map<string, ThreadWait[]>();
  /** First of their lock, but all threads are busy. */
  readonly #threadless: ThreadWait[] = [];

  /** `files`: opened by the loop itself; each thread has its own. */
  constructor(files: SharedFiles, timers: Timers, options: { threadsMax?: number } = {}) {
    this.#files = files;
    this.#timers = timers;
    this.#threadsMax = options.threadsMax ?? THREADS_MAX;
  }

  waitChain(tdb: Tdb, chain: number, granted: Granted): LockWait {
    return this.#wait(tdb, chain, granted);
  }

  waitAll(tdb: Tdb, granted: Granted): LockWait {
    return this.#wait(tdb, ALL_RECORDS, granted);
  }

  /** Threads that exist now, idle ones included. */
  get threads(): number {
    return this.#threads;
  }

  #wait(tdb: Tdb, list: number, granted: Granted): LockWait {
    if ((tdb.flags & TDB_FLAGS.NOLOCK) !== 0) return new InstantWait(this.#timers, granted);
    const wait = new ThreadWait(this, tdb, list, granted);
    const queue = this.#byLock.get(wait.key);
    if (queue !== undefined) {
      queue.push(wait);
      return wait;
    }
    this.#byLock.set(wait.key, [wait]);
    this.#start(wait);
    return wait;
  }

  #start(wait: ThreadWait): void {
    if (!wait.takeNow()) this.#findThread(wait);
  }

  #findThread(wait: ThreadWait): void {
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      wait.start(idle);
      return;
    }
    if (this.#threads >= this.#threadsMax) {
      this.#threadless.push(wait);
      return;
    }
    this.#threads += 1;
    wait.start(new LockThread());
  }

  /** For the loop, which never waits. */
  takeAtOnce(path: string, list: number): TakenLock | undefined {
    const attempt = takeLock(this.#files, path, list, tryingPrimitives);
    return attempt.kind === "granted" ? attempt.lock : undefined;
  }

  soon(action: () => void): void {
    this.#timers.soon(action);
  }

  /** It is still the first of its lock. */
  startAgain(wait: ThreadWait): void {
    this.#findThread(wait);
  }

  /** The wait is over; the next for the same lock has its turn. May come twice. */
  leave(wait: ThreadWait): void {
    const starving = this.#threadless.indexOf(wait);
    if (starving !== -1) this.#threadless.splice(starving, 1);
    const queue = this.#byLock.get(wait.key);
    if (queue === undefined) return;
    const wasFirst = queue[0] === wait;
    const at = queue.indexOf(wait);
    if (at !== -1) queue.splice(at, 1);
    const next = queue[0];
    if (next === undefined) this.#byLock.delete(wait.key);
    else if (wasFirst) this.#start(next);
  }

  threadIsIdle(thread: LockThread): void {
    const next = this.#threadless.shift();
    if (next !== undefined) {
      next.start(thread);
      return;
    }
    if (this.#idle.length < IDLE_THREADS_MAX) {
      this.#idle.push(thread);
      return;
    }
    this.#threads -= 1;
    thread.end();
  }

  threadIsLost(): void {
    this.#threads -= 1;
    const next = this.#threadless.shift();
    if (next !== undefined) this.#findThread(next);
  }
}

/** A TDB that nobody locks. */
class InstantWait implements LockWait {
  #released = false;

  constructor(timers: Timers, granted: Granted) {
    timers.soon(() => {
      if (!this.#released) granted(DONE);
    });
  }

  release(): void {
    this.#released = true;
  }
}

class ThreadWait implements LockWait {
  readonly key: string;
  readonly #waiter: ThreadLockWaiter;
  readonly #tdb: Tdb;
  readonly #list: number;
  readonly #granted: Granted;
  #thread: LockThread | undefined;
  /** What the loop holds itself. */
  #taken: TakenLock | undefined;
  #over = false;

  constructor(waiter: ThreadLockWaiter, tdb: Tdb, list: number, granted: Granted) {
    this.#waiter = waiter;
    this.#tdb = tdb;
    this.#list = list;
    this.#granted = granted;
    this.key = `${list} ${tdb.path}`;
  }

  /** All records, when nobody is in the way. (Who waits for a chain has tried.) */
  takeNow(): boolean {
    if (this.#list !== ALL_RECORDS) return false;
    this.#taken = this.#waiter.takeAtOnce(this.#tdb.path, this.#list);
    if (this.#taken === undefined) return false;
    this.#waiter.soon(() => {
      if (!this.#over) this.#granted(DONE);
    });
    return true;
  }

  start(thread: LockThread): void {
    this.#thread = thread;
    let again = false;
    thread.wait(this.#tdb.path, this.#list, {
      granted: () => this.#granted(DONE),
      journal: () => {
        again = true;
      },
      failed: (code, reason) => this.#fail(code, reason),
      idle: () => {
        this.#waiter.threadIsIdle(thread);
        if (again && !this.#over) this.#replayAndStartAgain();
        else this.#waiter.leave(this);
      },
      lost: (reason) => {
        this.#waiter.threadIsLost();
        this.#waiter.leave(this);
        this.#fail("io", `Cannot wait for a lock of "${this.#tdb.path}": ${reason}`);
      },
    });
  }

  /** The lock was free, but a killed process has left a journal behind. */
  #replayAndStartAgain(): void {
    this.#thread = undefined;
    this.#tdb.recover((outcome) => {
      if (!outcome.ok && outcome.error.code !== "busy") {
        this.#waiter.leave(this);
        this.#fail(outcome.error.code, outcome.error.reason);
      } else if (!this.#over) {
        this.#waiter.startAgain(this);
      }
    });
  }

  #fail(code: TdbErrorCode, reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#granted({ ok: false, error: { code, reason } });
  }

  release(): void {
    if (this.#over) return;
    this.#over = true;
    this.#taken?.release();
    const thread = this.#thread;
    // A lock that is held is given back before the next wait starts: its thread can be used again. A
    // blocked thread notices later; nobody waits for that.
    if (thread === undefined || thread.release() === "called_off") this.#waiter.leave(this);
  }
}
