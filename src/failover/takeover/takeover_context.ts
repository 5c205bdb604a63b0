/** What the steps of a takeover run work with, and how they end. */
import type { Journal } from "../../base/journal_event.ts";
import type { Logger } from "../../base/log.ts";
import { err, type Result } from "../../base/result.ts";
import type { CtdbClient } from "../../client/types.ts";
import type { BanCredits } from "../../membership/ban_credits.ts";
import type { Clock } from "../../platform/types/time.ts";
import { REQUEST_TIMEOUT_MIN_MS } from "./limits.ts";

export interface TakeoverHost {
  readonly client: CtdbClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly journal: Journal;
  /** Whether the log shows DEBUG. */
  readonly logsDetails: boolean;
}

export interface TakeoverContext extends TakeoverHost {
  /** Numbers of the nodes go up to this, dead ones included. */
  readonly nodeCount: number;
  readonly connected: readonly number[];
  /** TakeoverTimeout. */
  readonly timeoutMs: number;
  readonly credits: BanCredits;
}

export interface TakeoverFailure {
  /** Which step failed and why, in one line. */
  readonly reason: string;
  /** Of the first request that failed (request_status.ts). */
  readonly status: number;
  /** For whom the recovery daemon was asked for ban credits. */
  readonly blamed: number | undefined;
}

export type StepResult<T> = Result<T, TakeoverFailure>;

export function stepFailed(reason: string, status: number): { ok: false; error: TakeoverFailure } {
  return err({ reason, status, blamed: undefined }) as { ok: false; error: TakeoverFailure };
}

/** What is left of the time of several steps. */
export class StepDeadline {
  readonly #clock: Clock;
  readonly #atMs: number;

  constructor(clock: Clock, totalMs: number) {
    this.#clock = clock;
    this.#atMs = clock.monotonicMs() + Math.max(totalMs, REQUEST_TIMEOUT_MIN_MS);
  }

  get leftMs(): number {
    return Math.max(this.#atMs - this.#clock.monotonicMs(), 0);
  }
}
