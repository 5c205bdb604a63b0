/**
 * Freezing one database: a lock on all of it, so that smbd blocks on the file; and the transaction of a recovery inside the frozen database.
 *
 *     thawed ── freeze ──▶ freezing ── granted ──▶ frozen ── start ──▶ in transaction
 *       ▲                     │                      │ ▲                   │    │ commit
 *       └──── thaw / failed ──┴──────────────────────┘ └── cancel, done ───┘    ▼
 *                                                      ▲                    committing
 *                                                      └──────── done ──────────┘
 *
 * Invariants:
 * 1. The gate of the database is closed while it is frozen. (Otherwise only a repack of the vacuum
 *    closes it, which a freeze ends first.)
 * 2. A transaction exists only while frozen. Nothing cancels or thaws while committing: what arrives
 *    then is refused (thaw, cancel) or waits for the end of the commit (freeze, start).
 * 3. Whoever asked to freeze is answered once.
 * 4. Records that became invalid with the node stay so until a commit while the node is active: a thaw
 *    alone brings nothing of the cluster.
 */
import { failure, type ReplyLater, SUCCESS } from "../../control/control_request.ts";
import type { Timer } from "../../platform/types/time.ts";
import type { LockWait, TdbResult } from "../../tdb/types.ts";
import { NODE_FLAGS_INACTIVE } from "../../wire/constants.ts";
import type { Database } from "../database.ts";
import { countLockWait } from "../database_statistics.ts";
import type { DatabaseHost } from "../host.ts";
import { LOCK_WAIT_LOG_MS } from "../limits.ts";
import { heldBy } from "../record/lock_holder.ts";
import { runTdbWork } from "../slices.ts";
import type { Freeze, FreezeState, TransactionState } from "./freeze_state.ts";

export class DatabaseFreeze implements Freeze {
  readonly #host: DatabaseHost;
  readonly #database: Database;
  #state: FreezeState = "thawed";
  #transaction: TransactionState = "none";
  #transactionId = 0;
  #waiters: ReplyLater[] = [];
  #afterCommit: (() => void)[] = [];
  #wait: LockWait | undefined;
  #endWait: ((durationMs: number, granted: boolean) => void) | undefined;
  #logTimer: Timer | undefined;
  #sinceMs = 0;
  /** What a pull or a push does when the ground under it changes. */
  readonly #interruptions = new Set<() => void>();

  constructor(host: DatabaseHost, database: Database) {
    this.#host = host;
    this.#database = database;
  }

  get state(): FreezeState {
    return this.#state;
  }
  get transaction(): TransactionState {
    return this.#transaction;
  }
  get sinceMs(): number {
    return this.#sinceMs;
  }
  get allowsAccess(): boolean {
    return this.#state === "thawed" || this.#transaction !== "none";
  }

  whenInterrupted(action: () => void): () => void {
    this.#interruptions.add(action);
    return () => this.#interruptions.delete(action);
  }

