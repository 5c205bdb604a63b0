/**
 * TDB files on Linux: one open file description, one mapping, byte-range locks and mutexes in it.
 *
 * Invariants:
 * 1. The file is mapped once, lazily, as a window that is larger than a TDB can become, so growth by
 *    any process needs no remapping and a mutex keeps its address for life.
 * 2. close() detaches every view that was given out: later access finds an empty buffer, not unmapped
 *    memory. It drops the range locks at once; the descriptor itself lives until running syncs end.
 * 3. Nothing here waits except waitLockRange and waitLockMutex, which only waiting threads call.
 *
 * Must not: use POSIX locks, or open the path a second time. docs/platform.md, "Shared files".
 */
import * as fs from "node:fs";
import { memoryAt } from "#foreign";
import { assert } from "../../base/assert.ts";
import type { SystemError } from "../../base/errors.ts";
import { done, err, ok, type Result } from "../../base/result.ts";
import { pathForCall } from "../node/path.ts";
import type { LockType, SharedFile, SharedFiles, TryLock } from "../types/shared_files.ts";
import { SHARED_FILE_FUNCTIONS } from "./functions.ts";
import { ERRNO, errno, openLibc, systemError, systemErrorFrom } from "./libc.ts";
import {
  firstHeldMutex,
  MUTEX_TEMPLATE,
  MutexWaits,
  mutexHolder,
  newMutexes,
  tryMutex,
  unlockMutex,
} from "./mutex.ts";
import { RangeLockWaits, rangeHolder, tryRangeLock, unlockRange } from "./range_lock.ts";

/** 4 GiB of TDB and the mutex area before it; only address space. */
const WINDOW_BYTES = 0x100000000 + 0x10000000;
/** The engine's largest ArrayBuffer. */
const VIEW_BYTES_MAX = 0x100000000;
const FALLOC_FL_KEEP_SIZE = 1;
/** What is reserved at most: some file systems in memory take a millisecond for each 4 MiB. */
const RESERVED_BYTES_MAX = 16 * 1024 * 1024;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_NORESERVE = 0x4000;
const SEEK_END = 2;
/** What libtdb fills grown files with where the file system cannot allocate. */
const PAD_BYTE = 0x42;
const PAD_CHUNK_BYTES = 1 << 20;
const PAGE_SIZE_NAME = 30;

const MUTEXES_AT_ONCE = 1024;
const NEW_MUTEXES = newMutexes(MUTEXES_AT_ONCE);

const libc = openLibc(SHARED_FILE_FUNCTIONS);

