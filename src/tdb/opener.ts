/**
 * Opens TDBs over shared files: creates, clears, judges, recovers (docs/tdb.md, "Opening"). One
 * attempt; whatever is locked elsewhere answers "busy" and has changed nothing.
 *
 * Invariants:
 * 1. OPEN is held from the first look at the content until the handle is ready.
 * 2. Content that is no TDB is never modified: only an empty file, one that was left half made, or, as the first
 *    user of what may be cleared, one with the format's magic text or nothing but zeros at its start is made anew.
 * 3. A file that is being made begins with zeros until all else is in place: whoever finds it half made, after a
 *    kill or a disk that failed, can make it anew.
 */
import { assert } from "../base/assert.ts";
import type { SystemError } from "../base/errors.ts";
import { done, type Result } from "../base/result.ts";
import type { LockType, SharedFile, SharedFiles } from "../platform/types/shared_files.ts";
import { BUSY, busyBecauseOf, systemFailure, tdbFailure } from "./errors.ts";
import {
  ALLRECORD_UNLOCKED,
  DEFAULT_HASH_SIZE,
  dataStart,
  HEADER,
  HEADER_BYTES,
  LOCK,
  MAP_BYTES_MAX,
  type MutexLayout,
  mutexLayout,
} from "./format/format.ts";
import { type HeaderFacts, hasMagicText, judgeHeader, newHeader } from "./format/header.ts";
import { journalWaits, recoveryArea } from "./journal/journal.ts";
import { JournalRecovery, type RecoverySurroundings } from "./journal/journal_recovery.ts";
import { LockProtocol, tryingPrimitives } from "./locks/lock_protocol.ts";
import { MemoryDisk } from "./memory/memory_files.ts";
import { effectiveFlags } from "./open_flags.ts";
import { DirectPages } from "./records/pages.ts";
import { GeneratorWork, type Slice, type SlicedBody } from "./sliced.ts";
import { TdbFile } from "./tdb_file.ts";
import {
  type SlicedWork,
  TDB_FLAGS,
  type Tdb,
  type TdbOpener,
  type TdbOpenOptions,
  type TdbResult,
} from "./types.ts";

export interface FileTdbOpenerOptions extends RecoverySurroundings {
  /** Robust process-shared mutexes work here. */
  readonly mutexesWork: boolean;
  /** Nothing is ever synced (TDB_NO_FSYNC, for tests). */
  readonly noSync?: boolean;
  /** Files for INTERNAL databases; memory by default. */
  readonly internalFiles?: SharedFiles;
}

/** What has been found out or taken while opening. */
interface Attempt {
  readonly file: SharedFile;
  readonly options: TdbOpenOptions;
  readonly flags: number;
  readonly readOnly: boolean;
  readonly locksNothing: boolean;
}

const DONE: TdbResult<void> = { ok: true, value: undefined };
const ALONE = true;

/** For who opens a file and waits for it. */
const NO_LIMIT: Slice = { spent: () => false, wake() {} };
/** What takes about half a millisecond: mutexes that are written, bytes that are taken and bytes that are given back. */
const MUTEXES_AT_ONCE = 8192;
const EXTENDED_BYTES_AT_ONCE = 512 * 1024;
const TRUNCATED_BYTES_AT_ONCE = 4 * 1024 * 1024;
const ZEROS = new Uint8Array(64 * 1024);

export class FileTdbOpener implements TdbOpener {
  readonly mutexesWork: boolean;
  readonly #options: FileTdbOpenerOptions;
  /** Recoveries that run, and outcomes that nobody has been told yet. */
  readonly #recoveries = new Map<string, TdbResult<void> | undefined>();
  readonly #internalFiles: SharedFiles;
  #internalCount = 0;

  constructor(options: FileTdbOpenerOptions) {
    this.#options = options;
    this.mutexesWork = options.mutexesWork;
    const soon = (action: () => void): unknown => options.timers.after(0, action);
    this.#internalFiles = options.internalFiles ?? new MemoryDisk({ soon }).process();
  }

  open(options: TdbOpenOptions): TdbResult<Tdb> {
    const ended = this.#opening(NO_LIMIT, options).next();
    assert(ended.done === true, "opening does not pause unless it is asked to");
    return ended.value;
  }

