/**
 * Writes the updates of one persistent or replicated database, each in one transaction of the file
 * (docs/database.md, "Updates").
 *
 *     idle ── add ──▶ opening ──▶ locking ──▶ storing ──▶ committing ──▶ idle, or the next update
 *                                  │   ▲ granted
 *                          busy    ▼   │
 *                                 waiting
 *
 * The transactions have an open file of their own, like another process: what this node reads meanwhile is
 * what was committed, never what may still fail, and its locks exclude this one's as anybody's.
 *
 * Invariants:
 * 1. One transaction at a time; updates are written in the order in which they came.
 * 2. All records of an update are compared and stored before the commit; one that may not be replaced
 *    refuses them all, and nothing was written.
 * 3. An update is answered when its commit is on disk (replicated: in the file), or was refused. Once the
 *    commit writes, only its own end answers.
 */
import { sameBytes } from "../../base/same_bytes.ts";
import { type ReplyLater, SUCCESS } from "../../control/control_request.ts";
import type { Timer } from "../../platform/types/time.ts";
import type { LockWait, SlicedWork, Tdb, TdbResult } from "../../tdb/types.ts";
import { SEQUENCE_KEY } from "../../wire/constants.ts";
import { ltdbReserved, setLtdbReserved } from "../../wire/records/ltdb_header.ts";
import type { RecBufferCursor } from "../../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import { ATTACH_RETRY_MS, ATTACH_TIMEOUT_MS } from "../attach/limits.ts";
import type { Database, Updates } from "../database.ts";
import { addLatency } from "../database_statistics.ts";
import type { DatabaseHost } from "../host.ts";
import { LOCK_RETRY_DELAYS_MS } from "../limits.ts";
import { RecordHeader } from "../record/record_header.ts";
import { retryWhileBusy } from "../retry_while_busy.ts";
import { type Budget, runSliced, runTdbWork, type SlicedRun } from "../slices.ts";
import { UPDATES_WAITING_BYTES_MAX, UPDATES_WAITING_MAX } from "./limits.ts";
import { mayReplace, NEWER_IS_HERE, updateFailure, updateRefusal } from "./update_record.ts";

interface Update {
  readonly records: RecBufferCursor;
  readonly reply: ReplyLater;
  readonly generation: number;
  readonly startedMs: number;
  deadline: Timer | undefined;
}

interface TransactionRefusal {
  readonly why: string;
}

const OPEN_LIMITS = { timeoutMs: ATTACH_TIMEOUT_MS, retryMs: ATTACH_RETRY_MS };

export class PersistentUpdates implements Updates {
  readonly #host: DatabaseHost;
  readonly #database: Database;
  readonly #own = new RecordHeader();
  readonly #given = new RecordHeader();
  #waiting: Update[] = [];
  #waitingBytes = 0;
  #current: Update | undefined;
  #tdb: Tdb | undefined;
  #timer: Timer | undefined;
  #wait: LockWait | undefined;
  #run: SlicedRun | undefined;
  #commit: SlicedWork<void> | undefined;
  #closed = false;

  constructor(host: DatabaseHost, database: Database) {
    this.#host = host;
    this.#database = database;
  }