export class SystemSharedFiles implements SharedFiles {
  readonly pageSize: number = libc.sysconf(PAGE_SIZE_NAME);
  readonly #shared: Shared = {
    ranges: new RangeLockWaits(),
    mutexes: new MutexWaits(),
    open: new Set(),
  };

  /**
   * What the runtime counts as buffers and is none: views of open files, each as often as one of another length is still
   * referred to.
   */
  get viewedBytes(): number {
    return [...this.#shared.open].reduce((sum, file) => sum + file.viewedBytes, 0);
  }

  open(
    path: string,
    options: { create: boolean; exclusive?: boolean; readOnly?: boolean; mode: number },
  ): Result<SharedFile, SystemError> {
    const { O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_RDWR } = fs.constants;
    // O_CLOEXEC is set by the runtime; O_NONBLOCK keeps a FIFO from blocking the open.
    let flags = (options.readOnly ? O_RDONLY : O_RDWR) | O_NONBLOCK;
    if (options.create) flags |= O_CREAT;
    if (options.exclusive) flags |= O_EXCL;
    let descriptor: number;
    try {
      descriptor = fs.openSync(pathForCall(path), flags, options.mode);
    } catch (error) {
      return err(systemErrorFrom(error, "open", path));
    }
    const kind = fs.fstatSync(descriptor);
    if (!kind.isFile()) {
      fs.closeSync(descriptor);
      return err(systemError(ERRNO.EINVAL, "open (expected a regular file)", path));
    }
    return ok(new SystemSharedFile(path, descriptor, options.readOnly === true, this.#shared));
  }
}

interface Shared {
  /** What the files of a thread that may wait wait with. */
  readonly ranges: RangeLockWaits;
  readonly mutexes: MutexWaits;
  readonly open: Set<SystemSharedFile>;
}

class SystemSharedFile implements SharedFile {
  readonly path: string;
  readonly mutexBytes = MUTEX_TEMPLATE.length;
  readonly viewsShowGrowth = true;
  readonly #descriptor: number;
  readonly #readOnly: boolean;
  readonly #shared: Shared;
  /** Address of the window; 0 until it is mapped. */
  #window = 0;
  #views: WeakRef<ArrayBuffer>[] = [];
  #syncsRunning = 0;
  /** Up to here the file has disk space. */
  #reservedEnd = 0;
  #closed = false;

  constructor(path: string, descriptor: number, readOnly: boolean, shared: Shared) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#readOnly = readOnly;
    this.#shared = shared;
    shared.open.add(this);
  }

  get viewedBytes(): number {
    return this.#views.reduce((sum, issued) => sum + (issued.deref()?.byteLength ?? 0), 0);
  }

  size(): number {
    assert(!this.#closed, "size() of an open file");
    const size = libc.lseek(this.#descriptor, 0, SEEK_END);
    if (size === -1) throw systemError(errno(), "lseek", this.path);
    return size;
  }

  view(byteLength: number): ArrayBuffer {
    assert(!this.#closed, "view() of an open file");
    assert(byteLength > 0 && byteLength <= VIEW_BYTES_MAX, `view of ${byteLength} bytes`);
    const view = memoryAt(this.#address(0), byteLength);
    this.#views = this.#views.filter((issued) => issued.deref() !== undefined);
    this.#views.push(new WeakRef(view));
    return view;
  }

  extend(newSize: number): Result<void, SystemError> {
    const oldSize = this.size();
    if (newSize <= oldSize) return done;
    for (;;) {
      const number = libc.posix_fallocate(this.#descriptor, oldSize, newSize - oldSize);
      if (number === 0) return done;
      if (number === ERRNO.EINTR) continue;
      if (number !== ERRNO.EINVAL && number !== ERRNO.EOPNOTSUPP) {
        // A partial allocation may have grown the file.
        return this.#undoGrowth(oldSize, systemError(number, "posix_fallocate", this.path));
      }
      return this.#extendByWriting(oldSize, newSize);
    }
  }

  reserve(byteLength: number, finished: (outcome: Result<void, SystemError>) => void): void {
    if (this.size() + byteLength <= this.#reservedEnd) {
      finished(done);
      return;
    }
    // Looked at before: where it fails in the middle some file systems keep what they have allocated. And on a
    // thread: of a file system that is in trouble, or on another machine, the answer may be long in coming.
    fs.statfs(pathForCall(this.path), (error, found) => {
      if (this.#closed) return;
      if (error) finished(err(systemErrorFrom(error, "statfs", this.path)));
      else finished(this.#reserveOf(found.bsize * found.bfree, byteLength));
    });
  }

  #reserveOf(freeBytes: number, byteLength: number): Result<void, SystemError> {
    if (freeBytes < byteLength) return err(systemError(ERRNO.ENOSPC, "fallocate", this.path));
    if (byteLength > RESERVED_BYTES_MAX) return done;
    const size = this.size();
    for (;;) {
      if (libc.fallocate(this.#descriptor, FALLOC_FL_KEEP_SIZE, size, byteLength) === 0) break;
      const number = errno();
      if (number === ERRNO.EINTR) continue;
      if (number === ERRNO.EOPNOTSUPP) break;
      return err(systemError(number, "fallocate", this.path));
    }
    this.#reservedEnd = size + byteLength;
    return done;
  }

  /** Writing allocates the blocks: a hole would be a SIGBUS on a full disk later. */
  #extendByWriting(oldSize: number, newSize: number): Result<void, SystemError> {
    const pad = new Uint8Array(Math.min(PAD_CHUNK_BYTES, newSize - oldSize)).fill(PAD_BYTE);
    for (let at = oldSize; at < newSize; at += pad.length) {
      const written = this.write(at, pad.subarray(0, Math.min(pad.length, newSize - at)));
      if (!written.ok) return this.#undoGrowth(oldSize, written.error);
    }
    return done;
  }

  #undoGrowth(oldSize: number, reason: SystemError): Result<void, SystemError> {
    libc.ftruncate(this.#descriptor, oldSize);
    return err(reason);
  }

  truncate(newSize: number): Result<void, SystemError> {
    assert(!this.#closed, "truncate() of an open file");
    while (libc.ftruncate(this.#descriptor, newSize) !== 0) {
      const number = errno();
      if (number !== ERRNO.EINTR) return err(systemError(number, "ftruncate", this.path));
    }
    return done;
  }

  write(offset: number, bytes: Uint8Array): Result<void, SystemError> {
    assert(!this.#closed, "write() of an open file");
    if (bytes.length === 0) return done;
    let at = 0;
    while (at < bytes.length) {
      const rest = at === 0 ? bytes : bytes.subarray(at);
      const count = libc.pwrite(this.#descriptor, rest, rest.length, offset + at);
      if (count > 0) {
        at += count;
        continue;
      }
      const number = count === 0 ? ERRNO.EINVAL : errno();
      if (number !== ERRNO.EINTR) return err(systemError(number, "pwrite", this.path));
    }
    return done;
  }

  chmod(mode: number): Result<void, SystemError> {
    try {
      fs.fchmodSync(this.#descriptor, mode);
      return done;
    } catch (error) {
      return err(systemErrorFrom(error, "fchmod", this.path));
    }
  }

  tryLockRange(type: LockType, start: number, length: number): TryLock {
    assert(!this.#closed, "tryLockRange() of an open file");
    return tryRangeLock(this.#descriptor, this.path, type, start, length);
  }

  unlockRange(start: number, length: number): void {
    assert(!this.#closed, "unlockRange() of an open file");
    unlockRange(this.#descriptor, this.path, start, length);
  }

  waitLockRange(type: LockType, start: number, length: number, timeoutMs: number): TryLock {
    assert(!this.#closed, "waitLockRange() of an open file");
    return this.#shared.ranges.lock(this.#descriptor, this.path, type, start, length, timeoutMs);
  }

  /** Written, not stored through the mapping: there each page would be a fault, and each view new memory for the collector. */
  initMutexes(offset: number, count: number): Result<void, SystemError> {
    assert(offset + count * this.mutexBytes <= this.size(), "mutexes inside the file");
    for (let at = 0; at < count; at += MUTEXES_AT_ONCE) {
      const part = Math.min(MUTEXES_AT_ONCE, count - at) * this.mutexBytes;
      const written = this.write(offset + at * this.mutexBytes, NEW_MUTEXES.subarray(0, part));
      if (!written.ok) return written;
    }
    return done;
  }

  tryLockMutex(offset: number): TryLock | "owner_died" {
    return tryMutex(this.#address(offset), this.path);
  }

  waitLockMutex(offset: number, timeoutMs: number): TryLock | "owner_died" {
    return this.#shared.mutexes.lock(this.#address(offset), this.path, timeoutMs);
  }

  unlockMutex(offset: number): void {
    unlockMutex(this.#address(offset), this.path);
  }

  firstHeldMutex(offset: number, count: number): number {
    const end = offset + count * this.mutexBytes;
    assert(end <= this.size(), `${count} mutexes at ${offset} inside the file`);
    return firstHeldMutex(new Int32Array(this.view(end), offset), count);
  }

  mutexHolder(offset: number): number | undefined {
    const end = offset + this.mutexBytes;
    assert(end <= this.size(), `a mutex at ${offset} inside the file`);
    return mutexHolder(new Int32Array(this.view(end), offset, 1));
  }

  rangeHolder(start: number, length: number): number | undefined {
    assert(!this.#closed, "rangeHolder() of an open file");
    return rangeHolder(this.#descriptor, start, length);
  }

  syncData(finished: (outcome: Result<void, SystemError>) => void): void {
    assert(!this.#closed, "syncData() of an open file");
    this.#syncsRunning += 1;
    // On the runtime's pool of threads: the descriptor stays open until it reports.
    fs.fdatasync(this.#descriptor, (error) => {
      this.#syncsRunning -= 1;
      if (this.#closed) {
        if (this.#syncsRunning === 0) fs.closeSync(this.#descriptor);
        return;
      }
      finished(error ? err(systemErrorFrom(error, "fdatasync", this.path)) : done);
    });
  }

  close(): void {
    if (this.#closed) return;
    unlockRange(this.#descriptor, this.path, 0, 0);
    this.#closed = true;
    this.#shared.open.delete(this);
    for (const issued of this.#views) {
      const view = issued.deref();
      // Transferring to nothing leaves the old buffer, and all arrays over it, with length 0.
      if (view !== undefined && !view.detached) view.transfer(0);
    }
    this.#views = [];
    if (this.#window !== 0) libc.munmap(this.#window, WINDOW_BYTES);
    this.#window = 0;
    if (this.#syncsRunning === 0) fs.closeSync(this.#descriptor);
  }

  /** Address in the window, which is mapped on first use. */
  #address(offset: number): number {
    if (this.#window === 0) this.#map();
    return this.#window + offset;
  }

  #map(): void {
    assert(!this.#closed, "mapping of an open file");
    const protection = this.#readOnly ? PROT_READ : PROT_READ | PROT_WRITE;
    const flags = MAP_SHARED | MAP_NORESERVE;
    const address = libc.mmap(0, WINDOW_BYTES, protection, flags, this.#descriptor, 0);
    if (address === -1) throw systemError(errno(), "mmap", this.path);
    this.#window = address;
  }
}
