/**
 * Shared files that fail, or stop as if the process was killed, at the n-th write or sync; and that
 * remember what was not synced, so that a power failure can lose any part of it.
 *
 * Writes through the mapping are not seen: commits and replays do not use it.
 */
import { SystemError } from "../../src/base/errors.ts";
import { err, type Result } from "../../src/base/result.ts";
import type { LockType, SharedFile, SharedFiles } from "../../src/platform/types/shared_files.ts";
import { FileTdbOpener } from "../../src/tdb/opener.ts";
import type { SeededRandom } from "../fuzz/seeded_random.ts";

/** Thrown where the process ends. */
export class Killed extends Error {}

export interface Change {
  readonly kind: "write" | "resize";
  /** Where the bytes go, or the new size. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export class FaultyFiles implements SharedFiles {
  readonly #inner: SharedFiles;
  readonly #open = new Set<SharedFile>();
  readonly pageSize: number;
  /** Writes, resizes and syncs so far. */
  operations = 0;
  killAt = Number.POSITIVE_INFINITY;
  failAt = Number.POSITIVE_INFINITY;
  /** All operations from failAt on fail, not only that one. */
  failForGood = false;
  errorName = "EIO";
  /** Told before each sync, when the most of what was written may still be lost. */
  beforeSync: () => void = () => undefined;
  /** Told before each write, resize and sync. */
  beforeOperation: (operation: number) => void = () => undefined;
  #durable: Uint8Array = new Uint8Array(0);
  #unsynced: Change[] = [];

  constructor(inner: SharedFiles) {
    this.#inner = inner;
    this.pageSize = inner.pageSize;
  }

  open(
    path: string,
    options: { create: boolean; exclusive?: boolean; readOnly?: boolean; mode: number },
  ): Result<SharedFile, SystemError> {
    const opened = this.#inner.open(path, options);
    if (!opened.ok) return opened;
    this.#open.add(opened.value);
    return { ok: true, value: new FaultyFile(this, opened.value) };
  }

  /** What is in the file now counts as on disk; counting starts anew. */
  settle(content: Uint8Array): void {
    this.#durable = content.slice();
    this.#unsynced = [];
    this.operations = 0;
  }

  /** Undefined: go on. */
  next(call: string, path: string): SystemError | undefined {
    const operation = this.operations;
    this.operations += 1;
    this.beforeOperation(operation);
    if (operation >= this.killAt) throw new Killed(`${call} ${operation}`);
    const fails = operation === this.failAt || (this.failForGood && operation > this.failAt);
    return fails ? new SystemError(this.errorName, call, path) : undefined;
  }

  changed(change: Change): void {
    this.#unsynced.push(change);
  }
  synced(): void {
    this.#durable = withChanges(this.#durable, this.#unsynced);
    this.#unsynced = [];
  }

