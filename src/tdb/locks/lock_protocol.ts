/**
 * Which byte ranges and mutexes make up a TDB lock, and in which order they are taken (docs/tdb.md,
 * "Lock map"). One protocol serves the event loop, whose primitives only try, and waiting threads,
 * whose primitives wait; the simulator's too.
 *
 * Invariants:
 * 1. "busy" leaves nothing locked that this call locked.
 * 2. With one chain mutex held, the allrecord lock is not looked at again: its owner waits for us.
 * 3. A mutex is unlocked by the thread that locked it, so one protocol object belongs to one thread.
 *
 * Must not: count nested locks (lock_table.ts), or look at records.
 */
import type { SharedFile, TryLock } from "../../platform/types/shared_files.ts";
import {
  ALLRECORD_READ,
  ALLRECORD_UNLOCKED,
  ALLRECORD_WRITE,
  FREELIST,
  LOCK,
  listLockOffset,
  type MutexLayout,
} from "../format/format.ts";
import type { LockMode } from "../types.ts";

/** How a single lock is taken: by trying once, or by waiting. */
export interface LockPrimitives {
  range(mode: LockMode, start: number, length: number): TryLock;
  /** Tries once, also where the others wait. */
  tryRange(mode: LockMode, start: number, length: number): TryLock;
  mutex(offset: number): TryLock | "owner_died";
}

/** `ownerDied`: a mutex was had from a process that had died with it. */
export function tryingPrimitives(file: SharedFile, ownerDied = () => {}): LockPrimitives {
  return {
    range: (mode, start, length) => file.tryLockRange(mode, start, length),
    tryRange: (mode, start, length) => file.tryLockRange(mode, start, length),
    mutex: (offset) => {
      const taken = file.tryLockMutex(offset);
      if (taken === "owner_died") ownerDied();
      return taken;
    },
  };
}

/** Ranges up to this long are not halved any further: one chain. */
const SINGLE_CHAIN_BYTES = 4;

export class LockProtocol {
  readonly #file: SharedFile;
  readonly #primitives: LockPrimitives;
  readonly #hashSize: number;
  readonly #mutexes: MutexLayout | undefined;
  #allrecordWord = new Int16Array(0);
  #chainMutexesHeld = 0;

  constructor(
    file: SharedFile,
    primitives: LockPrimitives,
    layout: { hashSize: number; mutexes: MutexLayout | undefined },
  ) {
    this.#file = file;
    this.#primitives = primitives;
    this.#hashSize = layout.hashSize;
    this.#mutexes = layout.mutexes;
    if (layout.mutexes !== undefined) {
      const at = layout.mutexes.allrecordLock;
      this.#allrecordWord = new Int16Array(file.view(at + 2), at, 1);
    }
  }

