/**
 * One open handle of a TDB: `Tdb` over a shared file, on disk or in memory. It puts the parts together:
 * locks around record operations, the journal check of the first lock, transactions, long work.
 *
 * Invariant (with those of types.ts): the first data lock of an idle handle looks for a waiting journal; while
 * one waits, operations answer "busy" and a replay runs beside the handle.
 *
 * Must not: wait, or look at a clock except in sliced work.
 */
import { assert } from "../base/assert.ts";
import type { SharedFile, TryLock } from "../platform/types/shared_files.ts";
import {
  BUSY,
  busyBecauseOf,
  COMMITTING,
  EXISTS,
  MISSING,
  READ_ONLY,
  systemFailure,
  type TdbFailure,
  tdbFailure,
} from "./errors.ts";
import { FREELIST, HEADER, LOCK, type MutexLayout } from "./format/format.ts";
import { type ChainHash, newHash } from "./format/hash.ts";
import { commitGrowthMax } from "./journal/area_plan.ts";
import { HandleTransaction } from "./journal/handle_transaction.ts";
import { journalWaits } from "./journal/journal.ts";
import type { RecoverySurroundings } from "./journal/journal_recovery.ts";
import { LeftJournal } from "./journal/left_journal.ts";
import { LockProtocol, tryingPrimitives } from "./locks/lock_protocol.ts";
import { LockTable } from "./locks/lock_table.ts";
import { RecordChains } from "./records/chains.ts";
import { checkTdb } from "./records/check.ts";
import { FreeSpace } from "./records/freelist.ts";
import { DirectPages } from "./records/pages.ts";
import { repackTdb } from "./records/repack.ts";
import { Space } from "./records/space.ts";
import { WipedSpace, wipe } from "./records/wipe.ts";
import { type Slice, workWithEnd } from "./sliced.ts";
import {
  type JudgeRecord,
  type LockMode,
  type SlicedWork,
  type StoreMode,
  TDB_FLAGS,
  type Tdb,
  type TdbError,
  type TdbResult,
  type VisitRecord,
} from "./types.ts";

const DONE: TdbResult<void> = { ok: true, value: undefined };
const ABSENT: TdbResult<undefined> = { ok: true, value: undefined };
const NOTHING = new Uint8Array(0);
/** Dead records that a chain keeps with VOLATILE. */
const VOLATILE_MAX_DEAD = 5;

export interface TdbFileFacts {
  readonly file: SharedFile;
  readonly flags: number;
  readonly readOnly: boolean;
  readonly hashSize: number;
  readonly dataStart: number;
  readonly hash: ChainHash;
  readonly headerOffset: number;
  /** Undefined: byte-range locks. */
  readonly mutexes: MutexLayout | undefined;
  readonly around: RecoverySurroundings;
}

export class TdbFile implements Tdb {
  readonly path: string;
  readonly hashSize: number;
  readonly #facts: TdbFileFacts;
  readonly #file: SharedFile;
  readonly #hash: ChainHash;
  /** The hash of the chains is that of the keys (INCOMPATIBLE_HASH). */
  readonly #takesKeyHash: boolean;
  readonly #readOnly: boolean;
  readonly #base: DirectPages;
  readonly #space: Space;
  readonly #locks: LockTable;
  readonly #free: FreeSpace;
  readonly #chains: RecordChains;
  readonly #journal: LeftJournal;
  readonly #transaction: HandleTransaction;
  #flags: number;
  #closed = false;
  #ownerDied: () => void = () => {};

