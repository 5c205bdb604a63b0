/**
 * Waits for locks of memory files, without threads: whenever a lock is given back, the waits are tried
 * again in the order in which they came. Deterministic; callbacks run through `soon`.
 */
import type { SharedFiles } from "../../platform/types/shared_files.ts";
import { systemFailure, tdbFailure } from "../errors.ts";
import { LockProtocol, tryingPrimitives } from "../locks/lock_protocol.ts";
import { lockTargetOf, targetHasJournal } from "../locks/lock_target.ts";
import { type LockWait, type LockWaiter, TDB_FLAGS, type Tdb, type TdbResult } from "../types.ts";
import type { MemorySharedFile } from "./memory_files.ts";

const DONE: TdbResult<void> = { ok: true, value: undefined };
const ALL = -2;

export class MemoryLockWaiter implements LockWaiter {
  readonly #files: SharedFiles;
  readonly #soon: (action: () => void) => void;

  /** `files`: the process whose waits these are (a MemoryProcess). */
  constructor(files: SharedFiles, soon: (action: () => void) => void) {
    this.#files = files;
    this.#soon = soon;
  }

  waitChain(tdb: Tdb, chain: number, granted: (outcome: TdbResult<void>) => void): LockWait {
    return new MemoryLockWait(this.#files, this.#soon, tdb, chain, granted);
  }

  waitAll(tdb: Tdb, granted: (outcome: TdbResult<void>) => void): LockWait {
    return new MemoryLockWait(this.#files, this.#soon, tdb, ALL, granted);
  }
}

class MemoryLockWait implements LockWait {
  readonly #files: SharedFiles;
  readonly #soon: (action: () => void) => void;
  readonly #tdb: Tdb;
  readonly #list: number;
  readonly #granted: (outcome: TdbResult<void>) => void;
  #state: "waiting" | "held" | "over" = "waiting";
  #file: MemorySharedFile | undefined;
  #locks: LockProtocol | undefined;
  #stopWatching: () => void = () => undefined;
  #tryScheduled = false;
  /** Until then the lock is no use, although it is given back again and again. */
  #replaying = false;

  constructor(
    files: SharedFiles,
    soon: (action: () => void) => void,
    tdb: Tdb,
    list: number,
    granted: (outcome: TdbResult<void>) => void,
  ) {
    this.#files = files;
    this.#soon = soon;
    this.#tdb = tdb;
    this.#list = list;
    this.#granted = granted;
    soon(() => this.#start());
  }

  #start(): void {
    if (this.#state !== "waiting") return;
    if ((this.#tdb.flags & TDB_FLAGS.NOLOCK) !== 0) {
      this.#state = "held";
      this.#granted(DONE);
      return;
    }
    const opened = this.#files.open(this.#tdb.path, { create: false, mode: 0 });
    if (!opened.ok) {
      this.#fail(systemFailure("open a TDB to wait for a lock", opened.error));
      return;
    }
    const file = opened.value as MemorySharedFile;
    this.#file = file;
    const target = lockTargetOf(file, this.#files.pageSize);
    if (typeof target === "string") {
      this.#fail(tdbFailure("corrupt", target));
      return;
    }
    this.#locks = new LockProtocol(file, tryingPrimitives(file), target);
    this.#stopWatching = file.onRelease(() => this.#tryLater());
    this.#try();
  }

  #fail(failure: TdbResult<void>): void {
    this.#end();
    this.#granted(failure);
  }

  #tryLater(): void {
    if (this.#tryScheduled || this.#state !== "waiting") return;
    this.#tryScheduled = true;
    this.#soon(() => {
      this.#tryScheduled = false;
      this.#try();
    });
  }

  #try(): void {
    const file = this.#file;
    const locks = this.#locks;
    if (this.#state !== "waiting" || this.#replaying) return;
    if (file === undefined || locks === undefined) return;
    if (file.isClosed) return;
    const taken = file.quietly(() =>
      this.#list === ALL ? locks.lockAll("write") : locks.lockList(this.#list, "write"),
    );
    if (taken === "busy") return;
    if (taken !== "granted") {
      this.#fail(systemFailure("wait for a lock", taken));
      return;
    }
    const target = lockTargetOf(file, this.#files.pageSize);
    if (typeof target !== "string" && targetHasJournal(file, target)) {
      this.#replaying = true;
      this.#unlock();
      this.#tdb.recover((outcome) => {
        this.#replaying = false;
        if (this.#state !== "waiting") return;
        if (outcome.ok || outcome.error.code === "busy") this.#tryLater();
        else this.#fail(outcome);
      });
      return;
    }
    this.#state = "held";
    this.#granted(DONE);
  }

  #unlock(): void {
    if (this.#list === ALL) this.#locks?.unlockAll();
    else this.#locks?.unlockList(this.#list);
  }

  #end(): void {
    this.#state = "over";
    this.#stopWatching();
    this.#file?.close();
  }

  release(): void {
    if (this.#state === "over") return;
    if (this.#state === "held" && this.#file !== undefined && !this.#file.isClosed) this.#unlock();
    this.#end();
  }
}
