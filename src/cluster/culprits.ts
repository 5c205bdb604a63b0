/**
 * Ban credits: which node caused how many failures lately. A node with twice as many credits as
 * the cluster has nodes is to be banned.
 *
 * Old credits are forgiven after RecoveryGracePeriod without a new one. Time that failing
 * recoveries themselves take does not count, otherwise slow failures would be forgiven for ever
 * (upstream bug 13670).
 */
export class Culprits {
  readonly #credits = new Map<number, { count: number; reportedMs: number; reason: string }>();
  last: number | undefined;

  /** The credits that the node has then. */
  blame(
    pnn: number,
    credits: number,
    reason: string,
    nowMs: number,
    gracePeriodMs: number,
  ): number {
    const known = this.#credits.get(pnn);
    const forgiven = known === undefined || nowMs - known.reportedMs > gracePeriodMs;
    const count = (forgiven ? 0 : known.count) + credits;
    this.#credits.set(pnn, { count, reportedMs: nowMs, reason });
    this.last = pnn;
    return count;
  }

  /** A node with as many is to be banned. */
  limit(nodeCount: number): number {
    return 2 * nodeCount;
  }

  /** Nodes at the limit. */
  due(nodeCount: number): readonly number[] {
    const due: number[] = [];
    const limit = this.limit(nodeCount);
    for (const [pnn, { count }] of this.#credits) if (count >= limit) due.push(pnn);
    return due;
  }

  /** Why it was blamed last. */
  reason(pnn: number): string {
    return this.#credits.get(pnn)?.reason ?? "";
  }

  count(pnn: number): number {
    return this.#credits.get(pnn)?.count ?? 0;
  }

  /** The node was banned for its credits. */
  settle(pnn: number): void {
    const known = this.#credits.get(pnn);
    if (known !== undefined) known.count = 0;
  }

  /** A recovery took this long and failed. */
  excludeTime(durationMs: number): void {
    for (const known of this.#credits.values()) known.reportedMs += durationMs;
  }

  clear(): void {
    this.#credits.clear();
  }
}
