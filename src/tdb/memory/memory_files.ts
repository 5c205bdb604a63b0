/**
 * Shared files in memory: the same interface as on disk, with byte-range locks and robust mutexes
 * between several "processes" of one program. For tests, for the simulator, and (one process, one
 * file each) for INTERNAL databases.
 *
 * Invariants:
 * 1. Locks exclude as on Linux: byte ranges by open file description, mutexes by open file; a process
 *    that is killed drops its ranges and leaves its mutexes with a dead owner.
 * 2. A file's memory never moves: views of all processes stay valid while it grows.
 * 3. Callbacks run through `soon`, never inside the call.
 * 4. A file that was closed is not used any more: that is asserted, as on disk.
 *
 * Must not: wait; the waiting calls answer as the trying ones.
 */
import { assert } from "../../base/assert.ts";
import { SystemError } from "../../base/errors.ts";
import { done, err, ok, type Result } from "../../base/result.ts";
import type {
  LockType,
  SharedFile,
  SharedFiles,
  TryLock,
} from "../../platform/types/shared_files.ts";

/** From and to which size a file grows or wants room for; the bytes that are written. */
export type DiskOperation = "create" | "grow" | "reserve" | "write";
export type DiskFailure = "ENOSPC" | "EIO";

export interface MemoryDiskOptions {
  readonly soon: (action: () => void) => unknown;
  readonly pageSize?: number;
  /** Address space reserved for each file; growth past it is ENOSPC. */
  readonly fileBytesMax?: number;
  /**
   * All of it is there from the start rather than as the file grows: for small files, of which a machine
   * holds few. Memory that can grow is several times slower to read and write.
   */
  readonly fixedMemory?: boolean;
  /** The pid that holders of locks are said to have; they have none by default. */
  readonly holder?: () => number;
  /** When a sync of the file is over, and how; at once and well by default. */
  readonly sync?: (path: string, synced: (failure?: DiskFailure) => void) => void;
  /** Why the disk does not do it now. */
  readonly refuses?: (
    operation: DiskOperation,
    path: string,
    from: number,
    to: number,
  ) => DiskFailure | undefined;
}

interface HeldRange {
  readonly owner: MemorySharedFile;
  readonly type: LockType;
  readonly start: number;
  readonly end: number;
}

interface MutexState {
  owner: MemorySharedFile | undefined;
  ownerDied: boolean;
}

interface FileMemory {
  readonly bytesMax: number;
  readonly fixed: boolean;
}

class MemoryFile {
  readonly buffer: ArrayBuffer;
  size = 0;
  ranges: HeldRange[] = [];
  readonly mutexes = new Map<number, MutexState>();
  readonly watchers = new Set<() => void>();
  quiet = false;

  constructor({ bytesMax, fixed }: FileMemory) {
    this.buffer = fixed
      ? new ArrayBuffer(bytesMax)
      : new ArrayBuffer(0, { maxByteLength: bytesMax });
  }

  hasRoomFor(size: number): boolean {
    return size <= this.buffer.maxByteLength;
  }

  resize(newSize: number): boolean {
    if (!this.hasRoomFor(newSize)) return false;
    if (newSize < this.size) new Uint8Array(this.buffer).fill(0, newSize, this.size);
    // The memory itself only grows, so that no view of another process is cut off.
    if (newSize > this.buffer.byteLength) this.buffer.resize(newSize);
    this.size = newSize;
    return true;
  }

  somethingWasReleased(): void {
    if (this.quiet || this.watchers.size === 0) return;
    for (const watcher of [...this.watchers]) watcher();
  }
}

const FILE_BYTES_MAX = 256 * 1024 * 1024;
const MUTEX_BYTES = 40;

/** A machine's disk. Its processes open the same named files. */
export class MemoryDisk {
  readonly #files = new Map<string, MemoryFile>();
  readonly pageSize: number;
  readonly soon: (action: () => void) => unknown;
  readonly sync: NonNullable<MemoryDiskOptions["sync"]>;
  readonly refuses: NonNullable<MemoryDiskOptions["refuses"]>;
  readonly holder: () => number | undefined;
  readonly #memory: FileMemory;

  constructor(options: MemoryDiskOptions) {
    this.soon = options.soon;
    this.sync = options.sync ?? ((_path, synced) => void this.soon(synced));
    this.holder = options.holder ?? (() => undefined);
    this.refuses = options.refuses ?? (() => undefined);
    this.pageSize = options.pageSize ?? 4096;
    const bytesMax = options.fileBytesMax ?? FILE_BYTES_MAX;
    this.#memory = { bytesMax, fixed: options.fixedMemory ?? false };
  }

  /** The files as one process sees them. */
  process(): MemoryProcess {
    return new MemoryProcess(this);
  }