  add(records: RecBufferCursor, reply: ReplyLater): void {
    const bytes = this.#waitingBytes + records.bytes.length;
    if (this.#waiting.length >= UPDATES_WAITING_MAX || bytes > UPDATES_WAITING_BYTES_MAX) {
      const why = `${this.#waiting.length} updates (${this.#waitingBytes} bytes) wait already`;
      reply(updateFailure(this.#database, why));
      return;
    }
    const startedMs = this.#host.clock.monotonicMs();
    const { generation } = this.#database;
    const update: Update = { records, reply, generation, startedMs, deadline: undefined };
    this.#host.statistics.childwrite_calls += 1;
    this.#host.statistics.pending_childwrite_calls += 1;
    const timeoutMs = this.#host.tunable("ControlTimeout") * 1000;
    update.deadline = this.#host.timers.after(timeoutMs, () => this.#giveUp(update));
    this.#waiting.push(update);
    this.#waitingBytes = bytes;
    if (this.#current === undefined) this.#next();
  }

  close(reason: string): void {
    this.#closed = true;
    this.#stopLocking();
    this.#run?.cancel();
    const updates = [...(this.#current === undefined ? [] : [this.#current]), ...this.#waiting];
    this.#current = undefined;
    this.#waiting = [];
    for (const update of updates) this.#answer(update, reason);
    this.#tdb?.close();
    this.#tdb = undefined;
  }

  #next(): void {
    const update = this.#waiting.shift();
    this.#current = update;
    if (update === undefined) return;
    this.#waitingBytes -= update.records.bytes.length;
    if (this.#tdb === undefined) this.#open(update);
    else this.#begin(update, this.#tdb, 0);
  }

  #open(update: Update): void {
    const { path, tdb } = this.#database;
    const options = { path, flags: tdb.flags, hashSize: 0, create: false };
    retryWhileBusy(
      this.#host,
      `database file "${path}"`,
      OPEN_LIMITS,
      () => this.#host.tdbs.open(options),
      (opened) => {
        if (!opened.ok) {
          if (this.#current === update) this.#finish(update, opened.error.reason);
        } else if (this.#closed || this.#current !== update) {
          // Given up meanwhile.
          opened.value.close();
        } else {
          opened.value.setMaxDead(this.#host.tunable("DatabaseMaxDead"));
          this.#tdb = opened.value;
          this.#begin(update, opened.value, 0);
        }
      },
    );
  }

  // --- locks

  #begin(update: Update, tdb: Tdb, tries: number): void {
    const outcome = this.#startTransaction(update, tdb, false);
    if (outcome !== "busy") {
      this.#started(update, tdb, outcome);
      return;
    }
    const delayMs = LOCK_RETRY_DELAYS_MS[tries];
    if (delayMs === undefined) this.#waitForLock(update, tdb);
    else this.#timer = this.#host.timers.after(delayMs, () => this.#begin(update, tdb, tries + 1));
  }

  /** "started", "busy", or why not. */
  #startTransaction(
    update: Update,
    tdb: Tdb,
    marked: boolean,
  ): "started" | "busy" | TransactionRefusal {
    const why = updateRefusal(this.#host, this.#database, update.generation);
    if (why !== undefined) return { why };
    this.#host.crashPoints?.at("begin-transaction", "before");
    const started = tdb.startTransaction({ marked });
    this.#host.crashPoints?.at("begin-transaction", "after");
    if (started.ok) return "started";
    return started.error.code === "busy" ? "busy" : { why: started.error.reason };
  }

  #started(update: Update, tdb: Tdb, outcome: "started" | TransactionRefusal): void {
    if (outcome === "started") this.#store(update, tdb);
    else this.#finish(update, outcome.why);
  }

  /** A thread waits; then all records are locked for us until the transaction is over. */
  #waitForLock(update: Update, tdb: Tdb): void {
    const wait = this.#host.lockWaiter.waitAll(tdb, (outcome) => {
      if (this.#wait !== wait) wait.release();
      else this.#host.trace.span("update granted", () => this.#granted(update, tdb, outcome));
    });
    this.#wait = wait;
  }

  #granted(update: Update, tdb: Tdb, granted: TdbResult<void>): void {
    if (!granted.ok) {
      this.#finish(update, granted.error.reason);
      return;
    }
    let outcome = this.#startTransaction(update, tdb, true);
    // The file has grown since it was last looked at: it can do so only once.
    if (outcome === "busy") outcome = this.#startTransaction(update, tdb, true);
    this.#started(update, tdb, outcome === "busy" ? { why: "its file is busy" } : outcome);
  }

  #stopLocking(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#wait?.release();
    this.#wait = undefined;
  }

  // --- the transaction

