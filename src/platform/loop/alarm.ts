/**
 * A timer of the kernel that makes a descriptor ready (timerfd): the loop sets it for what is due next, only
 * when that changes, so that waiting for events needs no time-out.
 */
import { LOOP_FUNCTIONS } from "../libc/functions.ts";
import { errno, nativeMemory, openLibc, systemError } from "../libc/libc.ts";

const CLOCK_MONOTONIC = 1;
/** TFD_NONBLOCK and TFD_CLOEXEC. */
const FLAGS = 0o2004000;
/** Longer ones are set again when they are over. */
const DELAY_MS_MAX = 0x7fffffff;

export class Alarm {
  readonly descriptor: number;
  readonly #libc = openLibc(LOOP_FUNCTIONS);
  /** struct itimerspec: interval and first expiry, each seconds and nanoseconds of 64 bits. */
  readonly #spec = nativeMemory(32);
  readonly #delayMsMax: number;
  #setMs = Number.POSITIVE_INFINITY;

  /** `delayMsMax`: longer delays are waited for in steps; tests take a short one. */
  constructor(delayMsMax = DELAY_MS_MAX) {
    this.#delayMsMax = delayMsMax;
    this.descriptor = this.#libc.timerfd_create(CLOCK_MONOTONIC, FLAGS);
    if (this.descriptor === -1) throw systemError(errno(), "timerfd_create", "event loop");
  }

  /** For a time of performance.now(); Infinity: never. Setting it also makes the descriptor unready. */
  set(dueMs: number, nowMs: number): void {
    this.#setMs = dueMs;
    const words = this.#spec.words;
    const delayMs = Math.min(dueMs - nowMs, this.#delayMsMax);
    if (dueMs === Number.POSITIVE_INFINITY) {
      words[4] = 0;
      words[6] = 0;
    } else if (delayMs <= 0) {
      words[4] = 0;
      words[6] = 1;
    } else {
      const sec = Math.floor(delayMs / 1000);
      words[4] = sec;
      // Never 0, which would disarm it.
      words[6] = Math.min(Math.floor((delayMs - sec * 1000) * 1e6) + 1, 999_999_999);
    }
    this.#libc.timerfd_settime(this.descriptor, 0, this.#spec.address, 0);
  }

  /** What it is set for; Infinity after it has rung. */
  get setMs(): number {
    return this.#setMs;
  }
}
