/** One timer of the runtime, for deadlines while the runtime waits instead of our loop. */

/** What setTimeout takes; a longer delay is waited for in steps. */
const DELAY_MS_MAX = 0x7fffffff;

export class RuntimeDeadline {
  readonly #action: () => void;
  readonly #delayMsMax: number;
  #handle: ReturnType<typeof setTimeout> | undefined;
  #setMs = Number.POSITIVE_INFINITY;

  constructor(action: () => void, delayMsMax = DELAY_MS_MAX) {
    this.#action = action;
    this.#delayMsMax = delayMsMax;
  }

  /** What it is set for; Infinity: nothing. */
  get setMs(): number {
    return this.#setMs;
  }

  /** For a time of performance.now(); Infinity: never. Whole milliseconds, never too early. */
  set(dueMs: number, nowMs: number): void {
    if (dueMs === this.#setMs) return;
    clearTimeout(this.#handle);
    this.#setMs = dueMs;
    if (dueMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.min(Math.max(Math.ceil(dueMs - nowMs), 0), this.#delayMsMax);
    this.#handle = setTimeout(() => {
      this.#setMs = Number.POSITIVE_INFINITY;
      this.#action();
    }, delayMs);
  }
}
