/**
 * The transaction of one open handle, from its begin to its end: at most one at a time (docs/tdb.md,
 * "Transactions and the journal").
 *
 * Invariants:
 * 1. While a commit runs nothing can be changed; reads see the transaction.
 * 2. From the moment in which a commit writes it cannot be cancelled: it ends by itself.
 */
import type { SharedFile } from "../../platform/types/shared_files.ts";
import { type TdbFailure, tdbFailure } from "../errors.ts";
import type { LockTable } from "../locks/lock_table.ts";
import type { FreeSpace } from "../records/freelist.ts";
import type { DirectPages } from "../records/pages.ts";
import type { Space } from "../records/space.ts";
import { workWithEnd } from "../sliced.ts";
import type { SlicedWork, TdbResult } from "../types.ts";
import { commitTransaction } from "./commit.ts";
import { DurableFile } from "./durable_file.ts";
import { journalWaits } from "./journal.ts";
import type { RecoverySurroundings } from "./journal_recovery.ts";
import type { LeftJournal } from "./left_journal.ts";
import { Transaction } from "./transaction.ts";

const DONE: TdbResult<void> = { ok: true, value: undefined };

export interface HandleParts {
  readonly file: SharedFile;
  readonly headerOffset: number;
  readonly space: Space;
  readonly base: DirectPages;
  readonly free: FreeSpace;
  readonly locks: LockTable;
  readonly leftJournal: LeftJournal;
  readonly around: RecoverySurroundings;
  readonly noSync: boolean;
  /** Why long work cannot go on: the handle was closed. */
  refusal(): TdbFailure | undefined;
}

export class HandleTransaction {
  readonly #parts: HandleParts;
  #current: Transaction | undefined;

  constructor(parts: HandleParts) {
    this.#parts = parts;
  }

  get current(): Transaction | undefined {
    return this.#current;
  }
  /** Nothing can be changed now. */
  get commits(): boolean {
    const state = this.#current?.state;
    return state === "committing" || state === "writing";
  }

  begin(marked: boolean): TdbResult<void> {
    const { file, space, base, locks, leftJournal } = this.#parts;
    if (this.#current !== undefined) {
      return tdbFailure("transaction_state", `a transaction on "${file.path}" is active already`);
    }
    const begun = Transaction.begin(file, space, base, locks, marked);
    if (!begun.ok) return begun;
    if (!locks.locksNothing && journalWaits(base)) {
      begun.value.end();
      return leftJournal.refuse();
    }
    this.#current = begun.value;
    return DONE;
  }

  cancel(): void {
    if (this.#current?.state !== "writing") this.end();
  }

  commit(): SlicedWork<void> {
    const { file, headerOffset, space, base, free, around, noSync, refusal } = this.#parts;
    const transaction = this.#current;
    if (transaction === undefined || transaction.state !== "open") {
      const failure = tdbFailure("transaction_state", `"${file.path}" has no open transaction`);
      return { step: () => failure, cancel: () => undefined };
    }
    transaction.wiped?.release();
    transaction.state = "committing";
    const parts = {
      space,
      overlay: transaction.overlay,
      base,
      free,
      disk: new DurableFile(file, headerOffset, noSync),
      locks: transaction,
      crashPoints: around.crashPoints,
      writingBegins: () => {
        transaction.state = "writing";
      },
    };
    return workWithEnd(around.clock, (slice) => commitTransaction(slice, parts), {
      end: () => {
        transaction.end();
        if (this.#current === transaction) this.#current = undefined;
      },
      mayCancel: () => transaction.state === "committing",
      refusal,
    });
  }

  /** Whatever it does: the handle is closed. */
  end(): void {
    this.#current?.end();
    this.#current = undefined;
  }
}
