/** Time and chance of the real machine. The only place of the daemons where they come from. */
import { CLOCK_FUNCTIONS } from "../libc/functions.ts";
import { nativeMemory, openLibc } from "../libc/libc.ts";
import type { Clock, Random, Timeval } from "../types/time.ts";

const CLOCK_REALTIME = 0;
const CLOCK_THREAD_CPUTIME_ID = 3;
const CLOCK_BOOTTIME = 7;
const libc = openLibc(CLOCK_FUNCTIONS);
/** struct timespec: seconds and nanoseconds, 64 bits each. */
const timespec = nativeMemory(16);

export class SystemClock implements Clock {
  /** CLOCK_MONOTONIC since the start of this thread: steps of the wall clock do not touch it. */
  monotonicMs(): number {
    return performance.now();
  }

  /** Date.now() has no microseconds, and performance.timeOrigin misses steps of the clock. */
  wallTime(): Timeval {
    libc.clock_gettime(CLOCK_REALTIME, timespec.address);
    const words = timespec.words;
    const sec = (words[1] as number) * 0x100000000 + ((words[0] as number) >>> 0);
    return { sec, usec: Math.floor((words[2] as number) / 1000) };
  }
}

/**
 * CLOCK_BOOTTIME: the same in all processes of this machine, and it goes on while the machine sleeps. What ends while nobody
 * here runs, a lease that somebody else counts, is counted by it.
 */
export class BootClock extends SystemClock {
  override monotonicMs(): number {
    libc.clock_gettime(CLOCK_BOOTTIME, timespec.address);
    const { words } = timespec;
    return ((words[0] as number) >>> 0) * 1000 + (words[2] as number) / 1e6;
  }
}

/** Processor time of this thread, in milliseconds. */
export function threadProcessorMs(): number {
  libc.clock_gettime(CLOCK_THREAD_CPUTIME_ID, timespec.address);
  const { words } = timespec;
  return ((words[0] as number) >>> 0) * 1000 + (words[2] as number) / 1e6;
}

const RANDOM_WORDS = 256;

/** From the kernel, in batches: one number costs an array read. */
export class SystemRandom implements Random {
  readonly #words = new Uint32Array(RANDOM_WORDS);
  #next = RANDOM_WORDS;

  u32(): number {
    if (this.#next === RANDOM_WORDS) {
      crypto.getRandomValues(this.#words);
      this.#next = 0;
    }
    const value = this.#words[this.#next] as number;
    this.#next += 1;
    return value;
  }
}