  openInSlices(options: TdbOpenOptions): SlicedWork<Tdb> {
    let file: SharedFile | undefined;
    const work: GeneratorWork<Tdb> = new GeneratorWork<Tdb>(
      this.#options.clock,
      (slice) =>
        this.#opening(slice, options, (begun) => {
          file = begun;
        }),
      () => {
        work.abandon();
        file?.close();
      },
    );
    return work;
  }

  *#opening(
    slice: Slice,
    options: TdbOpenOptions,
    begun: (file: SharedFile) => void = () => {},
  ): SlicedBody<Tdb> {
    const flags = effectiveFlags(options, this.#options);
    if (!flags.ok) return flags;
    if (this.#recoveries.has(options.path)) {
      const outcome = this.#recoveries.get(options.path);
      if (outcome === undefined) return BUSY;
      this.#recoveries.delete(options.path);
      if (!outcome.ok) return outcome;
    }
    if ((flags.value & TDB_FLAGS.INTERNAL) !== 0) {
      return yield* this.#openInternal(slice, options, flags.value);
    }
    const readOnly = options.readOnly === true;
    const opened = this.#options.files.open(options.path, {
      create: options.create,
      exclusive: options.exclusive === true,
      readOnly,
      mode: options.mode ?? 0o600,
    });
    if (!opened.ok) return systemFailure("open a TDB", opened.error);
    const file = opened.value;
    begun(file);
    const locksNothing = (flags.value & TDB_FLAGS.NOLOCK) !== 0;
    const attempt = { file, options, flags: flags.value, readOnly, locksNothing };
    const tdb = yield* this.#openFile(slice, attempt);
    if (!tdb.ok) file.close();
    return tdb;
  }

  *#openInternal(slice: Slice, options: TdbOpenOptions, flags: number): SlicedBody<Tdb> {
    this.#internalCount += 1;
    const path = `${options.path}#${this.#internalCount}`;
    const opened = this.#internalFiles.open(path, { create: true, mode: 0o600 });
    if (!opened.ok) return systemFailure("open an internal TDB", opened.error);
    const attempt = {
      file: opened.value,
      options,
      flags,
      readOnly: false,
      locksNothing: true,
    };
    const made = yield* this.#create(slice, attempt);
    if (!made.ok) return made;
    return yield* this.#finish(slice, attempt, false);
  }

  *#openFile(slice: Slice, attempt: Attempt): SlicedBody<Tdb> {
    const { file, locksNothing } = attempt;
    if (!locksNothing) {
      const locked = lockRange(file, "write", LOCK.open, 1, "lock out other openers");
      if (!locked.ok) return locked;
    }
    let alone = false;
    if ((attempt.flags & TDB_FLAGS.CLEAR_IF_FIRST) !== 0) {
      const cleared = yield* this.#clearIfFirst(slice, attempt);
      if (!cleared.ok) return cleared;
      alone = cleared.value;
    }
    const isEmpty = !alone && file.size() === 0;
    if (isEmpty && !attempt.options.create) {
      return tdbFailure("corrupt", `Cannot open "${file.path}": it is empty, expected a TDB`);
    }
    if (isEmpty || (!alone && isHalfMade(attempt))) {
      const made = yield* this.#create(slice, attempt);
      if (!made.ok) return made;
    }
    const tdb = yield* this.#finish(slice, attempt, alone);
    if (tdb.ok && !locksNothing) file.unlockRange(LOCK.open, 1);
    return tdb;
  }

  /** True: nobody else has it open, and it is empty now. The ACTIVE lock is held for writing. */
  *#clearIfFirst(slice: Slice, attempt: Attempt): SlicedBody<boolean> {
    const { file, locksNothing } = attempt;
    if (!locksNothing) {
      const active = file.tryLockRange("write", LOCK.active, 1);
      if (active === "busy") return { ok: true, value: false };
      if (active !== "granted") return systemFailure("lock a TDB as its first user", active);
      const rest = lockRange(file, "write", LOCK.chains, 0, "lock a TDB to clear it");
      if (!rest.ok) return rest;
    }
    const start = firstBytes(file);
    if (start.length > 0 && !hasMagicText(start) && !start.every((byte) => byte === 0)) {
      return tdbFailure("corrupt", `Cannot clear "${file.path}": its content is not that of a TDB`);
    }
    const shortened = yield* shorten(slice, file, start.length);
    if (!shortened.ok) return shortened;
    const made = yield* this.#create(slice, attempt);
    if (!made.ok) return made;
    if (!locksNothing) file.unlockRange(LOCK.chains, 0);
    return { ok: true, value: ALONE };
  }

  #mutexLayout(file: SharedFile, hashSize: number): MutexLayout {
    return mutexLayout(file.mutexBytes, hashSize, this.#options.files.pageSize);
  }

  *#create(slice: Slice, attempt: Attempt): SlicedBody<void> {
    const { file, options, flags } = attempt;
    const hashSize = hashSizeOf(options);
    const doing = `create "${file.path}"`;
    if (!Number.isInteger(hashSize) || hashSize < 0 || dataStart(hashSize) > MAP_BYTES_MAX) {
      return tdbFailure("unsupported", `Cannot ${doing} with ${hashSize} hash chains`);
    }
    const withMutexes = (flags & TDB_FLAGS.MUTEX_LOCKING) !== 0;
    const layout = withMutexes ? this.#mutexLayout(file, hashSize) : undefined;
    const header = newHeader(flags, hashSize, layout?.areaBytes ?? 0);
    const headerOffset = layout?.areaBytes ?? 0;
    const truncated = file.truncate(0);
    if (!truncated.ok) return systemFailure(doing, truncated.error);
    if (layout !== undefined) {
      const extended = yield* extend(slice, file, headerOffset + dataStart(hashSize));
      if (!extended.ok) return systemFailure(doing, extended.error);
      const made = yield* initMutexes(slice, file, layout, hashSize);
      if (!made.ok) return systemFailure(doing, made.error);
    }
    const cleared = yield* writeZeros(
      slice,
      file,
      headerOffset + HEADER_BYTES,
      dataStart(hashSize) - HEADER_BYTES,
    );
    if (!cleared.ok) return systemFailure(doing, cleared.error);
    // With mutexes the first header says where the second one is. The first comes last, when all else is in place.
    for (const offset of new Set([headerOffset, 0])) {
      const written = file.write(offset, header);
      if (!written.ok) return systemFailure(doing, written.error);
    }
    return DONE;
  }

  /** From a file that has content to the handle. */
  *#finish(slice: Slice, attempt: Attempt, alone: boolean): SlicedBody<Tdb> {
    const { file, flags, readOnly, locksNothing } = attempt;
    const judged = judgeHeader(firstBytes(file), file.size());
    if (!judged.ok) {
      return tdbFailure(judged.error.code, `Cannot open "${file.path}": ${judged.error.reason}`);
    }
    const facts = judged.value;
    const mutexes = this.#mutexesOf(attempt, facts);
    if (!mutexes.ok) return mutexes;
    if (!locksNothing) {
      const active = yield* this.#becomeActive(slice, attempt, mutexes.value, facts, alone);
      if (!active.ok) return active;
    }
    const pages = new DirectPages(file, facts.mutexAreaBytes);
    if (journalWaits(pages)) return this.#recoverFirst(attempt, facts, mutexes.value);
    if (!readOnly && !locksNothing) forgetUnsoundArea(pages);
    return {
      ok: true,
      value: new TdbFile({
        file,
        flags,
        readOnly,
        hashSize: facts.hashSize,
        dataStart: dataStart(facts.hashSize),
        hash: facts.hash,
        headerOffset: facts.mutexAreaBytes,
        mutexes: mutexes.value,
        around: this.#options,
      }),
    };
  }

  #mutexesOf(attempt: Attempt, facts: HeaderFacts): TdbResult<MutexLayout | undefined> {
    if (!facts.hasMutexes || attempt.locksNothing) return { ok: true, value: undefined };
    const { file, flags } = attempt;
    if ((flags & TDB_FLAGS.MUTEX_LOCKING) === 0) {
      return tdbFailure(
        "unsupported",
        `Cannot open "${file.path}": it has mutexes, expected MUTEX_LOCKING or NOLOCK`,
      );
    }
    const layout = this.#mutexLayout(file, facts.hashSize);
    if (layout.areaBytes !== facts.mutexAreaBytes) {
      return tdbFailure(
        "unsupported",
        `Cannot open "${file.path}": its mutex area has ${facts.mutexAreaBytes} bytes, this system's libc needs ${layout.areaBytes}`,
      );
    }
    return { ok: true, value: layout };
  }

  /** The lock that tells others that the file is in use; initialises mutexes that nobody uses. */
  *#becomeActive(
    slice: Slice,
    attempt: Attempt,
    mutexes: MutexLayout | undefined,
    facts: HeaderFacts,
    alone: boolean,
  ): SlicedBody<void> {
    const { file, flags } = attempt;
    const clears = (flags & TDB_FLAGS.CLEAR_IF_FIRST) !== 0;
    let first = alone;
    if (!clears && mutexes !== undefined) {
      const active = file.tryLockRange("write", LOCK.active, 1);
      if (active !== "granted" && active !== "busy") {
        return systemFailure("lock a TDB as its first user", active);
      }
      first = active === "granted";
      if (first) {
        const made = yield* initMutexes(slice, file, mutexes, facts.hashSize);
        if (!made.ok) return systemFailure("initialise the mutexes of a TDB", made.error);
      }
    }
    if (!clears && !first) return DONE;
    return lockRange(file, "read", LOCK.active, 1, "lock a TDB as a user");
  }

  #recoverFirst(
    attempt: Attempt,
    facts: HeaderFacts,
    mutexes: MutexLayout | undefined,
  ): TdbResult<Tdb> {
    const { file, flags, readOnly, locksNothing } = attempt;
    if (readOnly) {
      return tdbFailure(
        "corrupt",
        `Cannot open "${file.path}" read-only: an interrupted commit must be undone first`,
      );
    }
    const target = {
      path: file.path,
      hashSize: facts.hashSize,
      headerOffset: facts.mutexAreaBytes,
      mutexes,
      noLock: locksNothing,
      noSync: (flags & TDB_FLAGS.NOSYNC) !== 0,
    };
    this.#recoveries.set(file.path, undefined);
    new JournalRecovery(target, this.#options, (outcome) => {
      if (outcome.ok || outcome.error.code === "busy") this.#recoveries.delete(file.path);
      else this.#recoveries.set(file.path, outcome);
    });
    const locks = new LockProtocol(file, tryingPrimitives(file), target);
    return busyBecauseOf(locksNothing ? undefined : locks.holderOf(undefined));
  }
}

