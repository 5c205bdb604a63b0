/**
 * The way to the chains of one database: who may work on a record now, and who waits.
 *
 * Other processes hold chain locks too. Work that finds its chain held is parked; after a few tries
 * on timers a waiting thread is asked, and the work then runs under the marked lock. While the
 * database is frozen the gate is closed: everything is parked until it opens again.
 *
 * Invariants:
 * 1. Work of one chain runs in the order in which it came: nothing overtakes parked work of the same
 *    chain. So calls for a key also stay behind a data master change that waits for its lock.
 * 2. While the gate is closed no work runs and no lock wait is outstanding.
 * 3. Parked work ends: it runs, or it is dropped with a reason.
 * 4. A gate that has ended, since its database was detached, stays so: it grants nothing and drops what is
 *    parked at once. So work that outlives its database need not look: whoever asks is told.
 */
import type { Timer } from "../../platform/types/time.ts";
import type { LockWait, Tdb, TdbError, TdbResult } from "../../tdb/types.ts";
import { countLockWait, type MutableLocks } from "../database_statistics.ts";
import type { DatabaseHost } from "../host.ts";
import { LOCK_RETRY_DELAYS_MS, LOCK_WAIT_LOG_MS } from "../limits.ts";
import { type Budget, runSliced } from "../slices.ts";
import {
  LOCK_RETRY_MAX_MS,
  PARKED_BYTES_MAX,
  PARKED_RECORDS_FACTOR,
  PARKED_WORKS_MAX,
  WORKS_PER_LOCK_MAX,
} from "./limits.ts";
import { heldBy } from "./lock_holder.ts";

export interface ChainWork {
  /** Memory that it holds while parked. */
  readonly bytes: number;
  /** Local client that it serves, 0 for none. */
  readonly clientId: number;
  /** With it a record would be lost to everybody. */
  readonly carriesRecord?: boolean;
  /** Runs with the chain locked. False: another lock was busy and nothing was done; it is run again. */
  run(): boolean;
  /** It will never run. */
  drop(reason: string): void;
}

interface ChainQueue {
  readonly chain: number;
  works: ChainWork[];
  /** Works that were taken from the front already. */
  taken: number;
  tries: number;
  sinceMs: number;
  timer: Timer | undefined;
  wait: LockWait | undefined;
  endWait: ((durationMs: number, granted: boolean) => void) | undefined;
  logTimer: Timer | undefined;
  waitsForSlot: boolean;
}

export class ChainGate {
  readonly #host: DatabaseHost;
  readonly #tdb: Tdb;
  readonly #name: string;
  readonly #locks: readonly MutableLocks[];
  readonly #queues = new Map<number, ChainQueue>();
  /** Queues that want a waiting thread while all allowed ones are busy. */
  #slotQueue: ChainQueue[] = [];
  #activeWaits = 0;
  #parkedWorks = 0;
  #parkedBytes = 0;
  #open = true;
  /** Why nobody passes any more. */
  #ended: TdbError | undefined;

  constructor(host: DatabaseHost, tdb: Tdb, name: string, locks: MutableLocks) {
    this.#host = host;
    this.#tdb = tdb;
    this.#name = name;
    this.#locks = [locks, host.statistics.locks];
  }

  get isOpen(): boolean {
    return this.#open;
  }
  get parkedWorks(): number {
    return this.#parkedWorks;
  }
  get parkedBytes(): number {
    return this.#parkedBytes;
  }

