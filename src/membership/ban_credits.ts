/** Who made a run of the leader fail how often: a credit for each request that a node failed. */
export class BanCredits {
  readonly #creditsMin: number;
  readonly #credits = new Map<number, { count: number; reason: string }>();

  /** Nobody is named for less than `creditsMin`. */
  constructor(creditsMin: number) {
    this.#creditsMin = creditsMin;
  }

  /** `reason`: which request it was, and how it failed. */
  add(pnn: number, reason: string): void {
    this.#credits.set(pnn, { count: this.count(pnn) + 1, reason });
  }

  count(pnn: number): number {
    return this.#credits.get(pnn)?.count ?? 0;
  }

  /** Of the last credit. */
  reason(pnn: number): string {
    return this.#credits.get(pnn)?.reason ?? "";
  }

  forgive(pnn: number): void {
    this.#credits.delete(pnn);
  }

  /** The node with the most, the lowest number of equals; undefined when nobody has enough. */
  worst(): number | undefined {
    let worst: number | undefined;
    let most = this.#creditsMin - 1;
    for (const [pnn, { count }] of [...this.#credits].sort((a, b) => a[0] - b[0])) {
      if (count <= most) continue;
      most = count;
      worst = pnn;
    }
    return worst;
  }
}
