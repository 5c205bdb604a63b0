/** TDB files: mapping, byte ranges, mutexes, as interfaces (rules for all of them: docs/platform.md, "Interfaces"). */
import type { SystemError } from "../../base/errors.ts";
import type { Result } from "../../base/result.ts";

export type LockType = "read" | "write";

/** "busy" means that somebody else holds it. */
export type TryLock = "granted" | "busy" | SystemError;

/**
 * One open file description of a TDB file. Byte-range locks are open-file-description locks
 * (F_OFD_SETLK), so two SharedFiles on one path exclude each other even within one process.
 * Offsets are raw file offsets. A length of 0 means to the end of the file and beyond.
 */
export interface SharedFile {
  readonly path: string;
  /** Current size by fstat: another process may have grown the file. */
  size(): number;
  /**
   * The first `byteLength` bytes as a view of the shared mapping. The window is mapped once (4 GiB +
   * the mutex area, MAP_NORESERVE); a new view is needed after growth. Bytes past the end of file must not be
   * touched. Views die with close().
   */
  view(byteLength: number): ArrayBuffer;
  /**
   * A view may be longer than the file, and shows what it grows by. The collector takes each view of a mapping for as
   * much new memory: who renews one of a large file with each growth makes it work.
   */
  readonly viewsShowGrowth?: boolean;
  /** posix_fallocate, or ftruncate and writing 0x42 where that is not supported. */
  extend(newSize: number): Result<void, SystemError>;
  /**
   * Disk space for so many bytes behind the end, which `extend` will use (fallocate with KEEP_SIZE): the
   * size stays. ENOSPC leaves things as they were. A success where the file system cannot tell. Of more than
   * 16 MiB it is only looked whether they are there.
   *
   * What is free is asked on a worker thread. `done` runs inside the call or later, and not after close().
   */
  reserve(byteLength: number, done: (outcome: Result<void, SystemError>) => void): void;
  truncate(newSize: number): Result<void, SystemError>;
  write(offset: number, bytes: Uint8Array): Result<void, SystemError>;
  chmod(mode: number): Result<void, SystemError>;

  tryLockRange(type: LockType, start: number, length: number): TryLock;
  unlockRange(start: number, length: number): void;
  /** Waits up to `timeoutMs`. Blocks the thread: for waiting threads only, never for the loop. */
  waitLockRange(type: LockType, start: number, length: number, timeoutMs: number): TryLock;

  /** Initialises `count` robust, process-shared, error-checking mutexes at `offset` (glibc layout). */
  initMutexes(offset: number, count: number): Result<void, SystemError>;
  /** "owner_died": granted and already made consistent. */
  tryLockMutex(offset: number): TryLock | "owner_died";
  /** As tryLockMutex, waiting up to `timeoutMs` (pthread_mutex_clocklock). Waiting threads only. */
  waitLockMutex(offset: number, timeoutMs: number): TryLock | "owner_died";
  unlockMutex(offset: number): void;
  /**
   * Index of the first of `count` mutexes from `offset` on that somebody holds, has died holding, or is
   * about to; `count` when there is none. Who locks one of the others afterwards sees everything that
   * was written before this call, as if each had been locked and unlocked.
   */
  firstHeldMutex(offset: number, count: number): number;
  /**
   * Thread id of whoever holds the mutex (of a process's first thread that is the pid); undefined when
   * nobody does.
   */
  mutexHolder(offset: number): number | undefined;
  /**
   * pid of a process that has part of the range locked; undefined when nobody does or only open file
   * descriptions do, of which the system does not tell who has them.
   */
  rangeHolder(start: number, length: number): number | undefined;
  /** sizeof(pthread_mutex_t) of this system's libc. */
  readonly mutexBytes: number;

  /** fdatasync on a worker thread. */
  syncData(done: (outcome: Result<void, SystemError>) => void): void;
  /** Also drops this description's byte-range locks. */
  close(): void;
}

export interface SharedFiles {
  /** `create`: O_CREAT; `exclusive`: O_EXCL too. Directories are not created. */
  open(
    path: string,
    options: { create: boolean; exclusive?: boolean; readOnly?: boolean; mode: number },
  ): Result<SharedFile, SystemError>;
  readonly pageSize: number;
}
