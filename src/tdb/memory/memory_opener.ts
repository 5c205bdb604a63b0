/**
 * TDBs in memory: the same code as over files, on a MemoryDisk. For tests and the simulator.
 */
import type { Clock, Timers } from "../../platform/types/time.ts";
import { FileTdbOpener } from "../opener.ts";
import { MemoryDisk, type MemoryProcess } from "./memory_files.ts";
import { MemoryLockWaiter } from "./memory_lock_waiter.ts";

export interface MemoryTdbOptions {
  /** Shared by the processes that shall see the same files; a new one otherwise. */
  readonly disk?: MemoryDisk;
  /** Later turns, for what finishes by itself. */
  readonly timers?: Pick<Timers, "after" | "soon">;
  readonly clock?: Pick<Clock, "monotonicMs">;
  readonly mutexesWork?: boolean;
  /** Keeps syncs out: by default commits sync (and memory answers at once). */
  readonly noSync?: boolean;
}

export interface MemoryTdbs {
  readonly opener: FileTdbOpener;
  readonly lockWaiter: MemoryLockWaiter;
  readonly disk: MemoryDisk;
  /** `kill()` is SIGKILL for everything that was opened through this opener and waiter. */
  readonly process: MemoryProcess;
}

/** For those who give no timers: everything happens right after the caller's own step. */
const AT_ONCE: Pick<Timers, "after" | "soon"> = {
  soon: (action) => void Promise.resolve().then(action),
  after: (_delayMs, action) => {
    let cancelled = false;
    void Promise.resolve().then(() => {
      if (!cancelled) action();
    });
    return {
      cancel() {
        cancelled = true;
      },
    };
  },
};

/** One "process": opener and waiter over the disk's files. */
export function createMemoryTdbs(options: MemoryTdbOptions = {}): MemoryTdbs {
  const timers = options.timers ?? AT_ONCE;
  const disk = options.disk ?? new MemoryDisk({ soon: (action) => timers.soon(action) });
  const process = disk.process();
  const opener = new FileTdbOpener({
    files: process,
    timers,
    clock: options.clock ?? { monotonicMs: () => 0 },
    mutexesWork: options.mutexesWork ?? true,
    noSync: options.noSync === true,
  });
  const lockWaiter = new MemoryLockWaiter(process, (action) => timers.soon(action));
  return { opener, lockWaiter, disk, process };
}

export function createMemoryTdbOpener(options: MemoryTdbOptions = {}): FileTdbOpener {
  return createMemoryTdbs(options).opener;
}
