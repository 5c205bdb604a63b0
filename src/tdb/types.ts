/**
 * What the rest of the project sees of a TDB. `tdb/` implements it over a mapped file (through
 * platform's SharedFile) and over memory; one contract test covers both.
 *
 * Invariants:
 * 1. No call waits. A data operation takes the chain (and freelist) locks that it needs by trylock
 *    before it writes anything; when one is held elsewhere it answers "busy" and has changed nothing.
 * 2. A chain that this handle has locked or marked is not locked again: operations nest inside.
 * 3. Views given to a visitor are valid only inside the visitor.
 */
import type { SystemError } from "../base/errors.ts";
import type { Result } from "../base/result.ts";

export const TDB_FLAGS = {
  CLEAR_IF_FIRST: 1,
  INTERNAL: 2,
  NOLOCK: 4,
  NOMMAP: 8,
  CONVERT: 16,
  BIGENDIAN: 32,
  NOSYNC: 64,
  SEQNUM: 128,
  VOLATILE: 256,
  ALLOW_NESTING: 512,
  DISALLOW_NESTING: 1024,
  INCOMPATIBLE_HASH: 2048,
  MUTEX_LOCKING: 4096,
} as const;

export type TdbErrorCode =
  /** A lock is held elsewhere; nothing was changed. Try again or wait for the lock. */
  | "busy"
  /** The file is not a TDB, or damaged; nothing was changed. */
  | "corrupt"
  /** Insert of an existing key, or modify of a missing one. */
  | "exists"
  | "missing"
  /** No room: the disk, or the 4 GiB of the format. */
  | "no_space"
  | "read_only"
  /** A transaction is active where none may be, or the other way round. */
  | "transaction_state"
  | "unsupported"
  | "io";

export interface TdbError {
  readonly code: TdbErrorCode;
  readonly reason: string;
  readonly cause?: SystemError;
  /** "busy": a process that holds the lock, where the attempt found out (see Tdb.chainHolder). */
  readonly holder?: number;
}

export type TdbResult<T> = Result<T, TdbError>;
export type LockMode = "read" | "write";
export type StoreMode = "replace" | "insert" | "modify";

/**
 * Long work in pieces: `step` works for about `budgetMs` and says whether it is done. When its file is closed
 * before that, the next step answers an error.
 */
export interface SlicedWork<T> {
  /** undefined: not done yet, call again in a later turn. Cancelling is allowed until it is done,
   *  unless the work says otherwise. */
  step(budgetMs: number): TdbResult<T> | undefined;
  /**
   * True after a step that could do nothing: it waits for the disk or for a lock held elsewhere. Call
   * again after a millisecond or so rather than at once.
   */
  readonly waiting?: boolean;
  /** Called when the disk is done that a step waited for: no need to wait for the millisecond. */
  onWake?: (() => void) | undefined;
  cancel(): void;
}

/** A record in place: the key lies at `keyAt` of `bytes`, the data behind it. False: enough for now. */
export type VisitRecord = (
  bytes: Uint8Array,
  keyAt: number,
  keyLength: number,
  dataLength: number,
) => boolean;

/** Why a record with so many bytes of data cannot be one of this database; undefined when it can. */
export type JudgeRecord = (dataLength: number) => string | undefined;

export interface Tdb {
  readonly path: string;
  /** TDB_FLAGS in force, as DB_OPEN_FLAGS answers them. */
  readonly flags: number;
  readonly hashSize: number;
  /** How many dead records a chain keeps for reuse (DatabaseMaxDead). */
  setMaxDead(count: number): void;
  /** Turns on sequence numbers from now on (ENABLE_SEQNUM). */
  enableSequenceNumber(): void;
  sequenceNumber(): number;
  incrementSequenceNumber(): void;

  /**
   * Here and below, `keyHash` is jenkinsHash() of the key, from a caller who has it already: a file with
   * INCOMPATIBLE_HASH does not compute it again then. To other files it means nothing.
   */
  chainOf(key: Uint8Array, keyHash?: number): number;

  // --- records
  /** The data as a copy; undefined when the key is not there. */
  fetch(key: Uint8Array): TdbResult<Uint8Array | undefined>;
  /** Shows the data in place, without a copy; `missing` when the key is not there. */
  parse<T>(
    key: Uint8Array,
    visit: (data: Uint8Array) => T,
    keyHash?: number,
  ): TdbResult<T | undefined>;
  store(key: Uint8Array, data: Uint8Array, mode?: StoreMode): TdbResult<void>;
  /** As store, with the value in two parts (ltdb header and data), without joining them first. */
  storeParts(
    key: Uint8Array,
    head: Uint8Array,
    data: Uint8Array,
    keyHash?: number,
  ): TdbResult<void>;
  /** "missing" when the key is not there. */
  delete(key: Uint8Array, keyHash?: number): TdbResult<void>;

