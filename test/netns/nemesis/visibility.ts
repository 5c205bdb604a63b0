/**
 * Which nodes could see each other when. A node that was killed or stopped cannot let go of what it has at once, and one that was
 * cut off has to learn it first: both are out of sight from what was done to them until the cluster is whole again.
 */
interface Span {
  /** One node, from all others; or the two that a cut is between. */
  readonly nodes: readonly [number, number?];
  readonly fromMs: number;
  toMs: number;
}

export class Visibility {
  readonly #spans: Span[] = [];
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  away(pnn: number): void {
    this.#begin([pnn]);
  }

  /** One way is enough: two that cannot talk cannot agree. */
  cut(from: number, to: number): void {
    this.#begin([from, to]);
  }

  /** All see all again, and have done what follows from it. */
  whole(): void {
    for (const span of this.#spans) span.toMs = Math.min(span.toMs, this.#nowMs());
  }

  /** The first time from `atMs` on at which two nodes could see each other. */
  visibleFrom(one: number, other: number, atMs: number): number {
    let fromMs = atMs;
    for (;;) {
      const span = this.#spans.find(
        (each) => fromMs >= each.fromMs && fromMs < each.toMs && parts(each.nodes, one, other),
      );
      if (span === undefined || fromMs === Number.POSITIVE_INFINITY) return fromMs;
      fromMs = span.toMs;
    }
  }

  #begin(nodes: Span["nodes"]): void {
    this.#spans.push({ nodes, fromMs: this.#nowMs(), toMs: Number.POSITIVE_INFINITY });
  }
}

function parts([first, second]: Span["nodes"], one: number, other: number): boolean {
  if (second === undefined) return first === one || first === other;
  return (first === one && second === other) || (first === other && second === one);
}
