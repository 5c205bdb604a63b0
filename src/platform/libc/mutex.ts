/**
 * Robust, process-shared, error-checking mutexes in shared memory, as libtdb lays them out: glibc's
 * pthread_mutex_t, 40 bytes on x86_64, 48 on aarch64.
 *
 * Invariants:
 * 1. The initial bytes are taken from pthread_mutex_init itself, and the size is what it writes; a
 *    size that the processor's glibc does not have stops the process before a file is touched.
 * 2. A mutex is unlocked by the thread that locked it, at the address at which it was locked.
 * 3. "owner_died" means: granted, and already made consistent.
 * 4. Of the bytes of a mutex only two words are known here, the same in every glibc: the one that is 0
 *    exactly while nobody holds it, and the owner.
 *
 * Must not: wait without a limit. docs/platform.md, "Mutexes".
 */
import type { TryLock } from "../types/shared_files.ts";
import {
  CLOCK_FUNCTIONS,
  MUTEX_FUNCTIONS,
  MUTEX_INIT_FUNCTIONS,
  MUTEX_WAIT_FUNCTIONS,
} from "./functions.ts";
import { ERRNO, nativeMemory, openLibc, systemError } from "./libc.ts";

const PTHREAD_PROCESS_SHARED = 1;
const PTHREAD_MUTEX_ERRORCHECK = 2;
const PTHREAD_MUTEX_ROBUST = 1;
const CLOCK_MONOTONIC = 1;

const libc = openLibc(MUTEX_FUNCTIONS);

/** What pthread_mutex_init writes for the three attributes. */
export const MUTEX_TEMPLATE: Uint8Array = makeTemplate();

function makeTemplate(): Uint8Array {
  const library = openLibc(MUTEX_INIT_FUNCTIONS);
  const attributes = nativeMemory(64).address;
  const mutex = nativeMemory(128);
  mutex.bytes.fill(0xa5);
  const failed =
    library.pthread_mutexattr_init(attributes) ||
    library.pthread_mutexattr_setpshared(attributes, PTHREAD_PROCESS_SHARED) ||
    library.pthread_mutexattr_settype(attributes, PTHREAD_MUTEX_ERRORCHECK) ||
    library.pthread_mutexattr_setrobust(attributes, PTHREAD_MUTEX_ROBUST) ||
    library.pthread_mutex_init(mutex.address, attributes);
  if (failed !== 0) throw systemError(failed, "pthread_mutex_init", "robust mutex");
  let byteLength = mutex.bytes.length;
  while (mutex.bytes[byteLength - 1] === 0xa5) byteLength -= 1;
  const expected = process.arch === "arm64" ? 48 : 40;
  if (byteLength !== expected) {
    throw new Error(
      `Cannot share mutexes: pthread_mutex_t has ${byteLength} bytes, expected ${expected}`,
    );
  }
  return mutex.bytes.slice(0, byteLength);
}

/** The bytes of `count` unlocked mutexes. */
export function newMutexes(count: number): Uint8Array {
  const bytes = new Uint8Array(count * MUTEX_TEMPLATE.length);
  for (let at = 0; at < bytes.length; at += MUTEX_TEMPLATE.length) bytes.set(MUTEX_TEMPLATE, at);
  return bytes;
}

const LOCK_WORD = 0;
/** Of the lock word of a robust mutex: the thread that holds it (FUTEX_TID_MASK). */
const TID_MASK = 0x3fffffff;
/** 0 while nobody holds it; not 0 either in one that cannot be repaired any more. */
const OWNER_WORD = 2;

/**
 * x64: locking a mutex is a full barrier, and so is the exchange below: who locks one after we have read 0
 * sees what we announced before. Elsewhere only a write to the same word orders us before who locks it next.
 */
const READING_ORDERS = process.arch === "x64";

/**
 * See SharedFile.firstHeldMutex. A call of libc for each of 100 000 mutexes would take a hundred times as
 * long. Exchanging 0 for 0 (or an atomic load, which the engine does as an exchange) takes a fault for each page and
 * makes it dirty: 4 MiB for each freeze of a database.
 */
export function firstHeldMutex(area: Int32Array, count: number): number {
  const stride = MUTEX_TEMPLATE.length / 4;
  for (let i = 0; i < count; i++) {
    const word = i * stride;
    const state =
      READING_ORDERS && i > 0
        ? area[word + LOCK_WORD]
        : Atomics.compareExchange(area, word + LOCK_WORD, 0, 0);
    if (state !== 0 || area[word + OWNER_WORD] !== 0) return i;
  }
  return count;
}

/** See SharedFile.mutexHolder; `area` begins with the mutex. The upper bits of the word are glibc's. */
export function mutexHolder(area: Int32Array): number | undefined {
  const holder = Atomics.load(area, LOCK_WORD) & TID_MASK;
  return holder === 0 ? undefined : holder;
}

export function tryMutex(address: number, path: string): TryLock | "owner_died" {
  const number = libc.pthread_mutex_trylock(address);
  // glibc says EDEADLK when this thread itself holds it, perhaps through another open file.
  if (number === ERRNO.EDEADLK) return "busy";
  return outcome(number, address, "pthread_mutex_trylock", path);
}

export function unlockMutex(address: number, path: string): void {
  const number = libc.pthread_mutex_unlock(address);
  if (number !== 0) throw systemError(number, "pthread_mutex_unlock", path);
}

/** Waits for mutexes, for one thread that may wait. */
export class MutexWaits {
  /** Opened on first use: pthread_mutex_clocklock is missing in glibc before 2.30. */
  #clockLock: ClockLock | undefined;

  /** Waits up to `timeoutMs`; "busy" when the time is over. */
  lock(address: number, path: string, timeoutMs: number): TryLock | "owner_died" {
    this.#clockLock ??= new ClockLock();
    const number = this.#clockLock.lock(address, timeoutMs);
    return outcome(number, address, "pthread_mutex_clocklock", path);
  }
}

class ClockLock {
  readonly #libc = openLibc(MUTEX_WAIT_FUNCTIONS);
  readonly #clock = openLibc(CLOCK_FUNCTIONS);
  readonly #time = nativeMemory(16);

  lock(address: number, timeoutMs: number): number {
    this.#clock.clock_gettime(CLOCK_MONOTONIC, this.#time.address);
    const view = this.#time.view;
    const wholeSec = Math.floor(timeoutMs / 1000);
    let sec = Number(view.getBigInt64(0, true)) + wholeSec;
    let nsec = Number(view.getBigInt64(8, true)) + Math.floor((timeoutMs - wholeSec * 1000) * 1e6);
    if (nsec >= 1e9) {
      nsec -= 1e9;
      sec += 1;
    }
    view.setBigInt64(0, BigInt(sec), true);
    view.setBigInt64(8, BigInt(nsec), true);
    return this.#libc.pthread_mutex_clocklock(address, CLOCK_MONOTONIC, this.#time.address);
  }
}

function outcome(
  number: number,
  address: number,
  call: string,
  path: string,
): TryLock | "owner_died" {
  if (number === 0) return "granted";
  if (number === ERRNO.EBUSY || number === ERRNO.ETIMEDOUT) return "busy";
  if (number !== ERRNO.EOWNERDEAD) return systemError(number, call, path);
  const repaired = libc.pthread_mutex_consistent(address);
  if (repaired === 0) return "owner_died";
  return systemError(repaired, "pthread_mutex_consistent", path);
}
