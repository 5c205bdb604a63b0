/** Tasks of one program that must not do something at the same time: they come one after the other. */
import type { Timers } from "../platform/types/time.ts";

export class TurnQueue {
  readonly #timers: Pick<Timers, "after">;
  #taken = false;
  readonly #waiting: (() => void)[] = [];

  constructor(timers: Pick<Timers, "after">) {
    this.#timers = timers;
  }

  /** True: it is the caller's turn until `leave()`. False: not within the time. */
  enter(timeoutMs: number): Promise<boolean> {
    if (!this.#taken) {
      this.#taken = true;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const enter = (): void => {
        timer.cancel();
        resolve(true);
      };
      const timer = this.#timers.after(timeoutMs, () => {
        const at = this.#waiting.indexOf(enter);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        resolve(false);
      });
      this.#waiting.push(enter);
    });
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#taken = false;
    else next();
  }
}
