/**
 * Numbers for requests and clients, from one sequence as the original has it: it starts shortly
 * before the largest positive int, so that the wrap is exercised early, and never gives 0.
 */
const LARGEST = 0x7fffffff;
const FIRST = LARGEST - 200;

export class RequestIds {
  #next = FIRST;
  readonly #inUse: (id: number) => boolean;

  constructor(inUse: (id: number) => boolean) {
    this.#inUse = inUse;
  }

  take(): number {
    for (;;) {
      const id = this.#next;
      this.#next = id >= LARGEST ? 0 : id + 1;
      if (id !== 0 && !this.#inUse(id)) return id;
    }
  }
}
