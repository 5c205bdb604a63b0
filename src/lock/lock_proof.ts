/**
 * Whether the helper of a held lock still has it. Its end tells of the loss, but a helper that is stopped tells nothing, and
 * a process that was stopped itself learns of the end late. So the helper is asked each second, and what it says counts
 * from the moment in which it was asked.
 *
 * 1. `untilMs` is compared with the clock by whoever wants to act: after a pause it is over before anything else is heard.
 * 2. A lease is proven for as long as the helper says, a lock without one for a fixed time.
 * 3. A lock that could not be proven for some time is given up, once. Until then it is in doubt: it may still be ours.
 *
 * Helpers of other people answer no questions: that they live, when everything was read that is there to be read, is all
 * that can be proven of them.
 */
import { bytesText, textBytes } from "../base/byte_text.ts";
import type { Clock, Timer, Timers } from "../platform/types/time.ts";

/** In the environment of a helper that may be asked; then it says HELPER_PROVES behind its "0". */
export const PROOF_VARIABLE = "CTDB_MUTEX_PROOF";
export const HELPER_PROVES = "p";
/** Answered by the milliseconds that are left of the lease, or NO_LEASE, and the end of the line. */
export const PROOF_QUESTION: Uint8Array = textBytes("?\n");
export const NO_LEASE = "-";

const ASK_MS = 1000;
/** For how long a lock without a lease is proven by one answer. */
export const PROOF_MS = 5000;
/** How long a lock may be in doubt. */
const DOUBT_MS = 2000;
/** An answer is a number. */
const LINE_CHARACTERS_MAX = 20;

export interface LockProofHost {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "after" | "every" | "nextTurn">;
  /** Sends PROOF_QUESTION; undefined for a helper that answers none. */
  readonly ask: (() => void) | undefined;
  readonly proofMs: number;
  /** The first answer is there. */
  proven(): void;
  /** The lock cannot be relied on any more. */
  over(reason: string): void;
}

export class LockProof {
  untilMs = Number.NEGATIVE_INFINITY;
  readonly #host: LockProofHost;
  readonly #ticks: Timer;
  /** When the question that waits for its answer was asked. */
  #askedMs: number | undefined;
  #line = "";
  #doubt: Timer | undefined;
  #hasProof = false;
  #ended = false;

  constructor(host: LockProofHost) {
    this.#host = host;
    this.#ticks = host.timers.every(ASK_MS, () => this.#look());
    if (host.ask !== undefined) {
      this.#look();
      return;
    }
    // It has just said that it has the lock.
    this.#hasProof = true;
    this.untilMs = host.clock.monotonicMs() + host.proofMs;
  }

  /** What a helper that answers has written. */
  heard(chunk: Uint8Array): void {
    this.#line += bytesText(chunk);
    for (;;) {
      const end = this.#line.indexOf("\n");
      if (end < 0) break;
      this.#answered(this.#line.slice(0, end));
      this.#line = this.#line.slice(end + 1);
    }
    this.#line = this.#line.slice(0, LINE_CHARACTERS_MAX);
  }

  end(): void {
    this.#ended = true;
    this.#ticks.cancel();
    this.#doubt?.cancel();
  }

  #look(): void {
    const { ask, clock, timers } = this.#host;
    if (ask === undefined) {
      // What was read by then would have told of its end.
      const nowMs = clock.monotonicMs();
      timers.nextTurn(() => this.#prove(nowMs + this.#host.proofMs));
    } else if (this.#askedMs === undefined) {
      this.#askedMs = clock.monotonicMs();
      ask();
    }
    this.#judge();
  }

  #answered(text: string): void {
    const askedMs = this.#askedMs;
    if (askedMs === undefined || this.#ended) return;
    this.#askedMs = undefined;
    const { proofMs } = this.#host;
    const leftMs = text === NO_LEASE ? proofMs : Number(text);
    if (leftMs > 0) this.#prove(askedMs + leftMs);
    else this.#over("its helper says so");
  }

  #prove(untilMs: number): void {
    if (this.#ended) return;
    this.untilMs = untilMs;
    this.#judge();
    if (this.#hasProof || this.#host.clock.monotonicMs() >= untilMs) return;
    this.#hasProof = true;
    this.#host.proven();
  }

  /** Begins to doubt when the proof is over, and ends it when there is one again. */
  #judge(): void {
    const { clock, timers } = this.#host;
    const leftMs = this.untilMs - clock.monotonicMs();
    if (leftMs > 0) {
      this.#doubt?.cancel();
      this.#doubt = undefined;
    } else if (this.#hasProof) {
      this.#doubt ??= timers.after(DOUBT_MS, () =>
        this.#over("its helper does not prove that it still has it"),
      );
    }
  }

  #over(reason: string): void {
    if (this.#ended) return;
    this.end();
    this.#host.over(reason);
  }
}
