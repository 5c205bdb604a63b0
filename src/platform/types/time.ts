/** Time and chance, as interfaces (rules for all of them: docs/platform.md, "Interfaces"). */

/** Seconds and microseconds since 1970, as in C's struct timeval. */
export interface Timeval {
  readonly sec: number;
  readonly usec: number;
}

export interface Clock {
  /** Milliseconds, fractional, from an arbitrary start; never goes back. */
  monotonicMs(): number;
  wallTime(): Timeval;
}

export interface Timer {
  cancel(): void;
}

/**
 * Delays may be of any length: callers hand on what an administrator said, times 1000. Negative ones are over
 * at once, Infinity never ends.
 */
export interface Timers {
  after(delayMs: number, action: () => void): Timer;
  /** Repeats until cancelled; a late turn does not cause a burst. */
  every(intervalMs: number, action: () => void): Timer;
  /** Runs once, after the work of the current turn and before further input is read. */
  soon(action: () => void): void;
  /** Runs once, after the input that is there was read; does not sleep. For long work in pieces. */
  nextTurn(action: () => void): void;
}

export interface Random {
  /** Uniform in 0..0xFFFFFFFF. */
  u32(): number;
}
