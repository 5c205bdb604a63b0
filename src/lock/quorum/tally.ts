/**
 * The votes of one who wants the lock, or holds it: how they count, and until when they are a majority.
 *
 * The lock is ours until the latest time at which the votes that still count then are more than half of all: any other
 * majority has a node in common with ours, which gives its vote to another only after that.
 */
import { LEASE_MS, MARGIN_MS } from "./limits.ts";

export class Tally {
  readonly #weights: ReadonlyMap<number, number>;
  readonly totalWeight: number;
  /** Until when the vote of a node counts. */
  readonly #untilMs = new Map<number, number>();

  /** `tiebreak`: a node whose vote counts twice, among an even number of nodes. */
  constructor(nodes: readonly number[], tiebreak?: number) {
    const doubled = nodes.length % 2 === 0 ? tiebreak : undefined;
    this.#weights = new Map(nodes.map((pnn) => [pnn, pnn === doubled ? 2 : 1]));
    this.totalWeight = [...this.#weights.values()].reduce((sum, weight) => sum + weight, 0);
  }

  granted(pnn: number, askedMs: number): void {
    const untilMs = askedMs + LEASE_MS - MARGIN_MS;
    // An answer that comes late was asked for earlier.
    if (this.#weights.has(pnn)) {
      this.#untilMs.set(pnn, Math.max(untilMs, this.#untilMs.get(pnn) ?? untilMs));
    }
  }

  /** The node says that another has its vote. */
  refused(pnn: number): void {
    this.#untilMs.delete(pnn);
  }

  /** -Infinity without a majority. */
  get heldUntilMs(): number {
    const votes = [...this.#untilMs].sort(([, one], [, other]) => other - one);
    let sum = 0;
    for (const [pnn, untilMs] of votes) {
      sum += this.#weights.get(pnn) ?? 0;
      if (this.isMajority(sum)) return untilMs;
    }
    return Number.NEGATIVE_INFINITY;
  }

  isMajority(weight: number): boolean {
    return 2 * weight > this.totalWeight;
  }

  weightOf(nodes: Iterable<number>): number {
    let sum = 0;
    for (const pnn of nodes) sum += this.#weights.get(pnn) ?? 0;
    return sum;
  }
}
