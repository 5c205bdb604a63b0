/** Who made this run fail how often: a credit for each request that a node failed. */
export class BanCredits {
  readonly #credits = new Map<number, number>();

  add(pnn: number): void {
    this.#credits.set(pnn, (this.#credits.get(pnn) ?? 0) + 1);
  }

  /** The node with the most, the lowest number of equals; undefined when nobody has any. */
  worst(): number | undefined {
    let worst: number | undefined;
    let most = 0;
    for (const [pnn, credits] of [...this.#credits].sort((a, b) => a[0] - b[0])) {
      if (credits <= most) continue;
      most = credits;
      worst = pnn;
    }
    return worst;
  }
}
