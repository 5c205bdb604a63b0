/**
 * When one node is connected to: one attempt after the other, with pauses that count from the beginning of
 * the last one.
 *
 * Invariant: at most one attempt is planned or under way.
 */
import type { Clock, Timer, Timers } from "../platform/types/time.ts";

export class ConnectAttempts {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #timers: Timers;
  readonly #begin: () => Timer;
  /** The next attempt, or the one under way. */
  #current: Timer | undefined;
  /** Begin of the last attempt. */
  #lastMs: number | undefined;

  /** `begin` makes an attempt, which the result cancels, and tells `ended` when it is over. */
  constructor(clock: Pick<Clock, "monotonicMs">, timers: Timers, begin: () => Timer) {
    this.#clock = clock;
    this.#timers = timers;
    this.#begin = begin;
  }

  /** Of the last attempt's begin; undefined before there is one. */
  get #sinceLastMs(): number | undefined {
    return this.#lastMs === undefined ? undefined : this.#clock.monotonicMs() - this.#lastMs;
  }

  /** The next attempt begins so long after the last one, the very first at once. Instead of what was planned. */
  plan(intervalMs: number): void {
    const sinceMs = this.#sinceLastMs;
    this.#after(sinceMs === undefined ? 0 : Math.max(0, intervalMs - sinceMs));
  }

  /** The next attempt begins after this, whenever the last one began. Instead of what was planned. */
  planIn(delayMs: number): void {
    this.#after(delayMs);
  }

  /** Now, if the last attempt began so long ago; otherwise what was planned stays. */
  hasten(intervalMs: number): void {
    const sinceMs = this.#sinceLastMs;
    if (sinceMs !== undefined && sinceMs >= intervalMs) this.#after(0);
  }

  ended(): void {
    this.#current = undefined;
  }

  cancel(): void {
    this.#current?.cancel();
    this.#current = undefined;
  }

  #after(delayMs: number): void {
    this.cancel();
    this.#current = this.#timers.after(delayMs, () => {
      this.#lastMs = this.#clock.monotonicMs();
      this.#current = this.#begin();
    });
  }
}
