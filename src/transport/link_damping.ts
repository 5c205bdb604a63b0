/**
 * A link that breaks again and again costs its cluster a recovery each time: it is left alone for a while, longer each
 * time it goes on. Both ends leave it: a node counts as connected only with both connections, and we do not make ours.
 *
 * Invariants:
 * 1. Fewer than FLAPS_MIN breaks in FLAPS_WITHIN_MS hold nothing up.
 * 2. A hold doubles with each break that follows within FLAPS_WITHIN_MS of its end, up to HOLD_MS_MAX.
 */
import { FLAPS_MIN, FLAPS_WITHIN_MS, HOLD_MS_MAX, HOLD_MS_MIN } from "./limits.ts";

export class LinkDamping {
  readonly #breaksMs: number[] = [];
  #holdMs = 0;
  #untilMs = Number.NEGATIVE_INFINITY;

  /** A connected link broke. The result is what there is to say of it; undefined: nothing is held up. */
  broke(nowMs: number): string | undefined {
    if (nowMs - this.#untilMs > FLAPS_WITHIN_MS) this.#holdMs = 0;
    this.#breaksMs.push(nowMs);
    while (nowMs - (this.#breaksMs[0] ?? nowMs) > FLAPS_WITHIN_MS) this.#breaksMs.shift();
    const breaks = this.#breaksMs.length;
    if (breaks < FLAPS_MIN && this.#holdMs === 0) return undefined;
    this.#holdMs = Math.min(Math.max(2 * this.#holdMs, HOLD_MS_MIN), HOLD_MS_MAX);
    this.#untilMs = nowMs + this.#holdMs;
    const times = breaks === 1 ? "again" : `${breaks} times in ${FLAPS_WITHIN_MS / 1000} s`;
    return `it broke ${times}, and is left alone for ${this.#holdMs / 1000} s`;
  }

  /** How long it is left alone from now on; 0: not. */
  heldMs(nowMs: number): number {
    return Math.max(0, this.#untilMs - nowMs);
  }
}
