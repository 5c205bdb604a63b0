/**
 * Replays a journal that a killed process left, beside whoever noticed it: with an open file of its
 * own, in slices, taking all records and the open lock by trying.
 *
 * Invariants:
 * 1. `finished` is called exactly once, in a later turn, and then nothing is held any more; not at all
 *    after `cancel()`.
 * 2. It gives up, with "busy", when the locks cannot be had for a while: whoever notices the journal
 *    next starts anew.
 */
import type { CrashPoints } from "../../base/crash_points.ts";
import type { SharedFile, SharedFiles } from "../../platform/types/shared_files.ts";
import type { Clock, Timers } from "../../platform/types/time.ts";
import { BUSY, systemFailure } from "../errors.ts";
import { dataStart, LOCK, type MutexLayout } from "../format/format.ts";
import { LockProtocol, tryingPrimitives } from "../locks/lock_protocol.ts";
import { DirectPages } from "../records/pages.ts";
import { Space } from "../records/space.ts";
import { GeneratorWork } from "../sliced.ts";
import type { TdbResult } from "../types.ts";
import { DurableFile } from "./durable_file.ts";
import { replayJournal } from "./replay.ts";

export interface RecoveryTarget {
  readonly path: string;
  readonly hashSize: number;
  readonly headerOffset: number;
  readonly mutexes: MutexLayout | undefined;
  readonly noLock: boolean;
  readonly noSync: boolean;
}

export interface RecoverySurroundings {
  readonly files: SharedFiles;
  readonly timers: Pick<Timers, "after">;
  readonly clock: Pick<Clock, "monotonicMs">;
  /** For tests that end a process in the middle of a commit. */
  readonly crashPoints?: CrashPoints | undefined;
}

const SLICE_MS = 5;
const WAIT_MS = 2;
const LOCK_TRIES_MAX = 500;

export class JournalRecovery {
  readonly #target: RecoveryTarget;
  readonly #around: RecoverySurroundings;
  readonly #finished: (outcome: TdbResult<void>) => void;
  #lockTries = 0;
  #cancelled = false;

  constructor(
    target: RecoveryTarget,
    around: RecoverySurroundings,
    finished: (outcome: TdbResult<void>) => void,
  ) {
    this.#target = target;
    this.#around = around;
    this.#finished = finished;
    around.timers.after(0, () => this.#start());
  }

  /** Nothing more is written; the journal stays for others. */
  cancel(): void {
    this.#cancelled = true;
  }

  #start(): void {
    if (this.#cancelled) return;
    const { path } = this.#target;
    const opened = this.#around.files.open(path, { create: false, mode: 0 });
    if (!opened.ok) {
      this.#finished(systemFailure("open the TDB to undo a commit", opened.error));
      return;
    }
    const locks = new LockProtocol(opened.value, tryingPrimitives(opened.value), this.#target);
    this.#tryLocks(opened.value, locks);
  }

  #tryLocks(file: SharedFile, locks: LockProtocol): void {
    const locked = this.#target.noLock || lockEverything(file, locks);
    if (locked) {
      this.#replay(file, locks);
      return;
    }
    this.#lockTries += 1;
    if (this.#lockTries > LOCK_TRIES_MAX) {
      file.close();
      this.#finished(BUSY);
      return;
    }
    this.#around.timers.after(WAIT_MS, () => this.#tryLocks(file, locks));
  }

  #replay(file: SharedFile, locks: LockProtocol): void {
    const { path, hashSize, headerOffset, noSync } = this.#target;
    const space = new Space(new DirectPages(file, headerOffset), {
      path,
      hashSize,
      dataStart: dataStart(hashSize),
      pageSize: this.#around.files.pageSize,
    });
    const disk = new DurableFile(file, headerOffset, noSync);
    const work = new GeneratorWork(
      this.#around.clock,
      (slice) => replayJournal(slice, space, disk),
      () => undefined,
    );
    const next = (): void => {
      if (this.#cancelled) {
        if (!this.#target.noLock) locks.unlockAll();
        file.close();
        return;
      }
      const outcome = work.step(SLICE_MS);
      if (outcome === undefined) {
        this.#around.timers.after(work.waiting ? WAIT_MS : 0, next);
        return;
      }
      if (!this.#target.noLock) locks.unlockAll();
      file.close();
      this.#finished(outcome);
    };
    next();
  }
}

/** Mutexes first, then what C processes take to recover: everything from the chains, and OPEN. */
function lockEverything(file: SharedFile, locks: LockProtocol): boolean {
  if (locks.lockAll("write") !== "granted") return false;
  if (
    file.tryLockRange("write", LOCK.chains, 0) === "granted" &&
    file.tryLockRange("write", LOCK.open, 1) === "granted"
  ) {
    return true;
  }
  locks.unlockAll();
  file.unlockRange(LOCK.chains, 0);
  return false;
}