  exists(path: string): boolean {
    return this.#files.has(path);
  }
  remove(path: string): boolean {
    return this.#files.delete(path);
  }
  rename(from: string, to: string): boolean {
    const file = this.#files.get(from);
    if (file === undefined) return false;
    this.#files.delete(from);
    this.#files.set(to, file);
    return true;
  }
  paths(): readonly string[] {
    return [...this.#files.keys()].sort();
  }
  /** A copy of the content, in `memory` if that has its size; undefined when there is no such file. */
  read(path: string, memory?: Uint8Array): Uint8Array | undefined {
    const file = this.#files.get(path);
    if (file === undefined) return undefined;
    const content = new Uint8Array(file.buffer, 0, file.size);
    if (memory?.length !== file.size) return content.slice();
    memory.set(content);
    return memory;
  }
  /** Creates or replaces. */
  put(path: string, content: Uint8Array): void {
    const file = new MemoryFile(this.#memory);
    assert(file.resize(content.length), `"${path}" has ${content.length} bytes`);
    new Uint8Array(file.buffer).set(content);
    this.#files.set(path, file);
  }

  open(
    process: MemoryProcess,
    path: string,
    options: { create: boolean; exclusive?: boolean; readOnly?: boolean },
  ): Result<MemorySharedFile, SystemError> {
    let file = this.#files.get(path);
    if (file === undefined) {
      if (!options.create) return err(new SystemError("ENOENT", "open", path));
      const refused = this.refuses("create", path, 0, 0);
      if (refused !== undefined) return err(new SystemError(refused, "open", path));
      file = new MemoryFile(this.#memory);
      this.#files.set(path, file);
    } else if (options.exclusive === true) {
      return err(new SystemError("EEXIST", "open", path));
    }
    return ok(new MemorySharedFile(this, process, file, path));
  }
}

export class MemoryProcess implements SharedFiles {
  readonly #disk: MemoryDisk;
  readonly #open = new Set<MemorySharedFile>();

  constructor(disk: MemoryDisk) {
    this.#disk = disk;
  }

  get pageSize(): number {
    return this.#disk.pageSize;
  }

  open(
    path: string,
    options: { create: boolean; exclusive?: boolean; readOnly?: boolean; mode: number },
  ): Result<MemorySharedFile, SystemError> {
    const opened = this.#disk.open(this, path, options);
    if (opened.ok) this.#open.add(opened.value);
    return opened;
  }

  forget(file: MemorySharedFile): void {
    this.#open.delete(file);
  }

  /** As SIGKILL: everything is closed, mutexes keep their dead owner. */
  kill(): void {
    for (const file of [...this.#open]) file.close();
  }
}

export class MemorySharedFile implements SharedFile {
  readonly path: string;
  readonly mutexBytes = MUTEX_BYTES;
  readonly #disk: MemoryDisk;
  readonly #process: MemoryProcess;
  readonly #file: MemoryFile;
  #closed = false;

  constructor(disk: MemoryDisk, process: MemoryProcess, file: MemoryFile, path: string) {
    this.#disk = disk;
    this.#process = process;
    this.#file = file;
    this.path = path;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Called whenever somebody gives back a lock of this file; the result stops it. */
  onRelease(watcher: () => void): () => void {
    this.#file.watchers.add(watcher);
    return () => this.#file.watchers.delete(watcher);
  }

  /** What is locked and given back inside one attempt is nobody else's business. */
  quietly<T>(attempt: () => T): T {
    this.#file.quiet = true;
    try {
      return attempt();
    } finally {
      this.#file.quiet = false;
    }
  }

  size(): number {
    assert(!this.#closed, "size() of an open file");
    return this.#file.size;
  }

  /** The whole memory of the file, which may be longer. */
  view(byteLength: number): ArrayBuffer {
    assert(!this.#closed, "view() of an open file");
    assert(byteLength > 0 && byteLength <= this.#file.size, `view of ${byteLength} bytes`);
    return this.#file.buffer;
  }

  extend(newSize: number): Result<void, SystemError> {
    assert(!this.#closed, "extend() of an open file");
    return newSize <= this.#file.size ? done : this.#resize(newSize, "posix_fallocate");
  }

  /** Later, like on disk. */
  reserve(byteLength: number, finished: (outcome: Result<void, SystemError>) => void): void {
    assert(!this.#closed, "reserve() of an open file");
    const { size } = this.#file;
    const end = size + byteLength;
    let refused = this.#refused("reserve", size, end, "fallocate");
    if (!this.#file.hasRoomFor(end)) refused ??= new SystemError("ENOSPC", "fallocate", this.path);
    this.#disk.soon(() => {
      if (!this.#closed) finished(refused === undefined ? done : err(refused));
    });
  }

  truncate(newSize: number): Result<void, SystemError> {
    assert(!this.#closed, "truncate() of an open file");
    const refused = this.#refused("write", 0, 0, "ftruncate");
    return refused === undefined ? this.#resize(newSize, "ftruncate") : err(refused);
  }

  write(offset: number, bytes: Uint8Array): Result<void, SystemError> {
    assert(!this.#closed, "write() of an open file");
    const end = offset + bytes.length;
    const refused = this.#refused("write", offset, end, "pwrite");
    if (refused !== undefined) return err(refused);
    if (end > this.#file.size) {
      const grown = this.#resize(end, "pwrite");
      if (!grown.ok) return grown;
    }
    new Uint8Array(this.#file.buffer).set(bytes, offset);
    return done;
  }

  #resize(newSize: number, call: string): Result<void, SystemError> {
    const { size } = this.#file;
    const refused = newSize > size ? this.#refused("grow", size, newSize, call) : undefined;
    if (refused !== undefined) return err(refused);
    if (this.#file.resize(newSize)) return done;
    return err(new SystemError("ENOSPC", call, this.path));
  }

  #refused(operation: DiskOperation, from: number, to: number, call: string) {
    const failure = this.#disk.refuses(operation, this.path, from, to);
    return failure === undefined ? undefined : new SystemError(failure, call, this.path);
  }

  chmod(): Result<void, SystemError> {
    return done;
  }

  tryLockRange(type: LockType, start: number, length: number): TryLock {
    assert(!this.#closed, "tryLockRange() of an open file");
    const end = length === 0 ? Number.POSITIVE_INFINITY : start + length;
    for (const held of this.#file.ranges) {
      const overlaps = held.start < end && start < held.end;
      const excludes = held.type === "write" || type === "write";
      if (held.owner !== this && overlaps && excludes) return "busy";
    }
    this.#replaceRange(start, end, type);
    return "granted";
  }

  unlockRange(start: number, length: number): void {
    assert(!this.#closed, "unlockRange() of an open file");
    this.#replaceRange(start, length === 0 ? Number.POSITIVE_INFINITY : start + length, undefined);
    this.#file.somethingWasReleased();
  }

  waitLockRange(type: LockType, start: number, length: number): TryLock {
    return this.tryLockRange(type, start, length);
  }

  #replaceRange(start: number, end: number, type: LockType | undefined): void {
    const ranges: HeldRange[] = [];
    for (const held of this.#file.ranges) {
      if (held.owner !== this || held.end <= start || end <= held.start) {
        ranges.push(held);
        continue;
      }
      if (held.start < start) ranges.push({ ...held, end: start });
      if (end < held.end) ranges.push({ ...held, start: end });
    }
    if (type !== undefined) ranges.push({ owner: this, type, start, end });
    this.#file.ranges = ranges;
  }

  initMutexes(offset: number, count: number): Result<void, SystemError> {
    for (let i = 0; i < count; i++) this.#file.mutexes.delete(offset + i * MUTEX_BYTES);
    return done;
  }

  tryLockMutex(offset: number): TryLock | "owner_died" {
    let mutex = this.#file.mutexes.get(offset);
    if (mutex === undefined) {
      mutex = { owner: undefined, ownerDied: false };
      this.#file.mutexes.set(offset, mutex);
    }
    if (mutex.owner !== undefined) return "busy";
    const died = mutex.ownerDied;
    mutex.owner = this;
    mutex.ownerDied = false;
    return died ? "owner_died" : "granted";
  }

  waitLockMutex(offset: number): TryLock | "owner_died" {
    return this.tryLockMutex(offset);
  }

  firstHeldMutex(offset: number, count: number): number {
    const { mutexes } = this.#file;
    if (mutexes.size === 0) return count;
    for (let i = 0; i < count; i++) {
      const mutex = mutexes.get(offset + i * MUTEX_BYTES);
      if (mutex !== undefined && (mutex.owner !== undefined || mutex.ownerDied)) return i;
    }
    return count;
  }

  mutexHolder(offset: number): number | undefined {
    return this.#file.mutexes.get(offset)?.owner === undefined ? undefined : this.#disk.holder();
  }
  rangeHolder(start: number, length: number): number | undefined {
    const end = length === 0 ? Number.POSITIVE_INFINITY : start + length;
    const isHeld = this.#file.ranges.some(
      (held) => held.owner !== this && held.start < end && start < held.end,
    );
    return isHeld ? this.#disk.holder() : undefined;
  }

  unlockMutex(offset: number): void {
    const mutex = this.#file.mutexes.get(offset);
    if (mutex?.owner !== this) throw new SystemError("EPERM", "pthread_mutex_unlock", this.path);
    mutex.owner = undefined;
    this.#file.somethingWasReleased();
  }

  syncData(finished: (outcome: Result<void, SystemError>) => void): void {
    assert(!this.#closed, "syncData() of an open file");
    this.#disk.sync(this.path, (failure) => {
      if (this.#closed) return;
      finished(
        failure === undefined ? done : err(new SystemError(failure, "fdatasync", this.path)),
      );
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#process.forget(this);
    this.#file.ranges = this.#file.ranges.filter((held) => held.owner !== this);
    for (const mutex of this.#file.mutexes.values()) {
      if (mutex.owner !== this) continue;
      mutex.owner = undefined;
      mutex.ownerDied = true;
    }
    this.#file.somethingWasReleased();
  }
}
