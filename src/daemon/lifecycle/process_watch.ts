/**
 * What a ctdbd notices of itself once a second: that it did not run, that the clock of its machine was set, that it uses
 * nearly all of a processor. Nothing of the daemon's own goes by the wall clock, so nothing follows but words: they
 * explain what others saw of this node meanwhile.
 *
 * Invariant: a turn that took long is no pause; it is told of by itself (base/trace.ts).
 */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import type { Clock, Timer, Timers } from "../../platform/types/time.ts";

const TICK_MS = 1000;
/** As in the original. */
const PAUSE_MS_MIN = 3000;
const STEP_MS_MIN = 3000;
const BUSY_LOOK_MS = 60_000;
const BUSY_PERCENT = 90;

export interface ProcessWatchParts {
  readonly timers: Timers;
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: Journal;
  /** Processor time of the loop's thread. */
  readonly processorMs: (() => number) | undefined;
}

export class ProcessWatch {
  readonly #p: ProcessWatchParts;
  #timer: Timer | undefined;
  #lastMs = 0;
  #lastWallMs = 0;
  #turnMs = 0;
  #busyLookMs = 0;
  #processorMs = 0;

  constructor(parts: ProcessWatchParts) {
    this.#p = parts;
  }

  start(): void {
    const { clock, timers, processorMs } = this.#p;
    this.#lastMs = clock.monotonicMs();
    this.#lastWallMs = this.#wallMs();
    this.#busyLookMs = this.#lastMs;
    this.#processorMs = processorMs?.() ?? 0;
    this.#timer = timers.every(TICK_MS, () => this.#tick());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A turn of the loop took so long, and what was due meanwhile is late. */
  tookTurn(durationMs: number): void {
    this.#turnMs += durationMs;
  }

  #tick(): void {
    const { clock, log, journal } = this.#p;
    const nowMs = clock.monotonicMs();
    const wallMs = this.#wallMs();
    const elapsedMs = nowMs - this.#lastMs;
    const steppedMs = wallMs - this.#lastWallMs - elapsedMs;
    const pausedMs = elapsedMs - TICK_MS - this.#turnMs;
    this.#lastMs = nowMs;
    this.#lastWallMs = wallMs;
    this.#turnMs = 0;
    if (pausedMs > PAUSE_MS_MIN) {
      log.error(`No event for ${Math.round(elapsedMs / 1000)} seconds! This process did not run`);
      journal.record({ kind: "paused", duration_ms: pausedMs });
    }
    if (Math.abs(steppedMs) > STEP_MS_MIN) {
      const way = steppedMs < 0 ? "backwards" : "forward";
      log.error(`Time jumped ${way} by ${Math.round(Math.abs(steppedMs) / 1000)} seconds!`);
      journal.record({ kind: "clock_set", by_ms: steppedMs });
    }
    if (nowMs - this.#busyLookMs >= BUSY_LOOK_MS) this.#lookHowBusy(nowMs);
  }

  #lookHowBusy(nowMs: number): void {
    const { processorMs, log } = this.#p;
    if (processorMs === undefined) return;
    const usedMs = processorMs() - this.#processorMs;
    const percent = Math.round((100 * usedMs) / (nowMs - this.#busyLookMs));
    this.#processorMs += usedMs;
    this.#busyLookMs = nowMs;
    if (percent < BUSY_PERCENT) return;
    log.warning(
      `CPU utilization ${percent}% >= threshold (${BUSY_PERCENT}%): this node is near its limit`,
    );
  }

  #wallMs(): number {
    const { sec, usec } = this.#p.clock.wallTime();
    return sec * 1000 + usec / 1000;
  }
}
