/** Others that claim to lead while this node does: one message may have been late, a second one is not. */

/** A second broadcast of another leader within this time is not one that was late. */
const RIVAL_WINDOW_MS = 3000;
/** More rivals than this are remembered by nobody: two are enough to call an election. */
const RIVALS_MAX = 64;

export class LeaderRivals {
  /** When they said so. */
  readonly #heard = new Map<number, number>();

  /** Whether this one said so a moment ago, too. */
  heard(pnn: number, nowMs: number): boolean {
    for (const [rival, heardMs] of this.#heard) {
      if (nowMs - heardMs >= RIVAL_WINDOW_MS) this.#heard.delete(rival);
    }
    const repeated = this.#heard.has(pnn);
    if (this.#heard.size < RIVALS_MAX || repeated) this.#heard.set(pnn, nowMs);
    return repeated;
  }
}