  /** What is on disk for certain, and what has been written since, in order. */
  get writeCache(): { readonly durable: Uint8Array; readonly unsynced: readonly Change[] } {
    return { durable: this.#durable, unsynced: [...this.#unsynced] };
  }

  /** The descriptors of a process that has ended. */
  closeEverything(): void {
    for (const file of this.#open) file.close();
    this.#open.clear();
  }

  /** What a disk holds that may have lost any part of what was not synced. */
  afterPowerFailure(random: SeededRandom): Uint8Array {
    const mood = random.below(4);
    const survives = () => (mood === 0 ? true : mood === 1 ? false : random.chance(0.5));
    return withChanges(this.#durable, this.#unsynced.filter(survives));
  }
}

/** The content after these changes; a copy. */
export function withChanges(durable: Uint8Array, changes: readonly Change[]): Uint8Array {
  let content = durable.slice();
  for (const change of changes) {
    const size = change.kind === "resize" ? change.at : change.at + change.bytes.length;
    if (size > content.length || change.kind === "resize") {
      const resized = new Uint8Array(size);
      resized.set(content.subarray(0, size));
      content = resized;
    }
    if (change.kind === "write") content.set(change.bytes, change.at);
  }
  return content;
}

class FaultyFile implements SharedFile {
  readonly path: string;
  readonly mutexBytes: number;
  readonly viewsShowGrowth: boolean;
  readonly #files: FaultyFiles;
  readonly #inner: SharedFile;

  constructor(files: FaultyFiles, inner: SharedFile) {
    this.#files = files;
    this.#inner = inner;
    this.path = inner.path;
    this.mutexBytes = inner.mutexBytes;
    this.viewsShowGrowth = inner.viewsShowGrowth === true;
  }

  size(): number {
    return this.#inner.size();
  }
  view(byteLength: number): ArrayBuffer {
    return this.#inner.view(byteLength);
  }
  #resized(outcome: Result<void, SystemError>, size: number): Result<void, SystemError> {
    if (outcome.ok) this.#files.changed({ kind: "resize", at: size, bytes: new Uint8Array(0) });
    return outcome;
  }
  extend(newSize: number): Result<void, SystemError> {
    const failed = this.#files.next("posix_fallocate", this.path);
    return failed === undefined ? this.#resized(this.#inner.extend(newSize), newSize) : err(failed);
  }
  reserve(byteLength: number, done: (outcome: Result<void, SystemError>) => void): void {
    this.#inner.reserve(byteLength, done);
  }
  truncate(newSize: number): Result<void, SystemError> {
    const failed = this.#files.next("ftruncate", this.path);
    if (failed !== undefined) return err(failed);
    return this.#resized(this.#inner.truncate(newSize), newSize);
  }
  write(offset: number, bytes: Uint8Array): Result<void, SystemError> {
    const failed = this.#files.next("pwrite", this.path);
    if (failed !== undefined) return err(failed);
    const written = this.#inner.write(offset, bytes);
    if (written.ok) this.#files.changed({ kind: "write", at: offset, bytes: bytes.slice() });
    return written;
  }
  syncData(done: (outcome: Result<void, SystemError>) => void): void {
    this.#files.beforeSync();
    const failed = this.#files.next("fdatasync", this.path);
    if (failed !== undefined) {
      queueMicrotask(() => done(err(failed)));
      return;
    }
    this.#inner.syncData((outcome) => {
      if (outcome.ok) this.#files.synced();
      done(outcome);
    });
  }
  chmod(mode: number): Result<void, SystemError> {
    return this.#inner.chmod(mode);
  }
  tryLockRange(
    type: LockType,
    start: number,
    length: number,
  ): ReturnType<SharedFile["tryLockRange"]> {
    return this.#inner.tryLockRange(type, start, length);
  }
  unlockRange(start: number, length: number): void {
    this.#inner.unlockRange(start, length);
  }
  waitLockRange(
    type: LockType,
    start: number,
    length: number,
    timeoutMs: number,
  ): ReturnType<SharedFile["waitLockRange"]> {
    return this.#inner.waitLockRange(type, start, length, timeoutMs);
  }
  initMutexes(offset: number, count: number): ReturnType<SharedFile["initMutexes"]> {
    return this.#inner.initMutexes(offset, count);
  }
  firstHeldMutex(offset: number, count: number): number {
    return this.#inner.firstHeldMutex(offset, count);
  }
  mutexHolder(offset: number): number | undefined {
    return this.#inner.mutexHolder(offset);
  }
  rangeHolder(start: number, length: number): number | undefined {
    return this.#inner.rangeHolder(start, length);
  }
  tryLockMutex(offset: number): ReturnType<SharedFile["tryLockMutex"]> {
    return this.#inner.tryLockMutex(offset);
  }
  waitLockMutex(offset: number, timeoutMs: number): ReturnType<SharedFile["waitLockMutex"]> {
    return this.#inner.waitLockMutex(offset, timeoutMs);
  }
  unlockMutex(offset: number): void {
    this.#inner.unlockMutex(offset);
  }
  close(): void {
    this.#inner.close();
  }
}

/** Opens files on such disks; waits are over at once, and no time passes. */
export function openerOver(files: FaultyFiles): FileTdbOpener {
  const after = (_delayMs: number, action: () => void) => {
    queueMicrotask(action);
    return { cancel: () => undefined };
  };
  const clock = { monotonicMs: () => 0 };
  return new FileTdbOpener({ files, timers: { after }, clock, mutexesWork: true });
}
