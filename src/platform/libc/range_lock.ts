/**
 * Byte-range locks as open-file-description locks (F_OFD_SETLK, F_OFD_SETLKW).
 *
 * Invariants:
 * 1. Never F_SETLK: POSIX locks belong to the process and would be holed by other threads.
 * 2. `RangeLockWaits` blocks its thread in the kernel's queue of waiters, so it is woken when the lock is
 *    freed. A timer signal to this thread (SIGEV_THREAD_ID, a handler that does nothing, no SA_RESTART)
 *    ends the wait with EINTR; the timer repeats, so a signal that comes before the call is not lost.
 *
 * Must not: wait on the event loop. docs/platform.md, "Byte-range locks".
 */
import type { LockType, TryLock } from "../types/shared_files.ts";
import { ALARM_FUNCTIONS, DESCRIPTOR_FUNCTIONS } from "./functions.ts";
import { cText, ERRNO, errno, nativeMemory, openLibc, systemError } from "./libc.ts";

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_OFD_SETLKW = 38;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;

const libc = openLibc(DESCRIPTOR_FUNCTIONS);

/**
 * struct flock of 64-bit Linux: type i16, whence i16 (SEEK_SET), 4 bytes of padding, start i64,
 * length i64, pid i32 (must be 0 for OFD locks). One is enough: every call fills it and returns.
 */
const flock = nativeMemory(32);

function fillFlock(type: number, start: number, length: number): void {
  const words = flock.words;
  words[0] = type;
  words[2] = start | 0;
  words[3] = Math.floor(start / 0x100000000);
  words[4] = length | 0;
  words[5] = Math.floor(length / 0x100000000);
  words[6] = 0;
}

export function tryRangeLock(
  descriptor: number,
  path: string,
  type: LockType,
  start: number,
  length: number,
): TryLock {
  fillFlock(type === "read" ? F_RDLCK : F_WRLCK, start, length);
  for (;;) {
    if (libc.fcntl(descriptor, F_OFD_SETLK, flock.address) === 0) return "granted";
    const number = errno();
    if (number === ERRNO.EAGAIN || number === ERRNO.EACCES) return "busy";
    if (number !== ERRNO.EINTR) return systemError(number, "fcntl(F_OFD_SETLK)", path);
  }
}

export function unlockRange(descriptor: number, path: string, start: number, length: number): void {
  fillFlock(F_UNLCK, start, length);
  while (libc.fcntl(descriptor, F_OFD_SETLK, flock.address) !== 0) {
    const number = errno();
    if (number !== ERRNO.EINTR) throw systemError(number, "fcntl(F_OFD_SETLK, F_UNLCK)", path);
  }
}

/** Enough to look behind the locks of a few waiting threads. */
const HOLDER_QUERIES_MAX = 32;

/** See SharedFile.rangeHolder. A length of 0 reaches to the end. */
export function rangeHolder(descriptor: number, start: number, length: number): number | undefined {
  const end = length === 0 ? Number.POSITIVE_INFINITY : start + length;
  const parts = [{ start, end }];
  for (let queries = 0; queries < HOLDER_QUERIES_MAX; queries++) {
    const part = parts.pop();
    if (part === undefined) return undefined;
    const partLength = part.end === Number.POSITIVE_INFINITY ? 0 : part.end - part.start;
    fillFlock(F_WRLCK, part.start, partLength);
    if (libc.fcntl(descriptor, F_OFD_GETLK, flock.address) !== 0) return undefined;
    const { view } = flock;
    if (view.getInt16(0, true) === F_UNLCK) continue;
    const pid = view.getInt32(24, true);
    if (pid > 0) return pid;
    // An open file description's: others may hold something before or behind it.
    const from = Number(view.getBigInt64(8, true));
    const bytes = Number(view.getBigInt64(16, true));
    if (from > part.start) parts.push({ start: part.start, end: from });
    if (bytes !== 0 && from + bytes < part.end) parts.push({ start: from + bytes, end: part.end });
  }
  return undefined;
}

