/**
 * Items that are handled in later turns, in their order, for at most a budget's time a turn: however many come
 * at once, the loop looks at its sockets in between.
 *
 * Invariants:
 * 1. Nothing is handled inside `add`. The first slice runs with `soon`, each further one in a turn of its own.
 * 2. An item is out of the queue when it is handled: what that does may add and remove others.
 * 3. An item that was removed is not handled.
 */
import type { DatabaseHost } from "./host.ts";
import { type Budget, runSliced } from "./slices.ts";

export class SlicedQueue<T> {
  readonly #host: DatabaseHost;
  readonly #name: string;
  readonly #sliceMs: number;
  readonly #handle: (item: T) => void;
  #items: T[] = [];
  /** Items that were taken from the front already. */
  #taken = 0;
  #planned = false;

  /** `name`: of the span in which a slice runs. */
  constructor(host: DatabaseHost, name: string, sliceMs: number, handle: (item: T) => void) {
    this.#host = host;
    this.#name = name;
    this.#sliceMs = sliceMs;
    this.#handle = handle;
  }

  get size(): number {
    return this.#items.length - this.#taken;
  }

  add(items: readonly T[]): void {
    if (items.length === 0) return;
    if (this.size === 0) {
      this.#items = items.slice();
      this.#taken = 0;
    } else {
      // No spread: its arguments would have to fit on the stack.
      for (const item of items) this.#items.push(item);
    }
    if (this.#planned) return;
    this.#planned = true;
    this.#host.timers.soon(() => {
      runSliced(this.#host, this.#name, (budget) => this.#handleSome(budget), this.#sliceMs);
    });
  }

  /** In their order. */
  removeWhere(condition: (item: T) => boolean): T[] {
    if (this.size === 0) return [];
    const rest = this.#items.slice(this.#taken);
    const removed = rest.filter(condition);
    if (removed.length === 0) return removed;
    this.#items = rest.filter((item) => !condition(item));
    this.#taken = 0;
    return removed;
  }

  #handleSome(budget: Budget): "done" | "more" {
    while (this.size > 0) {
      const item = this.#items[this.#taken] as T;
      this.#taken += 1;
      this.#handle(item);
      if (budget.spent) break;
    }
    this.#forgetTaken();
    this.#planned = this.size > 0;
    return this.#planned ? "more" : "done";
  }

  /** Gives their memory back, without moving the rest for each of them. */
  #forgetTaken(): void {
    if (this.#taken < this.#items.length / 2) return;
    this.#items = this.#items.slice(this.#taken);
    this.#taken = 0;
  }
}
