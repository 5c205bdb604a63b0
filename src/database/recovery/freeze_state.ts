/** Whether a database is frozen, and what may be asked of its freeze (freeze.ts). */
import type { ReplyLater } from "../../control/control_request.ts";

export type FreezeState = "thawed" | "freezing" | "frozen";
export type TransactionState = "none" | "started" | "committing";

export interface Freeze {
  readonly state: FreezeState;
  readonly transaction: TransactionState;
  /** When the last freeze began. */
  readonly sinceMs: number;
  /** Calls may read it, or a recovery works in it. */
  readonly allowsAccess: boolean;

  /** Answers when it is frozen, or why it is not. */
  freeze(reply: ReplyLater): void;
  /** The reason when it is refused. */
  thaw(): string | undefined;
  /** The database goes away; a running commit is abandoned to the next opener's journal replay. */
  release(): void;

  /**
   * Runs once when the database thaws or its transaction begins, ends, or is wiped: long work that
   * began before must not go on. The result forgets it.
   */
  whenInterrupted(action: () => void): () => void;
  /** Ends such work. */
  interruptWork(): void;

  /** The reason when it is refused; "later" while a commit runs, and then `reply` is called. */
  startTransaction(id: number, reply: ReplyLater): string | undefined | "later";
  /** The reason when it is refused. */
  cancel(): string | undefined;
  /** Why work inside transaction `id` is not allowed now. */
  transactionProblem(id: number, doing: string): string | undefined;
  /** The caller has asked `transactionProblem`. `finished` gets the reason of a failure. */
  commit(finished: (problem: string | undefined) => void): void;
}
