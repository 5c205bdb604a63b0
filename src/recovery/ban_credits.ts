/**
 * Who made this recovery fail how often (docs/recovery.md, "Bans"). Credits are given for a failed
 * attach, a failed freeze, a failed pull and a differing name; not for later steps.
 */
import { ATTEMPTS_MAX } from "./limits.ts";

export class BanCredits {
  readonly #credits = new Map<number, number>();

  add(pnn: number): void {
    this.#credits.set(pnn, (this.#credits.get(pnn) ?? 0) + 1);
  }

  forgive(pnn: number): void {
    this.#credits.delete(pnn);
  }

  /** The node to ban: most credits, at least as many as a database has attempts; first of equals. */
  worst(pnns: readonly number[]): number | undefined {
    let worst: number | undefined;
    let most = ATTEMPTS_MAX - 1;
    for (const pnn of pnns) {
      const credits = this.#credits.get(pnn) ?? 0;
      if (credits > most) {
        most = credits;
        worst = pnn;
      }
    }
    return worst;
  }
}
