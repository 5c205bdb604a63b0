/**
 * The answer to a question that many ask: asked once while somebody waits for it, and again when it is old. So many
 * askers cost no more than one.
 */
import type { Clock } from "../platform/types/time.ts";

export class KeptAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #oldMs: number;
  #asking: Promise<T> | undefined;
  #kept: { readonly answer: T; readonly atMs: number } | undefined;

  constructor(ask: () => Promise<T>, clock: Pick<Clock, "monotonicMs">, oldMs: number) {
    this.#ask = ask;
    this.#clock = clock;
    this.#oldMs = oldMs;
  }

  get(): Promise<T> {
    const kept = this.#kept;
    if (kept !== undefined && this.#clock.monotonicMs() - kept.atMs < this.#oldMs) {
      return Promise.resolve(kept.answer);
    }
    return this.fresh();
  }

  /** Asks now, unless somebody is asking. */
  fresh(): Promise<T> {
    this.#asking ??= this.#askNow();
    return this.#asking;
  }

  async #askNow(): Promise<T> {
    try {
      const answer = await this.#ask();
      this.#kept = { answer, atMs: this.#clock.monotonicMs() };
      return answer;
    } finally {
      this.#asking = undefined;
    }
  }
}