  // --- locks
  tryLockChain(chain: number, mode: LockMode): "granted" | "busy" | TdbError;
  unlockChain(chain: number): void;
  /** Somebody else of this process (a lock wait) holds the chain for us: count it as ours. */
  markChain(chain: number): void;
  unmarkChain(chain: number): void;
  /**
   * Process or thread id of who keeps us from a chain, or (undefined) from some chain; undefined when
   * nobody does or the system does not tell. For reports: it may have let go already.
   */
  chainHolder(chain: number | undefined): number | undefined;
  /** Called each time when a lock (a mutex) is had that a process has died with. */
  whenOwnerDied(action: () => void): void;
  /** A process that has the file open like us (CLEAR_IF_FIRST, mutexes), as far as the system tells. */
  otherUser(): number | undefined;
  tryLockAll(mode: LockMode): "granted" | "busy" | TdbError;
  unlockAll(): void;
  /** Refuses ("corrupt") when a journal waits to be replayed. */
  markAll(): TdbResult<void>;
  unmarkAll(): void;

  /**
   * Replays the journal of a commit that was cut short, beside this handle (which answers "busy"
   * meanwhile). Operations that meet a journal start this by themselves; who was refused by markAll
   * or learnt it from a lock wait calls it. `finished` runs in a later turn; "busy": locks are held.
   * `marked`: a lock wait of ours holds all records, and keeps them until then.
   */
  recover(finished: (outcome: TdbResult<void>) => void, options?: { marked?: boolean }): void;

  // --- transactions
  /** `marked`: the allrecord lock is held by a lock wait (recovery); otherwise by trylock. */
  startTransaction(options?: { marked?: boolean }): TdbResult<void>;
  cancelTransaction(): void;
  readonly inTransaction: boolean;
  /** Journal, write, sync in slices; once writing has begun it cannot be cancelled. */
  commit(): SlicedWork<void>;

  /**
   * Disk space for a transaction that stores so many records with so many bytes in all: its commit will
   * not fail for want of it. Estimated from above. `finished` runs inside the call or later, and not after
   * close().
   */
  reserve(records: number, bytes: number, finished: (outcome: TdbResult<void>) => void): void;

  // --- the whole file
  /** Empties the file; inside a transaction if one is active. */
  wipe(): TdbResult<void>;
  /**
   * Shows the records of one chain under its lock (unless marked) as views; visit returns false to
   * stop. "busy" when the chain is locked elsewhere. For sliced walks: chains 0..hashSize−1.
   */
  visitChain(
    chain: number,
    visit: (key: Uint8Array, data: Uint8Array) => boolean | undefined,
  ): TdbResult<void>;
  /**
   * Shows the records of all chains from `chain` on, until the visitor returns false and that chain is
   * done: the chain to go on with, hashSize at the end. All records must be locked or marked.
   */
  visitRecords(chain: number, visit: VisitRecord): TdbResult<number>;
  /** First chain at or after `chain` that has records, hashSize if none: skips empty ones fast. */
  nextUsedChain(chain: number): number;
  /** `judge` sees every record that is not deleted; what it refuses makes the file "corrupt". */
  check(judge?: JudgeRecord): SlicedWork<void>;
  repack(): SlicedWork<void>;
  freelistSize(): TdbResult<number>;
  /** Bytes of the file (without mutex area). */
  readonly mapSize: number;

  close(): void;
}

export interface TdbOpenOptions {
  readonly path: string;
  readonly flags: number;
  /** Chains of a new file; 0 means 131. An existing file keeps its own. */
  readonly hashSize: number;
  readonly create: boolean;
  readonly exclusive?: boolean;
  readonly readOnly?: boolean;
  readonly mode?: number;
}

/** Opens TDBs for a component; the real one is over files, the simulator's over memory. */
export interface TdbOpener {
  /** One attempt without waiting: "busy" while another process opens or holds the file. */
  open(options: TdbOpenOptions): TdbResult<Tdb>;
  /** The same in slices: a new file with mutexes, and the end of a large one that is cleared, take some. */
  openInSlices(options: TdbOpenOptions): SlicedWork<Tdb>;
  /** Robust process-shared mutexes work here (checked once). */
  readonly mutexesWork: boolean;
}

/** A lock that a waiting thread (or the simulator) holds for us until released. */
export interface LockWait {
  /**
   * Gives the lock back, or stops waiting for it; a lock that is granted concurrently is given back
   * too. The waiter is never killed.
   */
  release(): void;
}

/**
 * Waits for locks off the event loop (DESIGN §3). `granted` never runs inside the call. While the
 * wait holds the lock, mark it on the Tdb, work, unmark, then release.
 */
export interface LockWaiter {
  waitChain(tdb: Tdb, chain: number, granted: (outcome: TdbResult<void>) => void): LockWait;
  waitAll(tdb: Tdb, granted: (outcome: TdbResult<void>) => void): LockWait;
}