  interruptWork(): void {
    const actions = [...this.#interruptions];
    this.#interruptions.clear();
    for (const action of actions) action();
  }

  // --- freeze and thaw

  freeze(reply: ReplyLater): void {
    if (this.#database.detached) {
      reply(failure(this.#gone()));
      return;
    }
    if (this.#transaction === "committing") {
      this.#afterCommit.push(() => this.freeze(reply));
      return;
    }
    if (this.#state === "frozen") {
      reply(SUCCESS);
      return;
    }
    this.#waiters.push(reply);
    if (this.#state === "thawed") this.#beginFreeze();
  }

  #beginFreeze(): void {
    this.#state = "freezing";
    this.#database.vacuum?.cancel("it is being frozen");
    this.#host.log.notice(`Freeze db: ${this.#database.name}`);
    this.#sinceMs = this.#host.clock.monotonicMs();
    this.#database.recoveryRecords = 0;
    this.#endWait = countLockWait([this.#database.statistics.locks, this.#host.statistics.locks]);
    this.#logLongWait();
    this.#host.slices.nowOrLater(() => this.#waitForLock());
  }

  /** The first try looks at every mutex of the file: of many databases not all in one turn. */
  #waitForLock(): void {
    const wanted = this.#state === "freezing" && this.#wait === undefined;
    if (!wanted || this.#database.detached) return;
    const wait = this.#host.lockWaiter.waitAll(this.#database.tdb, (outcome) =>
      this.#host.trace.span("freeze granted", () => this.#granted(wait, outcome)),
    );
    this.#wait = wait;
  }

  #granted(wait: LockWait, outcome: TdbResult<void>): void {
    if (this.#wait !== wait || this.#state !== "freezing") {
      wait.release();
      return;
    }
    this.#endLockWait(outcome.ok);
    if (!outcome.ok) {
      const reason = `Cannot freeze database "${this.#database.name}": ${outcome.error.reason}`;
      this.#host.log.error(reason);
      this.#becomeThawed(reason);
      return;
    }
    this.#state = "frozen";
    this.#database.gate.close();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const reply of waiters) reply(SUCCESS);
  }

  thaw(): string | undefined {
    if (this.#transaction === "committing") {
      return `Cannot thaw database "${this.#database.name}": a commit is running`;
    }
    this.#becomeThawed(`database "${this.#database.name}" was thawed before it was frozen`);
    return undefined;
  }

  #becomeThawed(reason: string): void {
    const wasFrozen = this.#state === "frozen";
    this.interruptWork();
    this.#cancelTransaction();
    this.#endLockWait(false);
    this.#wait?.release();
    this.#wait = undefined;
    this.#state = "thawed";
    this.#database.frozenFor = undefined;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const reply of waiters) reply(failure(reason));
    if (wasFrozen) this.#database.gate.open();
  }

  release(): void {
    this.interruptWork();
    if (this.#transaction === "started") this.#cancelTransaction();
    this.#endLockWait(false);
    this.#wait?.release();
    this.#wait = undefined;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const reply of waiters) reply(failure(this.#gone()));
  }

  #gone(): string {
    return `database "${this.#database.name}" was closed`;
  }