  /** "granted": the chain is locked until `leave`. "busy": park the work. An error: it has failed. */
  enter(chain: number): "granted" | "busy" | TdbError {
    if (!this.#open) return this.#ended ?? "busy";
    if (this.#queues.size > 0 && this.#queues.has(chain)) return "busy";
    return this.#tdb.tryLockChain(chain, "write");
  }

  leave(chain: number): void {
    this.#tdb.unlockChain(chain);
  }

  /** Keeps the work until its chain is free and the gate is open. */
  park(chain: number, work: ChainWork): void {
    if (this.#ended !== undefined) {
      work.drop(this.#ended.reason);
      return;
    }
    const factor = work.carriesRecord === true ? PARKED_RECORDS_FACTOR : 1;
    if (
      this.#parkedWorks >= PARKED_WORKS_MAX * factor ||
      this.#parkedBytes + work.bytes > PARKED_BYTES_MAX * factor
    ) {
      work.drop(
        `database "${this.#name}" has ${this.#parkedWorks} requests (${this.#parkedBytes} bytes) waiting for locks, no more are accepted`,
      );
      return;
    }
    this.#parkedWorks += 1;
    this.#parkedBytes += work.bytes;
    let queue = this.#queues.get(chain);
    if (queue === undefined) {
      queue = this.#newQueue(chain);
      this.#queues.set(chain, queue);
      if (this.#open) this.#retryLater(queue);
    }
    queue.works.push(work);
  }

  /** Frozen: nothing runs any more. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    for (const queue of this.#queues.values()) this.#stopWaiting(queue);
    this.#slotQueue = [];
  }

  /** Thawed: what was parked runs, in slices, in later turns. */
  open(): void {
    if (this.#open || this.#ended !== undefined) return;
    this.#open = true;
    for (const queue of this.#queues.values()) {
      queue.tries = 0;
      queue.sinceMs = this.#host.clock.monotonicMs();
    }
    this.#resume([...this.#queues.values()]);
  }

  /** Each turn serves chains for one budget's time; sockets get their turn in between. */
  #resume(queues: readonly ChainQueue[]): void {
    let at = 0;
    const slice = (budget: Budget): "done" | "more" => {
      while (this.#open && at < queues.length) {
        const next = queues[at] as ChainQueue;
        at += 1;
        if (this.#queues.get(next.chain) === next && next.timer === undefined) this.#try(next);
        if (budget.spent) return "more";
      }
      return "done";
    };
    this.#host.slices.later(() => runSliced(this.#host, "parked calls", slice));
  }

  dropClient(clientId: number): void {
    this.#dropWhere((work) => work.clientId === clientId, "the client has gone");
  }

  /** For ever: the database goes away. */
  end(reason: string): void {
    this.#open = false;
    this.#ended = { code: "io", reason };
    this.#dropWhere(() => true, reason);
    for (const queue of [...this.#queues.values()]) {
      this.#stopWaiting(queue);
      this.#queues.delete(queue.chain);
    }
    this.#slotQueue = [];
  }

  #dropWhere(condition: (work: ChainWork) => boolean, reason: string): void {
    if (this.#parkedWorks === 0) return;
    for (const queue of this.#queues.values()) {
      const rest = queue.works.slice(queue.taken);
      const dropped = rest.filter(condition);
      if (dropped.length === 0) continue;
      queue.works = rest.filter((work) => !condition(work));
      queue.taken = 0;
      for (const work of dropped) {
        this.#unpark(work);
        work.drop(reason);
      }
    }
  }

  #newQueue(chain: number): ChainQueue {
    return {
      chain,
      works: [],
      taken: 0,
      tries: 0,
      sinceMs: this.#host.clock.monotonicMs(),
      timer: undefined,
      wait: undefined,
      endWait: undefined,
      logTimer: undefined,
      waitsForSlot: false,
    };
  }

  #retryLater(queue: ChainQueue): void {
    const delayMs = LOCK_RETRY_DELAYS_MS[queue.tries];
    queue.tries += 1;
    if (delayMs === undefined) this.#startWaiting(queue);
    else this.#tryAfter(queue, delayMs);
  }

  #tryAfter(queue: ChainQueue, delayMs: number): void {
    queue.timer = this.#host.timers.after(delayMs, () => {
      queue.timer = undefined;
      this.#host.trace.span("chain retry", () => this.#try(queue));
    });
  }

  #try(queue: ChainQueue): void {
    if (!this.#open || queue.wait !== undefined || queue.waitsForSlot) return;
    const locked = this.#tdb.tryLockChain(queue.chain, "write");
    if (locked === "busy") {
      this.#retryLater(queue);
      return;
    }
    if (locked !== "granted") {
      this.#fail(queue, locked);
      return;
    }
    const outcome = this.#runWorks(queue);
    this.#tdb.unlockChain(queue.chain);
    this.#continue(queue, outcome);
  }

  /** Runs parked work under the lock; "starved" when another lock (the freelist) was busy. */
  #runWorks(queue: ChainQueue): "empty" | "more" | "starved" {
    for (let count = 0; count < WORKS_PER_LOCK_MAX; count++) {
      const work = queue.works[queue.taken];
      if (work === undefined) break;
      // Taken out first: what it sends may end a client, which drops that client's parked work.
      queue.taken += 1;
      if (!work.run()) {
        if (queue.taken > 0) queue.taken -= 1;
        else queue.works.unshift(work);
        queue.works[queue.taken] = work;
        return "starved";
      }
      this.#unpark(work);
    }
    if (queue.taken < queue.works.length) return "more";
    return "empty";
  }

