/**
 * The TDB files of a simulated host, and the locks that its processes hold in them. The files
 * outlive processes; a process that dies gives its locks back, as the kernel does.
 */
import { assert } from "../../src/base/assert.ts";
import { MemoryDisk } from "../../src/tdb/memory/memory_files.ts";
import { createMemoryTdbs, type MemoryTdbs } from "../../src/tdb/memory/memory_opener.ts";
import type { LockWaiter, Tdb, TdbOpener, TdbOpenOptions, TdbResult } from "../../src/tdb/types.ts";
import type { DiskTrouble } from "./disk_trouble.ts";
import type { SeededRandom } from "./random.ts";
import type { Scheduler, SimProcess } from "./scheduler.ts";

const FILE_BYTES_MAX = 16 * 1024 * 1024;
const SYNC_MAX_MS = 6;
const SECTOR_BYTES = 512;

/** Told of every handle that a process opens, so that checkers can hang on its stores. */
export type TdbOpened = (tdb: Tdb) => void;

export class SimDisk {
  readonly trouble: DiskTrouble;
  readonly #disk: MemoryDisk;
  readonly #random: SeededRandom;
  readonly #byProcess = new Map<SimProcess, MemoryTdbs>();
  /** What is on the platters of the files that somebody has synced. */
  readonly #durable = new Map<string, Uint8Array>();
  /** Memory of copies that nobody needs any more: new memory for each sync costs more than the copying. */
  readonly #spares: Uint8Array[] = [];
  readonly #lastSync = new Map<string, number>();
  #syncs = 0;
  /** Syncs up to this one that were not over did not happen. */
  #lostAfter = 0;

  constructor(
    scheduler: Scheduler,
    kernel: SimProcess,
    random: SeededRandom,
    trouble: DiskTrouble,
  ) {
    this.#random = random;
    this.trouble = trouble;
    this.#disk = new MemoryDisk({
      soon: (action) => scheduler.soon(kernel, action),
      fileBytesMax: FILE_BYTES_MAX,
      fixedMemory: true,
      refuses: (operation, path, from, to) => this.trouble.refuses(operation, path, from, to),
      sync: (path, synced) => {
        const content = this.#disk.read(path, this.#spares.pop());
        const order = ++this.#syncs;
        kernel.timers.after(this.#random.between(0.05, SYNC_MAX_MS), () => {
          if (this.trouble.fails(path)) {
            if (content !== undefined) this.#spares.push(content);
            synced("EIO");
            return;
          }
          const older = order < Math.max(this.#lostAfter, this.#lastSync.get(path) ?? 0);
          if (content !== undefined) this.#synced(path, order, content, older);
          synced();
        });
      },
    });
  }

  /** Of the old and the new content, the one that is not durable now gives its memory to the next sync. */
  #synced(path: string, order: number, content: Uint8Array, older: boolean): void {
    const replaced = older ? content : this.#durable.get(path);
    if (replaced !== undefined) this.#spares.push(replaced);
    if (older) return;
    this.#durable.set(path, content);
    this.#lastSync.set(path, order);
  }

  /** With all processes dead that have such files: of what was not synced any sector may be the old one. */
  losePower(): void {
    this.#lostAfter = this.#syncs + 1;
    for (const path of this.#disk.paths()) {
      const now = this.#disk.read(path);
      const durable = this.#durable.get(path);
      if (now === undefined || path.startsWith("/volatile/")) continue;
      if (durable !== undefined) this.#disk.put(path, this.#mixed(durable, now));
      // Nobody ever synced it: not even that it exists is on disk.
      else this.#disk.remove(path);
    }
  }

  /** As when the host comes up with an empty disk, with all processes dead that have files. */
  loseFiles(): void {
    for (const path of this.#disk.paths()) this.#disk.remove(path);
    this.#durable.clear();
  }

  #mixed(durable: Uint8Array, now: Uint8Array): Uint8Array {
    const mixed = new Uint8Array(this.#random.chance(0.5) ? durable.length : now.length);
    const survival = this.#random.pick([0, 0.5, 0.9]);
    for (let at = 0; at < mixed.length; at += SECTOR_BYTES) {
      const source = this.#random.chance(survival) ? now : durable;
      mixed.set(source.subarray(at, Math.min(at + SECTOR_BYTES, mixed.length)), at);
    }
    return mixed;
  }

  // --- as a directory

  rename(from: string, to: string): boolean {
    const durable = this.#durable.get(from);
    this.#durable.delete(from);
    if (durable !== undefined) this.#durable.set(to, durable);
    return this.#disk.rename(from, to);
  }

  get paths(): readonly string[] {
    return this.#disk.paths();
  }

  opener(process: SimProcess, opened: TdbOpened): TdbOpener {
    const { opener } = this.#tdbs(process);
    const open = (options: TdbOpenOptions): TdbResult<Tdb> => {
      const tdb = opener.open(options);
      if (!tdb.ok) return tdb;
      this.trouble.hangOn(tdb.value);
      opened(tdb.value);
      return tdb;
    };
    const openInSlices = (options: TdbOpenOptions) => ({ step: () => open(options), cancel() {} });
    return { mutexesWork: false, open, openInSlices };
  }

  waiter(process: SimProcess): LockWaiter {
    return this.#tdbs(process).lockWaiter;
  }

  #tdbs(process: SimProcess): MemoryTdbs {
    assert(process.alive, "a dead process opens no files");
    let tdbs = this.#byProcess.get(process);
    if (tdbs === undefined) {
      const made = createMemoryTdbs({
        disk: this.#disk,
        timers: process.timers,
        clock: process.clock,
      });
      process.onDeath(() => {
        this.#byProcess.delete(process);
        made.process.kill();
      });
      this.#byProcess.set(process, made);
      tdbs = made;
    }
    return tdbs;
  }
}