  #endLockWait(granted: boolean): void {
    this.#endWait?.(this.#host.clock.monotonicMs() - this.#sinceMs, granted);
    this.#endWait = undefined;
    this.#logTimer?.cancel();
    this.#logTimer = undefined;
  }

  #logLongWait(): void {
    this.#logTimer = this.#host.timers.after(LOCK_WAIT_LOG_MS, () => {
      const waitedSec = Math.round((this.#host.clock.monotonicMs() - this.#sinceMs) / 1000);
      const { name, tdb } = this.#database;
      const holder = heldBy(this.#host, tdb, undefined);
      const text = `Unable to get DB lock on database ${name} for ${waitedSec} seconds${holder}`;
      this.#host.databaseWarning(name, "locked", text);
      this.#logLongWait();
    });
  }

  // --- the transaction of a recovery

  startTransaction(id: number, reply: ReplyLater): string | undefined | "later" {
    if (this.#database.detached) return this.#gone();
    if (this.#transaction === "committing") {
      this.#afterCommit.push(() => {
        const refused = this.startTransaction(id, reply);
        if (refused !== "later") reply(refused === undefined ? SUCCESS : failure(refused));
      });
      return "later";
    }
    if (this.#state !== "frozen") return this.#notFrozen("start a transaction");
    this.interruptWork();
    this.#cancelTransaction();
    const started = this.#startTransaction();
    if (!started.ok && started.error.code === "busy") {
      this.#undoLeftCommit((undone) => {
        const refused = this.#started(id, undone.ok ? this.#startTransaction() : undone);
        reply(refused === undefined ? SUCCESS : failure(refused));
      });
      return "later";
    }
    return this.#started(id, started);
  }

  #started(id: number, started: TdbResult<void>): string | undefined {
    if (!started.ok) {
      return `Cannot start a transaction on database "${this.#database.name}": ${started.error.reason}`;
    }
    this.#transaction = "started";
    this.#transactionId = id;
    return undefined;
  }

  /**
   * A commit that failed while the database stayed frozen, and that could not be undone at once, has left its
   * journal. Nobody else can undo it, since we hold the lock on all records. For everybody who asks
   * meanwhile it is still that commit.
   */
  #undoLeftCommit(finished: (outcome: TdbResult<void>) => void): void {
    this.#transaction = "committing";
    this.#database.tdb.recover(
      (outcome) => {
        this.#transaction = "none";
        finished(outcome);
        this.#endCommit();
      },
      { marked: true },
    );
  }

  /** "busy" here says that the file has grown since it was last looked at: look again. */
  #startTransaction(): TdbResult<void> {
    const first = this.#database.tdb.startTransaction({ marked: true });
    if (first.ok || first.error.code !== "busy") return first;
    return this.#database.tdb.startTransaction({ marked: true });
  }

  cancel(): string | undefined {
    if (this.#transaction === "committing") {
      return `Cannot cancel the transaction on database "${this.#database.name}": a commit is running`;
    }
    // Like the original: a coordinator cancels without knowing whether its start arrived.
    if (this.#transaction === "none") return undefined;
    this.interruptWork();
    this.#cancelTransaction();
    return undefined;
  }

  #cancelTransaction(): void {
    if (this.#transaction === "none") return;
    this.#database.tdb.cancelTransaction();
    this.#transaction = "none";
  }

  transactionProblem(id: number, doing: string): string | undefined {
    if (this.#state !== "frozen") return this.#notFrozen(doing);
    if (this.#transaction === "none") {
      return `Cannot ${doing} database "${this.#database.name}": no transaction was started`;
    }
    if (this.#transaction === "committing") {
      return `Cannot ${doing} database "${this.#database.name}": a commit is running`;
    }
    if (id !== this.#transactionId) {
      return `Cannot ${doing} database "${this.#database.name}": transaction ${id} is not the started one, ${this.#transactionId}`;
    }
    return undefined;
  }

  commit(finished: (problem: string | undefined) => void): void {
    this.interruptWork();
    this.#transaction = "committing";
    const work = this.#database.tdb.commit();
    runTdbWork(this.#host, "commit", work, (outcome) => this.#becomeCommitted(outcome, finished));
  }

  #becomeCommitted(
    outcome: TdbResult<void>,
    finished: (problem: string | undefined) => void,
  ): void {
    // A failed commit has ended its transaction, too: the file is as it was before.
    if (!outcome.ok && this.#database.tdb.inTransaction) this.#database.tdb.cancelTransaction();
    this.#transaction = "none";
    if (outcome.ok) {
      this.#database.generation = this.#transactionId;
      this.#database.contentGeneration = this.#transactionId;
      this.#host.recoveryCommitted();
      // What a node gets while it is out of the cluster is worth as little as what it had, also in a database
      // that it has attached meanwhile.
      const { kind } = this.#database;
      this.#database.invalidRecords = kind === "volatile" && this.#ownInactive();
    }
    finished(
      outcome.ok
        ? undefined
        : `Cannot commit the transaction on database "${this.#database.name}": ${outcome.error.reason}`,
    );
    this.#endCommit();
  }

  #endCommit(): void {
    const waiting = this.#afterCommit;
    this.#afterCommit = [];
    for (const action of waiting) action();
  }

  #ownInactive(): boolean {
    return (this.#host.nodeFlags(this.#host.pnn) & NODE_FLAGS_INACTIVE) !== 0;
  }

  #notFrozen(doing: string): string {
    return `Cannot ${doing}: database "${this.#database.name}" is not frozen`;
  }
}
