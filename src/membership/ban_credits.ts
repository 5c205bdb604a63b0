/** Who made a run of the leader fail how often: a credit for each request that a node failed. */
export class BanCredits {
  readonly #creditsMin: number;
  readonly #credits = new Map<number, number>();

  /** Nobody is named for less than `creditsMin`. */
  constructor(creditsMin: number) {
    this.#creditsMin = creditsMin;
  }

  add(pnn: number): void {
    this.#credits.set(pnn, (this.#credits.get(pnn) ?? 0) + 1);
  }

  forgive(pnn: number): void {
    this.#credits.delete(pnn);
  }

  /** The node with the most, the lowest number of equals; undefined when nobody has enough. */
  worst(): number | undefined {
    let worst: number | undefined;
    let most = this.#creditsMin - 1;
    for (const [pnn, credits] of [...this.#credits].sort((a, b) => a[0] - b[0])) {
      if (credits <= most) continue;
      most = credits;
      worst = pnn;
    }
    return worst;
  }
}
