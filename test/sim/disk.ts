/**
 * The TDB files of a simulated host, and the locks that its processes hold in them. The files
 * outlive processes; a process that dies gives its locks back, as the kernel does.
 */
import { assert } from "../../src/base/assert.ts";
import { MemoryDisk } from "../../src/tdb/memory_files.ts";
import { createMemoryTdbs, type MemoryTdbs } from "../../src/tdb/memory_opener.ts";
import type { LockWaiter, Tdb, TdbOpener } from "../../src/tdb/types.ts";
import type { Scheduler, SimProcess } from "./scheduler.ts";

const FILE_BYTES_MAX = 16 * 1024 * 1024;

/** Told of every handle that a process opens, so that checkers can hang on its stores. */
export type TdbOpened = (tdb: Tdb) => void;

export class SimDisk {
  readonly #disk: MemoryDisk;
  readonly #byProcess = new Map<SimProcess, MemoryTdbs>();

  constructor(scheduler: Scheduler, kernel: SimProcess) {
    this.#disk = new MemoryDisk({
      soon: (action) => scheduler.soon(kernel, action),
      fileBytesMax: FILE_BYTES_MAX,
    });
  }

  get paths(): readonly string[] {
    return this.#disk.paths();
  }

  opener(process: SimProcess, opened: TdbOpened): TdbOpener {
    const { opener } = this.#tdbs(process);
    return {
      mutexesWork: false,
      open: (options) => {
        const tdb = opener.open(options);
        if (tdb.ok) opened(tdb.value);
        return tdb;
      },
    };
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
        noSync: true,
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