/**
 * A power failure can leave the header pointing to a recovery area that never reached the disk. Later
 * the file may grow there, and the next commit would take a record for its area. The open lock, which
 * commits hold too, is held.
 */
function forgetUnsoundArea(pages: DirectPages): void {
  if (pages.word(HEADER.recoveryStart) === 0 || recoveryArea(pages) !== undefined) return;
  pages.setWord(HEADER.recoveryStart, 0);
}

/** All of a new file at once would take a disk several milliseconds. */
function* extend(
  slice: Slice,
  file: SharedFile,
  newSize: number,
): Generator<"more", Result<void, SystemError>> {
  let size = 0;
  while (size < newSize) {
    size = Math.min(size + EXTENDED_BYTES_AT_ONCE, newSize);
    const extended = file.extend(size);
    if (!extended.ok) return extended;
    if (slice.spent()) yield "more";
  }
  return done;
}

/** Gives back most of a file that is to be emptied; its start is zeros from then on. */
function* shorten(slice: Slice, file: SharedFile, startBytes: number): SlicedBody<void> {
  const doing = `clear "${file.path}"`;
  let size = file.size();
  if (size <= TRUNCATED_BYTES_AT_ONCE) return DONE;
  const zeroed = file.write(0, new Uint8Array(startBytes));
  if (!zeroed.ok) return systemFailure(doing, zeroed.error);
  while (size > TRUNCATED_BYTES_AT_ONCE) {
    if (slice.spent()) yield "more";
    size -= TRUNCATED_BYTES_AT_ONCE;
    const truncated = file.truncate(size);
    if (!truncated.ok) return systemFailure(doing, truncated.error);
  }
  return DONE;
}

