/**
 * One transaction of a handle: its overlay, the locks it holds, its commit.
 *
 * Invariants:
 * 1. While it lives the handle's pages are the overlay; `end` puts the file's own pages back and gives
 *    the locks back that the transaction itself took.
 * 2. "open" → "committing" → over; once writing has begun only the commit ends it.
 */
import type { SharedFile } from "../../platform/types/shared_files.ts";
import { BUSY, systemFailure, tdbFailure } from "../errors.ts";
import { LOCK } from "../format/format.ts";
import type { LockTable } from "../locks/lock_table.ts";
import type { DirectPages } from "../records/pages.ts";
import type { Space } from "../records/space.ts";
import type { WipedSpace } from "../records/wipe.ts";
import type { TdbResult } from "../types.ts";
import type { CommitLocks } from "./commit.ts";
import { OverlayPages } from "./overlay.ts";

const DONE: TdbResult<void> = { ok: true, value: undefined };

export class Transaction implements CommitLocks {
  readonly #file: SharedFile;
  readonly #space: Space;
  readonly #base: DirectPages;
  readonly #locks: LockTable;
  readonly #marked: boolean;
  #ownsMark = false;
  #holdsAll = false;
  #holdsTransactionLock = false;
  #holdsOpenLock = false;
  readonly overlay: OverlayPages;
  /** After a wipe that the file itself has given space for. */
  wiped: WipedSpace | undefined;
  state: "open" | "committing" | "writing" | "over" = "open";

  private constructor(
    file: SharedFile,
    space: Space,
    base: DirectPages,
    locks: LockTable,
    marked: boolean,
  ) {
    this.#file = file;
    this.#space = space;
    this.#base = base;
    this.#locks = locks;
    this.#marked = marked;
    this.overlay = new OverlayPages(base, space.pageSize);
  }

  /** Takes its locks by trying; what it could not get leaves nothing behind. */
  static begin(
    file: SharedFile,
    space: Space,
    base: DirectPages,
    locks: LockTable,
    marked: boolean,
  ): TdbResult<Transaction> {
    if (locks.holdsLists || (locks.holdsAll && !locks.allIsMarked)) {
      return tdbFailure("transaction_state", "a transaction cannot begin while locks are held");
    }
    const transaction = new Transaction(file, space, base, locks, marked || locks.allIsMarked);
    const locked = transaction.#lock();
    if (!locked.ok) {
      transaction.#unlock();
      return locked;
    }
    // Grown by others before the lock was ours.
    base.refresh();
    if (base.size !== transaction.overlay.size) {
      transaction.#unlock();
      return BUSY;
    }
    space.pages = transaction.overlay;
    return { ok: true, value: transaction };
  }

  #lock(): TdbResult<void> {
    const locks = this.#locks;
    if (this.#marked) {
      if (!locks.holdsAll) {
        locks.markAll();
        this.#ownsMark = true;
      }
      return DONE;
    }
    if (!locks.locksNothing) {
      const exclusive = this.#file.tryLockRange("write", LOCK.transaction, 1);
      if (exclusive === "busy") return BUSY;
      if (exclusive !== "granted") return systemFailure("lock for a transaction", exclusive);
      this.#holdsTransactionLock = true;
    }
    const all = locks.lockAll("read", true);
    if (all === "busy") return BUSY;
    if (all !== "granted") return systemFailure("lock all records", all);
    this.#holdsAll = true;
    return DONE;
  }

  /** Nobody else reads or writes the file: it was locked for writing before the transaction began. */
  get exclusive(): boolean {
    return this.#marked;
  }

  tryUpgrade(): TdbResult<boolean> {
    if (!this.#marked) {
      const upgraded = this.#locks.upgradeAll();
      if (upgraded === "busy") return { ok: true, value: false };
      if (upgraded !== "granted") return systemFailure("lock all records", upgraded);
    }
    if (this.#locks.locksNothing || this.#holdsOpenLock) return { ok: true, value: true };
    // Whoever opens the file now would find the journal and replay it.
    const opening = this.#file.tryLockRange("write", LOCK.open, 1);
    if (opening === "busy") return { ok: true, value: false };
    if (opening !== "granted") return systemFailure("lock out openers", opening);
    this.#holdsOpenLock = true;
    return { ok: true, value: true };
  }

  end(): void {
    if (this.state === "over") return;
    this.state = "over";
    this.#space.pages = this.#base;
    this.#space.growth = undefined;
    this.#base.refresh();
    this.#unlock();
  }

  #unlock(): void {
    if (this.#holdsOpenLock) this.#file.unlockRange(LOCK.open, 1);
    if (this.#holdsAll) this.#locks.unlockAll();
    if (this.#ownsMark) this.#locks.unmarkAll();
    if (this.#holdsTransactionLock) this.#file.unlockRange(LOCK.transaction, 1);
    this.#holdsOpenLock = false;
    this.#holdsAll = false;
    this.#ownsMark = false;
    this.#holdsTransactionLock = false;
  }
}
