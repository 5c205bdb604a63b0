/**
 * An attempt that may find a lock held elsewhere, again and again until it does not or its time is over.
 *
 * Invariants:
 * 1. A wait is not silent: it is logged after BUSY_LOG_FIRST_MS, then every LOCK_WAIT_LOG_MS, with what is waited
 *    for and, as far as the system tells, who holds it.
 * 2. It ends by success, by an error that names the holder, or by `cancel()`, after which nothing runs.
 */
import { err } from "../base/result.ts";
import type { Timer } from "../platform/types/time.ts";
import type { TdbError, TdbResult } from "../tdb/types.ts";
import type { DatabaseHost } from "./host.ts";
import { BUSY_LOG_FIRST_MS, LOCK_WAIT_LOG_MS } from "./limits.ts";
import { heldByProcess } from "./record/lock_holder.ts";

export interface BusyLimits {
  /** Infinity: as long as it takes. */
  readonly timeoutMs: number;
  readonly retryMs: number;
}

/** Tells whoever is at it how it went; inside the call or later. */
export type Attempt<T> = (finished: (outcome: TdbResult<T>) => void) => void;

export class BusyWait<T> {
  readonly #host: DatabaseHost;
  readonly #what: string;
  readonly #limits: BusyLimits;
  readonly #attempt: Attempt<T>;
  readonly #finished: (outcome: TdbResult<T>) => void;
  readonly #sinceMs: number;
  #nextLogMs: number;
  /** Told by one of the attempts; most cannot. */
  #holder: number | undefined;
  #timer: Timer | undefined;
  #cancelled = false;

  /** `what` for messages: `the lock of "x.tdb"`. */
  constructor(
    host: DatabaseHost,
    what: string,
    limits: BusyLimits,
    attempt: Attempt<T>,
    finished: (outcome: TdbResult<T>) => void,
  ) {
    this.#host = host;
    this.#what = what;
    this.#limits = limits;
    this.#attempt = attempt;
    this.#finished = finished;
    this.#sinceMs = host.clock.monotonicMs();
    this.#nextLogMs = this.#sinceMs + BUSY_LOG_FIRST_MS;
  }

  /** The first attempt is made at once, so all may be over when this returns. */
  start(): void {
    this.#try();
  }

  /** Nobody is told any more. An attempt that is under way ends by itself. */
  cancel(): void {
    this.#cancelled = true;
    this.#timer?.cancel();
  }

  #try(): void {
    this.#timer = undefined;
    this.#attempt((outcome) => {
      if (this.#cancelled) return;
      if (outcome.ok || outcome.error.code !== "busy") this.#finished(outcome);
      else this.#busy(outcome.error);
    });
  }

  #busy(error: TdbError): void {
    this.#holder = error.holder ?? this.#holder;
    const nowMs = this.#host.clock.monotonicMs();
    const waitedMs = nowMs - this.#sinceMs;
    const waited = `${Math.round(waitedMs / 1000)} seconds`;
    const holder = heldByProcess(this.#host, this.#holder);
    if (waitedMs >= this.#limits.timeoutMs) {
      this.#finished(err({ code: "busy", reason: `${error.reason} for ${waited}${holder}` }));
      return;
    }
    if (nowMs >= this.#nextLogMs) {
      this.#nextLogMs = nowMs + LOCK_WAIT_LOG_MS;
      this.#host.log.warning(`Waiting ${waited} for ${this.#what}: ${error.reason}${holder}`);
    }
    this.#timer = this.#host.timers.after(this.#limits.retryMs, () => this.#try());
  }
}

/** For attempts that know at once. `finished` may run inside the call. */
export function retryWhileBusy<T>(
  host: DatabaseHost,
  what: string,
  limits: BusyLimits,
  attempt: () => TdbResult<T>,
  finished: (outcome: TdbResult<T>) => void,
): void {
  new BusyWait<T>(host, what, limits, (tried) => tried(attempt()), finished).start();
}
