/** Time and chance of the real machine. The only place of the daemons where they come from. */
import { getRandomValues } from "node:crypto";
import type { Clock, Random, Timeval } from "../types.ts";

export class BunClock implements Clock {
  /** CLOCK_MONOTONIC since the start of this thread: steps of the wall clock do not touch it. */
  monotonicMs(): number {
    return performance.now();
  }

  wallTime(): Timeval {
    // Date.now() has no microseconds; timeOrigin would keep the wall clock of the start for ever.
    const nowMs = Date.now();
    const sec = Math.floor(nowMs / 1000);
    return { sec, usec: (nowMs - sec * 1000) * 1000 };
  }
}

export const bunClock: Clock = new BunClock();

const RANDOM_WORDS = 256;

/** From the kernel, in batches: one number costs an array read. */
export class BunRandom implements Random {
  readonly #words = new Uint32Array(RANDOM_WORDS);
  #next = RANDOM_WORDS;

  u32(): number {
    if (this.#next === RANDOM_WORDS) {
      getRandomValues(this.#words);
      this.#next = 0;
    }
    const value = this.#words[this.#next] as number;
    this.#next += 1;
    return value;
  }
}

export const bunRandom: Random = new BunRandom();
