/**
 * The journal of a commit that was cut short, as a handle that met it sees it: one replay at a time beside
 * the handle, and who waits for it.
 *
 * Invariants:
 * 1. A failure of the replay is told once to the operation that meets the journal next; the one after that
 *    starts another replay.
 * 2. After `close()` nobody is called.
 * 3. A replay under a lock that the caller holds ends with `close()` at the latest. One that tries to lock by
 *    itself may be under way as well: it gets nowhere meanwhile.
 */
import { BUSY, type TdbFailure } from "../errors.ts";
import type { TdbResult } from "../types.ts";
import {
  JournalRecovery,
  type RecoverySurroundings,
  type RecoveryTarget,
} from "./journal_recovery.ts";

export class LeftJournal {
  readonly #target: RecoveryTarget;
  readonly #around: RecoverySurroundings;
  #replaying = false;
  #failure: TdbFailure | undefined;
  #watchers: ((outcome: TdbResult<void>) => void)[] = [];
  #marked: JournalRecovery | undefined;
  #closed = false;

  constructor(target: RecoveryTarget, around: RecoverySurroundings) {
    this.#target = target;
    this.#around = around;
  }

  /** What an operation answers that has met the journal. */
  refuse(): TdbFailure {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return failure;
    this.#start();
    return BUSY;
  }

  /** See Tdb.recover. */
  replay(finished: (outcome: TdbResult<void>) => void): void {
    this.#watchers.push(finished);
    this.#start();
  }

  /** The caller holds all records until `finished`. */
  replayMarked(finished: (outcome: TdbResult<void>) => void): void {
    const target = { ...this.#target, noLock: true };
    this.#marked = new JournalRecovery(target, this.#around, (outcome) => {
      this.#marked = undefined;
      if (!this.#closed) finished(outcome);
    });
  }

  close(): void {
    this.#closed = true;
    this.#marked?.cancel();
  }

  #start(): void {
    if (this.#replaying) return;
    this.#replaying = true;
    new JournalRecovery(this.#target, this.#around, (outcome) => {
      this.#replaying = false;
      this.#failure = outcome.ok || outcome.error.code === "busy" ? undefined : outcome;
      const watchers = this.#watchers;
      this.#watchers = [];
      if (this.#closed) return;
      for (const watcher of watchers) watcher(outcome);
    });
  }
}