/** Waits for locks, for one thread that may wait. */
export class RangeLockWaits {
  /** Made when the thread waits for the first time. */
  #alarm: ThreadAlarm | undefined;

  /** Waits up to `timeoutMs`; "busy" when the time is over. */
  lock(
    descriptor: number,
    path: string,
    type: LockType,
    start: number,
    length: number,
    timeoutMs: number,
  ): TryLock {
    const first = tryRangeLock(descriptor, path, type, start, length);
    if (first !== "busy" || timeoutMs <= 0) return first;
    const deadline = performance.now() + timeoutMs;
    this.#alarm ??= new ThreadAlarm();
    const alarm = this.#alarm;
    alarm.start(timeoutMs);
    try {
      for (;;) {
        fillFlock(type === "read" ? F_RDLCK : F_WRLCK, start, length);
        if (libc.fcntl(descriptor, F_OFD_SETLKW, flock.address) === 0) return "granted";
        const number = errno();
        if (number !== ERRNO.EINTR) return systemError(number, "fcntl(F_OFD_SETLKW)", path);
        if (performance.now() >= deadline) return "busy";
      }
    } finally {
      alarm.stop();
    }
  }
}

/** A real-time signal that neither libc, Bun nor the JavaScript engine uses. */
const ALARM_SIGNAL = 44;
const CLOCK_MONOTONIC = 1;
const SIGEV_THREAD_ID = 4;
const REPEAT_MS = 20;

/** Interrupts system calls of the thread that made it. */
class ThreadAlarm {
  readonly #libc = openLibc(ALARM_FUNCTIONS);
  readonly #timer: number;
  readonly #times = nativeMemory(32);

  constructor() {
    installIdleHandler();
    const event = nativeMemory(64);
    event.words[2] = ALARM_SIGNAL;
    event.words[3] = SIGEV_THREAD_ID;
    event.words[4] = ownThreadId();
    const timer = nativeMemory(8);
    if (this.#libc.timer_create(CLOCK_MONOTONIC, event.address, timer.address) !== 0) {
      throw systemError(errno(), "timer_create", "lock wait");
    }
    this.#timer = Number(timer.view.getBigUint64(0, true));
  }

  start(delayMs: number): void {
    this.#set(REPEAT_MS, Math.max(delayMs, 1));
  }

  stop(): void {
    this.#set(0, 0);
  }

  /** struct itimerspec: interval and first expiry, each seconds and nanoseconds. */
  #set(intervalMs: number, firstMs: number): void {
    this.#times.words[0] = Math.floor(intervalMs / 1000);
    this.#times.words[2] = Math.floor((intervalMs % 1000) * 1e6);
    this.#times.words[4] = Math.floor(firstMs / 1000);
    this.#times.words[6] = Math.floor((firstMs % 1000) * 1e6);
    if (this.#libc.timer_settime(this.#timer, 0, this.#times.address, 0) !== 0) {
      throw systemError(errno(), "timer_settime", "lock wait");
    }
  }
}

/**
 * The handler must not be JavaScript (a signal arrives anywhere), so it is libc's `abs`: it takes an
 * int, touches nothing and returns.
 */
function installIdleHandler(): void {
  const library = openLibc(ALARM_FUNCTIONS);
  const handler = library.dlsym(0, cText("abs"));
  if (handler === 0) throw new Error('Cannot find "abs" in the C library');
  // struct sigaction: handler at 0, mask of 128 bytes, flags (0: no SA_RESTART), restorer.
  const action = nativeMemory(152);
  action.view.setBigUint64(0, BigInt(handler), true);
  if (library.sigaction(ALARM_SIGNAL, action.address, 0) !== 0) {
    throw systemError(errno(), "sigaction", "lock wait");
  }
}

function ownThreadId(): number {
  return openLibc(ALARM_FUNCTIONS).syscall(process.arch === "arm64" ? 178 : 186);
}