  #continue(queue: ChainQueue, outcome: "empty" | "more" | "starved"): void {
    if (outcome === "empty") {
      // Work may have been parked meanwhile by the work that ran.
      if (queue.taken >= queue.works.length) {
        this.#stopWaiting(queue);
        this.#queues.delete(queue.chain);
        return;
      }
    }
    if (queue.taken > WORKS_PER_LOCK_MAX) {
      queue.works = queue.works.slice(queue.taken);
      queue.taken = 0;
    }
    if (outcome === "starved") {
      queue.tries += 1;
      this.#logLongWait(queue);
      this.#tryAfter(queue, Math.min(queue.tries, LOCK_RETRY_MAX_MS));
      return;
    }
    queue.tries = 0;
    this.#resume([queue]);
  }

  #startWaiting(queue: ChainQueue): void {
    if (this.#activeWaits >= Math.max(1, this.#host.tunable("LockProcessesPerDB"))) {
      queue.waitsForSlot = true;
      this.#slotQueue.push(queue);
      for (const locks of this.#locks) locks.num_pending += 1;
      return;
    }
    this.#activeWaits += 1;
    queue.endWait = countLockWait(this.#locks);
    const wait = this.#host.lockWaiter.waitChain(this.#tdb, queue.chain, (outcome) =>
      this.#host.trace.span("chain granted", () => this.#granted(queue, wait, outcome)),
    );
    queue.wait = wait;
    this.#logLongWait(queue);
  }

  #granted(queue: ChainQueue, wait: LockWait, outcome: TdbResult<void>): void {
    if (queue.wait !== wait) {
      wait.release();
      return;
    }
    if (!outcome.ok) {
      this.#stopWaiting(queue, false);
      this.#fail(queue, outcome.error);
      return;
    }
    this.#tdb.markChain(queue.chain);
    const result = this.#runWorks(queue);
    this.#tdb.unmarkChain(queue.chain);
    this.#stopWaiting(queue, true);
    this.#continue(queue, result);
  }

  /** Gives lock, thread and timers back. */
  #stopWaiting(queue: ChainQueue, granted = false): void {
    queue.timer?.cancel();
    queue.timer = undefined;
    queue.logTimer?.cancel();
    queue.logTimer = undefined;
    if (queue.waitsForSlot) {
      queue.waitsForSlot = false;
      for (const locks of this.#locks) if (locks.num_pending > 0) locks.num_pending -= 1;
    }
    if (queue.wait === undefined) return;
    queue.wait.release();
    queue.wait = undefined;
    queue.endWait?.(this.#host.clock.monotonicMs() - queue.sinceMs, granted);
    queue.endWait = undefined;
    this.#activeWaits -= 1;
    this.#nextSlot();
  }

  #nextSlot(): void {
    if (!this.#open) return;
    for (let next = this.#slotQueue.shift(); next !== undefined; next = this.#slotQueue.shift()) {
      if (!next.waitsForSlot) continue;
      next.waitsForSlot = false;
      for (const locks of this.#locks) if (locks.num_pending > 0) locks.num_pending -= 1;
      this.#startWaiting(next);
      return;
    }
  }

  #fail(queue: ChainQueue, error: TdbError): void {
    const reason = `Cannot lock chain ${queue.chain} of database "${this.#name}": ${error.reason}`;
    this.#host.log.error(reason);
    this.#stopWaiting(queue);
    this.#queues.delete(queue.chain);
    for (const work of queue.works.slice(queue.taken)) {
      this.#unpark(work);
      work.drop(reason);
    }
  }

  #unpark(work: ChainWork): void {
    this.#parkedWorks -= 1;
    this.#parkedBytes -= work.bytes;
  }

  #logLongWait(queue: ChainQueue): void {
    queue.logTimer ??= this.#host.timers.after(LOCK_WAIT_LOG_MS, () => {
      queue.logTimer = undefined;
      const waitedSec = Math.round((this.#host.clock.monotonicMs() - queue.sinceMs) / 1000);
      const waiting = queue.works.length - queue.taken;
      const holder = heldBy(this.#host, this.#tdb, queue.chain);
      this.#host.databaseWarning(
        this.#name,
        "locked",
        `Unable to get RECORD lock on database ${this.#name} for ${waitedSec} seconds (chain ${queue.chain}, ${waiting} requests wait)${holder}`,
      );
      if (this.#queues.get(queue.chain) === queue) this.#logLongWait(queue);
    });
  }
}