  /** `list`: a chain, or FREELIST. */
  lockList(list: number, mode: LockMode): TryLock {
    if (this.#mutexes === undefined) return this.#primitives.range(mode, listLockOffset(list), 1);
    return this.#lockListMutex(this.#mutexes, list, mode);
  }

  unlockList(list: number): void {
    if (this.#mutexes === undefined) {
      this.#file.unlockRange(listLockOffset(list), 1);
      return;
    }
    if (list !== FREELIST) this.#chainMutexesHeld -= 1;
    this.#file.unlockMutex(mutexOffset(this.#mutexes, list));
  }

  /** A read lock of a list becomes a write lock; mutexes know no difference. */
  upgradeList(list: number): TryLock {
    if (this.#mutexes !== undefined) return "granted";
    return this.#primitives.tryRange("write", listLockOffset(list), 1);
  }

  #lockListMutex(mutexes: MutexLayout, list: number, mode: LockMode): TryLock {
    const offset = mutexOffset(mutexes, list);
    for (;;) {
      const taken = this.#primitives.mutex(offset);
      if (taken !== "granted" && taken !== "owner_died") return taken;
      if (list === FREELIST) return "granted";
      if (this.#chainMutexesHeld > 0 || this.#allrecordAllows(mode)) {
        this.#chainMutexesHeld += 1;
        return "granted";
      }
      // Somebody has or wants all records: queue behind its mutex, then try again.
      this.#file.unlockMutex(offset);
      const all = this.#lockAllrecordMutex(mutexes);
      if (all !== "granted") return all;
      this.#file.unlockMutex(mutexes.allrecordMutex);
    }
  }

  /** Read after the mutex call, so that no earlier value is used. */
  #allrecordAllows(mode: LockMode): boolean {
    const state = Atomics.load(this.#allrecordWord, 0);
    return state === ALLRECORD_UNLOCKED || (state === ALLRECORD_READ && mode === "read");
  }

  #setAllrecord(state: number): void {
    Atomics.store(this.#allrecordWord, 0, state);
  }

  /**
   * Whoever holds the allrecord lock holds this mutex all the time: once it is ours, a value that says
   * "locked" was left by a process that died.
   */
  #lockAllrecordMutex(mutexes: MutexLayout): TryLock {
    const taken = this.#primitives.mutex(mutexes.allrecordMutex);
    if (taken !== "granted" && taken !== "owner_died") return taken;
    if (Atomics.load(this.#allrecordWord, 0) !== ALLRECORD_UNLOCKED) {
      this.#setAllrecord(ALLRECORD_UNLOCKED);
    }
    return "granted";
  }

  lockAll(mode: LockMode): TryLock {
    const tail = listLockOffset(this.#hashSize);
    const mutexes = this.#mutexes;
    const chains =
      mutexes === undefined
        ? this.#lockGradually(mode, LOCK.chains, tail - LOCK.chains)
        : this.#lockAllMutexes(mutexes, mode);
    if (chains !== "granted") {
      if (mutexes === undefined) this.#file.unlockRange(LOCK.chains, 0);
      return chains;
    }
    // Locks of single records lie behind the chains.
    const records = this.#primitives.range(mode, tail, 0);
    if (records !== "granted") this.unlockAll();
    return records;
  }

  /** The whole range at once if it is free; else in halves, so that short locks cannot starve us. */
  #lockGradually(mode: LockMode, start: number, length: number): TryLock {
    if (length <= SINGLE_CHAIN_BYTES) return this.#primitives.range(mode, start, length);
    const whole = this.#primitives.tryRange(mode, start, length);
    if (whole !== "busy") return whole;
    const half = Math.floor(length / 2);
    const first = this.#lockGradually(mode, start, half);
    if (first !== "granted") return first;
    return this.#lockGradually(mode, start + half, length - half);
  }

  #lockAllMutexes(mutexes: MutexLayout, mode: LockMode): TryLock {
    const all = this.#lockAllrecordMutex(mutexes);
    if (all !== "granted") return all;
    this.#setAllrecord(mode === "read" ? ALLRECORD_READ : ALLRECORD_WRITE);
    const passed = this.#passChainMutexes(mutexes);
    if (passed !== "granted") {
      this.#setAllrecord(ALLRECORD_UNLOCKED);
      this.#file.unlockMutex(mutexes.allrecordMutex);
    }
    return passed;
  }

  /** Whoever held a chain when the allrecord lock was announced has let go of it afterwards. */
  #passChainMutexes(mutexes: MutexLayout): TryLock {
    for (let chain = 0; ; chain++) {
      chain += this.#file.firstHeldMutex(mutexOffset(mutexes, chain), this.#hashSize - chain);
      if (chain >= this.#hashSize) return "granted";
      const offset = mutexOffset(mutexes, chain);
      const taken = this.#primitives.mutex(offset);
      if (taken !== "granted" && taken !== "owner_died") return taken;
      this.#file.unlockMutex(offset);
    }
  }

  /**
   * Who keeps others from a list, or (undefined) from all lists: a process or thread id, as far as the
   * system tells.
   */
  holderOf(list: number | undefined): number | undefined {
    const mutexes = this.#mutexes;
    if (mutexes === undefined) {
      return list === undefined
        ? this.#file.rangeHolder(LOCK.chains, 0)
        : this.#file.rangeHolder(listLockOffset(list), 1);
    }
    // Who waits for all lists holds the allrecord mutex meanwhile, so it is looked at last.
    const held = list ?? this.#firstHeldChain(mutexes);
    const holder =
      held < this.#hashSize ? this.#file.mutexHolder(mutexOffset(mutexes, held)) : undefined;
    return holder ?? this.#file.mutexHolder(mutexes.allrecordMutex);
  }

  #firstHeldChain(mutexes: MutexLayout): number {
    return this.#file.firstHeldMutex(mutexOffset(mutexes, 0), this.#hashSize);
  }

  unlockAll(): void {
    if (this.#mutexes === undefined) {
      this.#file.unlockRange(LOCK.chains, 0);
      return;
    }
    this.#setAllrecord(ALLRECORD_UNLOCKED);
    this.#file.unlockMutex(this.#mutexes.allrecordMutex);
    this.#file.unlockRange(listLockOffset(this.#hashSize), 0);
  }

  /** From the read lock of lockAll to a write lock; "busy" leaves the read lock. */
  upgradeAll(): TryLock {
    const mutexes = this.#mutexes;
    if (mutexes === undefined) return this.#primitives.range("write", LOCK.chains, 0);
    this.#setAllrecord(ALLRECORD_WRITE);
    let upgraded = this.#passChainMutexes(mutexes);
    if (upgraded === "granted") {
      upgraded = this.#primitives.range("write", listLockOffset(this.#hashSize), 0);
    }
    if (upgraded !== "granted") this.#setAllrecord(ALLRECORD_READ);
    return upgraded;
  }
}

function mutexOffset(mutexes: MutexLayout, list: number): number {
  return mutexes.firstListMutex + (list + 1) * mutexes.mutexBytes;
}
