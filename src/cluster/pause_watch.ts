/**
 * Notices that this process did not run for a while: it was stopped, its machine slept, or it was starved. What it knows
 * of the cluster is as old as the pause, and others may have gone on without it.
 *
 * `paused` compares with the clock, so that it is right before any timer has run.
 */
import type { Clock, Timer, Timers } from "../platform/types/time.ts";

const BEAT_MS = 500;

export interface PauseWatchHost {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "every">;
  /** Longer than this is a pause. */
  readonly limitMs: number;
  /** After a pause, once; `paused` is false by then. */
  wasPaused(forMs: number): void;
}

export class PauseWatch {
  readonly #host: PauseWatchHost;
  readonly #beats: Timer;
  #lastMs: number;

  constructor(host: PauseWatchHost) {
    this.#host = host;
    this.#lastMs = host.clock.monotonicMs();
    this.#beats = host.timers.every(BEAT_MS, () => this.#beat());
  }

  get paused(): boolean {
    return this.#silentMs > this.#host.limitMs;
  }

  close(): void {
    this.#beats.cancel();
  }

  get #silentMs(): number {
    return this.#host.clock.monotonicMs() - this.#lastMs;
  }

  #beat(): void {
    const { clock, limitMs } = this.#host;
    const silentMs = this.#silentMs;
    this.#lastMs = clock.monotonicMs();
    if (silentMs > limitMs) this.#host.wasPaused(silentMs);
  }
}