function* initMutexes(
  slice: Slice,
  file: SharedFile,
  layout: MutexLayout,
  hashSize: number,
): Generator<"more", Result<void, SystemError>> {
  const made = file.initMutexes(layout.allrecordMutex, 1);
  if (!made.ok) return made;
  for (let list = 0; list < hashSize + 1; list += MUTEXES_AT_ONCE) {
    const count = Math.min(MUTEXES_AT_ONCE, hashSize + 1 - list);
    const more = file.initMutexes(layout.firstListMutex + list * file.mutexBytes, count);
    if (!more.ok) return more;
    if (slice.spent()) yield "more";
  }
  const at = layout.allrecordLock;
  new Int16Array(file.view(at + 2), at, 1)[0] = ALLRECORD_UNLOCKED;
  return done;
}

function* writeZeros(
  slice: Slice,
  file: SharedFile,
  offset: number,
  byteLength: number,
): Generator<"more", Result<void, SystemError>> {
  for (let at = 0; at < byteLength; at += ZEROS.length) {
    const written = file.write(
      offset + at,
      ZEROS.subarray(0, Math.min(ZEROS.length, byteLength - at)),
    );
    if (!written.ok) return written;
    if (slice.spent()) yield "more";
  }
  return done;
}

function firstBytes(file: SharedFile): Uint8Array {
  const count = Math.min(file.size(), HEADER_BYTES);
  return count === 0 ? new Uint8Array(0) : new Uint8Array(file.view(count), 0, count).slice();
}

/** What `create` was doing when it failed or was killed, with these options; more than that is damage. */
function isHalfMade({ file, options }: Attempt): boolean {
  const bytes = file.size();
  if (!options.create || bytes === 0 || bytes > dataStart(hashSizeOf(options))) return false;
  if (firstBytes(file).some((byte) => byte !== 0)) return false;
  return new Uint8Array(file.view(bytes), 0, bytes).every((byte) => byte === 0);
}

function hashSizeOf({ hashSize }: TdbOpenOptions): number {
  return hashSize === 0 ? DEFAULT_HASH_SIZE : hashSize;
}

function lockRange(
  file: SharedFile,
  type: LockType,
  start: number,
  length: number,
  doing: string,
): TdbResult<void> {
  const lock = file.tryLockRange(type, start, length);
  if (lock === "granted") return DONE;
  if (lock === "busy") return busyBecauseOf(file.rangeHolder(start, length));
  return systemFailure(doing, lock);
}
