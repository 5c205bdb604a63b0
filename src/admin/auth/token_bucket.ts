/** Rates of callers: each has a bucket that fills again with time. The number of buckets is bounded. */
import type { Clock } from "../../platform/types/time.ts";
import { CALLERS_MAX, type Rate } from "../limits.ts";

interface Bucket {
  left: number;
  atMs: number;
}

export class TokenBuckets {
  readonly #rate: Rate;
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** The one that was used last stands last. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, clock: Pick<Clock, "monotonicMs">) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Takes one; 0, or the seconds until there is one. */
  take(caller: string): number {
    const bucket = this.#fill(caller);
    if (bucket.left < 1) return this.#secondsFor(bucket);
    bucket.left -= 1;
    return 0;
  }

  /** As `take`, without taking. */
  wait(caller: string): number {
    if (!this.#buckets.has(caller)) return 0;
    const bucket = this.#fill(caller);
    return bucket.left < 1 ? this.#secondsFor(bucket) : 0;
  }

  get size(): number {
    return this.#buckets.size;
  }

  #fill(caller: string): Bucket {
    const { perSecond, burst } = this.#rate;
    const nowMs = this.#clock.monotonicMs();
    const known = this.#buckets.get(caller) ?? { left: burst, atMs: nowMs };
    this.#buckets.delete(caller);
    this.#buckets.set(caller, known);
    const [quietest] = this.#buckets.keys();
    if (this.#buckets.size > CALLERS_MAX && quietest !== undefined) this.#buckets.delete(quietest);
    known.left = Math.min(burst, known.left + ((nowMs - known.atMs) / 1000) * perSecond);
    known.atMs = nowMs;
    return known;
  }

  #secondsFor({ left }: Bucket): number {
    return Math.max(1, Math.ceil((1 - left) / this.#rate.perSecond));
  }
}