  #store(update: Update, tdb: Tdb): void {
    const { crashPoints } = this.#host;
    crashPoints?.at("store-records", "before");
    const run = runSliced(this.#host, "update records", (budget) => {
      const outcome = this.#storeSome(update.records, tdb, budget);
      if (outcome === "more") return "more";
      crashPoints?.at("store-records", "after");
      if (outcome === "done") this.#commitUpdate(update, tdb);
      else {
        tdb.cancelTransaction();
        this.#finish(update, outcome.problem);
      }
      return "done";
    });
    if (this.#current === update && this.#commit === undefined) this.#run = run;
  }

  #storeSome(
    records: RecBufferCursor,
    tdb: Tdb,
    budget: Budget,
  ): "done" | "more" | { readonly problem: string } {
    while (records.next()) {
      const problem = this.#storeOne(records.key(), records.data(), tdb);
      if (problem !== undefined) return { problem };
      if (budget.spent) return "more";
    }
    return records.error === undefined ? "done" : { problem: records.error };
  }

  #storeOne(key: Uint8Array, value: Uint8Array, tdb: Tdb): string | undefined {
    const given = this.#given;
    given.readFrom(value);
    const data = value.subarray(LTDB_HEADER_BYTES);
    const fetched = tdb.fetch(key);
    if (!fetched.ok) return fetched.error.reason;
    const old = fetched.value;
    const own = this.#own;
    // A record that is not there counts as one without data that nobody has written yet.
    if (old === undefined || old.length < LTDB_HEADER_BYTES) own.set(0, 0, 0, 0);
    else own.readFrom(old);
    const ownData = old?.subarray(LTDB_HEADER_BYTES) ?? data.subarray(0, 0);
    if (!mayReplace(own, ownData, given, data)) return NEWER_IS_HERE;
    if (old !== undefined && sameBytes(key, SEQUENCE_KEY)) keepRecoveries(old, value);
    const stored = tdb.store(key, value);
    return stored.ok ? undefined : stored.error.reason;
  }

  #commitUpdate(update: Update, tdb: Tdb): void {
    const work = tdb.commit();
    this.#commit = work;
    const run = runTdbWork(this.#host, "commit update", work, (outcome) => {
      if (!outcome.ok && tdb.inTransaction) tdb.cancelTransaction();
      this.#finish(update, outcome.ok ? undefined : outcome.error.reason);
    });
    if (this.#commit === work) this.#run = run;
  }

  /** Its time is over: it ends unless its commit writes already. */
  #giveUp(update: Update): void {
    if (this.#current !== update) {
      const at = this.#waiting.indexOf(update);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      this.#waitingBytes -= update.records.bytes.length;
      this.#answer(update, "its time is over");
      return;
    }
    this.#commit?.cancel();
    const tdb = this.#tdb;
    if (this.#commit === undefined) tdb?.cancelTransaction();
    if (tdb?.inTransaction === true) return;
    this.#run?.cancel();
    this.#finish(update, "its time is over");
  }

  #finish(update: Update, problem: string | undefined): void {
    this.#stopLocking();
    this.#run = undefined;
    this.#commit = undefined;
    this.#answer(update, problem);
    if (this.#waiting.length === 0) {
      this.#current = undefined;
      return;
    }
    // In a turn of its own, so that many small updates do not hold the loop.
    this.#host.timers.nextTurn(() => {
      if (!this.#closed) this.#next();
    });
  }

  #answer(update: Update, problem: string | undefined): void {
    update.deadline?.cancel();
    const { statistics, clock } = this.#host;
    statistics.pending_childwrite_calls -= 1;
    addLatency(statistics.childwrite_latency, clock.monotonicMs() - update.startedMs);
    if (problem === undefined) {
      this.#host.crashPoints?.at("answer-update", "before");
      update.reply(SUCCESS);
      this.#host.crashPoints?.at("answer-update", "after");
      return;
    }
    const refusal = updateFailure(this.#database, problem);
    this.#host.log.error(`${refusal.error}`);
    update.reply(refusal);
  }
}

/** Whoever began before a recovery commits with the header of before it. */
function keepRecoveries(old: Uint8Array, value: Uint8Array): void {
  if (old.length < LTDB_HEADER_BYTES) return;
  setLtdbReserved(value, 0, Math.max(ltdbReserved(old, 0), ltdbReserved(value, 0)));
}