  constructor(facts: TdbFileFacts) {
    this.#facts = facts;
    this.#file = facts.file;
    this.#hash = facts.hash;
    this.#takesKeyHash = facts.hash === newHash;
    this.#readOnly = facts.readOnly;
    this.#flags = facts.flags;
    this.path = facts.file.path;
    this.hashSize = facts.hashSize;
    this.#base = new DirectPages(facts.file, facts.headerOffset);
    this.#space = new Space(this.#base, {
      path: this.path,
      hashSize: facts.hashSize,
      dataStart: facts.dataStart,
      pageSize: facts.around.files.pageSize,
    });
    const locksNothing = (facts.flags & TDB_FLAGS.NOLOCK) !== 0;
    this.#locks = new LockTable(
      locksNothing
        ? undefined
        : new LockProtocol(
            facts.file,
            tryingPrimitives(facts.file, () => this.#ownerDied()),
            { hashSize: facts.hashSize, mutexes: facts.mutexes },
          ),
    );
    this.#free = new FreeSpace(this.#space);
    const maxDead = (facts.flags & TDB_FLAGS.VOLATILE) !== 0 ? VOLATILE_MAX_DEAD : 0;
    const freelist = {
      acquire: () => this.#locks.lockList(FREELIST, "write") === "granted",
      release: () => this.#locks.unlockList(FREELIST),
      isPinned: (offset: number) => this.#isPinned(offset),
    };
    this.#chains = new RecordChains(this.#space, this.#free, freelist, maxDead);
    const { path, hashSize } = this;
    const { headerOffset, mutexes, around } = facts;
    const target = { path, hashSize, headerOffset, mutexes, noLock: locksNothing };
    this.#journal = new LeftJournal({ ...target, noSync: this.#noSync }, around);
    this.#transaction = new HandleTransaction({
      file: facts.file,
      headerOffset,
      space: this.#space,
      base: this.#base,
      free: this.#free,
      locks: this.#locks,
      leftJournal: this.#journal,
      around,
      noSync: this.#noSync,
      refusal: this.#whenClosed,
    });
  }

  get flags(): number {
    return this.#flags;
  }
  get #noSync(): boolean {
    return (this.#flags & TDB_FLAGS.NOSYNC) !== 0;
  }
  get inTransaction(): boolean {
    return this.#transaction.current !== undefined;
  }
  get mapSize(): number {
    this.#space.pages.refresh();
    return this.#space.pages.size;
  }

  setMaxDead(count: number): void {
    this.#chains.maxDead = count;
  }

  chainOf(key: Uint8Array, keyHash?: number): number {
    return this.#hashOf(key, keyHash) % this.hashSize;
  }

  #hashOf(key: Uint8Array, keyHash: number | undefined): number {
    return keyHash !== undefined && this.#takesKeyHash ? keyHash : this.#hash(key);
  }

  // --- sequence number

  enableSequenceNumber(): void {
    this.#flags |= TDB_FLAGS.SEQNUM;
  }

  sequenceNumber(): number {
    return this.#space.pages.word(HEADER.sequenceNumber);
  }

  incrementSequenceNumber(): void {
    if ((this.#flags & TDB_FLAGS.SEQNUM) === 0 || this.#readOnly) return;
    this.#bumpSequenceNumber();
  }

  #bumpSequenceNumber(): void {
    const { pages } = this.#space;
    if (pages === this.#base) this.#base.addAtomically(HEADER.sequenceNumber, 1);
    else pages.setWord(HEADER.sequenceNumber, pages.word(HEADER.sequenceNumber) + 1);
  }

  // --- entering and leaving

  /** Why nothing may be changed now. */
  #refusal(): TdbFailure | undefined {
    if (this.#readOnly) return READ_ONLY;
    return this.#transaction.commits ? COMMITTING : undefined;
  }

  #enter(list: number, mode: LockMode): TdbFailure | undefined {
    const first = this.#locks.isEmpty;
    const taken = this.#locks.lockList(list, mode);
    if (taken === "busy") return BUSY;
    if (taken !== "granted") return systemFailure(`lock list ${list} of "${this.path}"`, taken);
    if (first && this.#journalWaits()) {
      this.#locks.unlockList(list);
      return this.#journal.refuse();
    }
    return undefined;
  }

  #journalWaits(): boolean {
    return !this.inTransaction && !this.#locks.locksNothing && journalWaits(this.#base);
  }

  /** Somebody traverses and stands on the record. */
  #isPinned(offset: number): boolean {
    if (this.#locks.locksNothing || this.#locks.holdsAllForWriting) return false;
    if (this.#locks.holdsAll) return true;
    if (this.#file.tryLockRange("write", offset, 1) !== "granted") return true;
    this.#file.unlockRange(offset, 1);
    return false;
  }

  // --- records

  fetch(key: Uint8Array): TdbResult<Uint8Array | undefined> {
    const hash = this.#hash(key);
    const chain = hash % this.hashSize;
    const refused = this.#enter(chain, "read");
    if (refused !== undefined) return refused;
    const offset = this.#chains.find(chain, hash, key);
    let result: TdbResult<Uint8Array | undefined> = ABSENT;
    if (offset > 0) {
      const { pages } = this.#space;
      const length = this.#chains.dataLength(offset);
      result = { ok: true, value: pages.copy(this.#chains.dataOffset(offset), length) };
    } else if (offset < 0) {
      result = this.#chains.failure;
    }
    this.#locks.unlockList(chain);
    return result;
  }

  parse<T>(
    key: Uint8Array,
    visit: (data: Uint8Array) => T,
    keyHash?: number,
  ): TdbResult<T | undefined> {
    const hash = this.#hashOf(key, keyHash);
    const chain = hash % this.hashSize;
    const refused = this.#enter(chain, "read");
    if (refused !== undefined) return refused;
    try {
      const offset = this.#chains.find(chain, hash, key);
      if (offset < 0) return this.#chains.failure;
      if (offset === 0) return MISSING;
      const length = this.#chains.dataLength(offset);
      const data = this.#space.pages.view(this.#chains.dataOffset(offset), length);
      return { ok: true, value: visit(data) };
    } finally {
      this.#locks.unlockList(chain);
    }
  }

  store(key: Uint8Array, data: Uint8Array, mode: StoreMode = "replace"): TdbResult<void> {
    return this.#storeLocked(this.#hash(key), key, NOTHING, data, mode);
  }

  storeParts(
    key: Uint8Array,
    head: Uint8Array,
    data: Uint8Array,
    keyHash?: number,
  ): TdbResult<void> {
    return this.#storeLocked(this.#hashOf(key, keyHash), key, head, data, "replace");
  }

  #storeLocked(
    hash: number,
    key: Uint8Array,
    head: Uint8Array,
    data: Uint8Array,
    mode: StoreMode,
  ): TdbResult<void> {
    const chain = hash % this.hashSize;
    const refused = this.#refusal() ?? this.#enter(chain, "write");
    if (refused !== undefined) return refused;
    const outcome = this.#storeInChain(chain, hash, key, head, data, mode);
    this.#locks.unlockList(chain);
    if (outcome.ok && (this.#flags & TDB_FLAGS.SEQNUM) !== 0) this.#bumpSequenceNumber();
    return outcome;
  }

  #storeInChain(
    chain: number,
    hash: number,
    key: Uint8Array,
    head: Uint8Array,
    data: Uint8Array,
    mode: StoreMode,
  ): TdbResult<void> {
    const chains = this.#chains;
    const offset = chains.find(chain, hash, key);
    if (offset < 0) return chains.failure;
    if (offset === 0 && mode === "modify") return MISSING;
    if (offset > 0) {
      if (mode === "insert") return EXISTS;
      if (chains.fits(offset, head.length + data.length)) {
        // In a transaction each changed block is journaled; outside, writing costs as much as looking.
        const same = this.inTransaction && chains.holds(offset, head, data);
        if (!same) chains.overwrite(offset, head, data);
        return DONE;
      }
    }
    const failed = chains.insert(chain, hash, key, head, data, offset);
    if (failed === undefined) return DONE;
    return failed === "busy" ? BUSY : failed;
  }

  delete(key: Uint8Array, keyHash?: number): TdbResult<void> {
    const hash = this.#hashOf(key, keyHash);
    const chain = hash % this.hashSize;
    const refused = this.#refusal() ?? this.#enter(chain, "write");
    if (refused !== undefined) return refused;
    const offset = this.#chains.find(chain, hash, key);
    let outcome: TdbResult<void> = DONE;
    if (offset === 0) outcome = MISSING;
    else if (offset < 0 || !this.#chains.kill(chain, offset)) outcome = this.#chains.failure;
    this.#locks.unlockList(chain);
    if (outcome.ok && (this.#flags & TDB_FLAGS.SEQNUM) !== 0) this.#bumpSequenceNumber();
    return outcome;
  }

  visitChain(
    chain: number,
    visit: (key: Uint8Array, data: Uint8Array) => boolean | undefined,
  ): TdbResult<void> {
    assert(chain >= 0 && chain < this.hashSize, `chain ${chain} of ${this.hashSize}`);
    const refused = this.#enter(chain, "read");
    if (refused !== undefined) return refused;
    try {
      return this.#chains.walk(chain, visit) ? DONE : this.#chains.failure;
    } finally {
      this.#locks.unlockList(chain);
    }
  }

  visitRecords(chain: number, visit: VisitRecord): TdbResult<number> {
    assert(this.#locks.holdsAll || this.#locks.locksNothing, "all records are locked for a walk");
    const next = this.#chains.walkAll(chain, visit);
    return next < 0 ? this.#chains.failure : { ok: true, value: next };
  }

  nextUsedChain(chain: number): number {
    return this.#chains.nextUsed(chain);
  }

  // --- locks

  tryLockChain(chain: number, mode: LockMode): "granted" | "busy" | TdbError {
    if (mode === "write" && this.#readOnly) return READ_ONLY.error;
    const refused = this.#enter(chain, mode);
    return refused === undefined ? "granted" : busyOrError(refused);
  }
  unlockChain(chain: number): void {
    this.#locks.unlockList(chain);
  }
  markChain(chain: number): void {
    this.#locks.markList(chain);
  }
  unmarkChain(chain: number): void {
    this.#locks.unmarkList(chain);
  }

  chainHolder(chain: number | undefined): number | undefined {
    return this.#locks.holderOf(chain);
  }

  whenOwnerDied(action: () => void): void {
    this.#ownerDied = action;
  }

  otherUser(): number | undefined {
    return this.#file.rangeHolder(LOCK.active, 1);
  }

  tryLockAll(mode: LockMode): "granted" | "busy" | TdbError {
    if (mode === "write" && this.#readOnly) return READ_ONLY.error;
    if (this.#locks.holdsLists) {
      return tdbFailure("transaction_state", "all records cannot be locked while chains are").error;
    }
    const first = this.#locks.isEmpty;
    const taken: TryLock = this.#locks.lockAll(mode);
    if (taken === "busy") return "busy";
    if (taken !== "granted") return systemFailure(`lock "${this.path}"`, taken).error;
    if (first && this.#journalWaits()) {
      this.#locks.unlockAll();
      return busyOrError(this.#journal.refuse());
    }
    return "granted";
  }
  unlockAll(): void {
    this.#locks.unlockAll();
  }

  markAll(): TdbResult<void> {
    if (this.#locks.holdsLists) {
      return tdbFailure(
        "transaction_state",
        "all records cannot be marked while chains are locked",
      );
    }
    if (journalWaits(this.#base) && !this.inTransaction) {
      return tdbFailure("corrupt", `"${this.path}" has a journal that waits to be replayed`);
    }
    this.#locks.markAll();
    return DONE;
  }
  unmarkAll(): void {
    this.#locks.unmarkAll();
  }

  recover(finished: (outcome: TdbResult<void>) => void, options: { marked?: boolean } = {}): void {
    if (options.marked === true) this.#journal.replayMarked(finished);
    else this.#journal.replay(finished);
  }

  // --- transactions

  startTransaction(options: { marked?: boolean } = {}): TdbResult<void> {
    if (this.#readOnly) return READ_ONLY;
    return this.#transaction.begin(options.marked === true);
  }

  cancelTransaction(): void {
    this.#transaction.cancel();
  }

  reserve(records: number, bytes: number, finished: (outcome: TdbResult<void>) => void): void {
    const refused = this.#refusal() ?? this.#enter(FREELIST, "write");
    if (refused !== undefined) {
      finished(refused);
      return;
    }
    this.#space.pages.refresh();
    const growth = commitGrowthMax(this.#space, this.#free, records, bytes);
    this.#locks.unlockList(FREELIST);
    if (growth === 0) {
      finished(DONE);
      return;
    }
    this.#file.reserve(growth, (reserved) => {
      const doing = `reserve ${growth} bytes for "${this.path}"`;
      finished(reserved.ok ? DONE : systemFailure(doing, reserved.error));
    });
  }

  commit(): SlicedWork<void> {
    return this.#transaction.commit();
  }

  // --- the whole file

  wipe(): TdbResult<void> {
    const refused = this.#refusal();
    if (refused !== undefined) return refused;
    const inside = this.#locks.holdsAllForWriting || this.#locks.locksNothing;
    if (!inside) {
      const locked = this.tryLockAll("write");
      if (locked === "busy") return BUSY;
      if (locked !== "granted") return { ok: false, error: locked };
    }
    this.#wipeLocked();
    if (!inside) this.unlockAll();
    return DONE;
  }

  #wipeLocked(): void {
    this.#space.pages.refresh();
    const transaction = this.#transaction.current;
    // A commit that waits for the disk keeps all that it writes in its journal's order.
    if (transaction?.exclusive === true && this.#noSync) {
      transaction.wiped = WipedSpace.wipe(this.#space, this.#free, transaction.overlay, this.#base);
    }
    if (transaction?.wiped === undefined) {
      // Everything to the end of the map becomes free: the file itself must not grow into that.
      this.#space.growth = undefined;
      wipe(this.#space, this.#free);
    }
    if ((this.#flags & TDB_FLAGS.SEQNUM) !== 0) this.#bumpSequenceNumber();
  }

  check(judge?: JudgeRecord): SlicedWork<void> {
    let locked = false;
    const unlock = (): void => {
      if (locked) this.unlockAll();
      locked = false;
    };
    if (!this.#locks.holdsAll && !this.#locks.locksNothing) {
      const taken = this.tryLockAll("read");
      if (taken !== "granted") {
        const holder = taken === "busy" ? this.chainHolder(undefined) : undefined;
        const failure = taken === "busy" ? busyBecauseOf(holder) : tdbFailureOf(taken);
        return { step: () => failure, cancel: () => undefined };
      }
      locked = true;
    }
    const body = (slice: Slice) => checkTdb(slice, this.#space, this.#hash, judge);
    return workWithEnd(this.#facts.around.clock, body, { end: unlock, refusal: this.#whenClosed });
  }

  repack(): SlicedWork<void> {
    const refused = this.#refusal() ?? (this.inTransaction ? BUSY : undefined);
    if (refused !== undefined) return { step: () => refused, cancel: () => undefined };
    return workWithEnd(this.#facts.around.clock, (slice) => repackTdb(slice, this), {
      end: () => this.cancelTransaction(),
      mayCancel: () => this.#transaction.current?.state !== "writing",
      refusal: this.#whenClosed,
    });
  }

  freelistSize(): TdbResult<number> {
    const refused = this.#refusal() ?? this.#enter(FREELIST, "write");
    if (refused !== undefined) return refused;
    const count = this.#free.mergeAndCount();
    this.#locks.unlockList(FREELIST);
    return count < 0 ? this.#free.failure : { ok: true, value: count };
  }

  /** Long work that is not done when the file is closed has failed. */
  readonly #whenClosed = (): TdbFailure | undefined =>
    this.#closed ? tdbFailure("io", `"${this.path}" was closed`) : undefined;

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#journal.close();
    this.#transaction.end();
    this.#locks.releaseEverything();
    this.#file.close();
  }
}

function busyOrError(failure: TdbFailure): "busy" | TdbError {
  return failure.error.code === "busy" ? "busy" : failure.error;
}

function tdbFailureOf(error: TdbError): TdbFailure {
  return { ok: false, error };
}
