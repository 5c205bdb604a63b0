/**
 * Handlers by 64-bit id (srvids of messages, ids of tunnels).
 * A handler may add or remove handlers while it runs; those added are not called for the same packet.
 */
import type { U64 } from "../base/u64.ts";

interface Bucket<H> {
  readonly id: U64;
  handlers: readonly H[];
}

export class Subscriptions<H> {
  /** By the low half: srvids differ there or in the high half, seldom many share one. */
  readonly #buckets = new Map<number, Bucket<H>[]>();

  /** True when it is the first handler of this id. */
  add(id: U64, handler: H): boolean {
    const list = this.#buckets.get(id.lo) ?? [];
    this.#buckets.set(id.lo, list);
    const bucket = list.find((entry) => entry.id.hi === id.hi);
    if (bucket === undefined) list.push({ id, handlers: [handler] });
    else bucket.handlers = [...bucket.handlers, handler];
    return bucket === undefined;
  }

  /** True when it was the last handler of this id. */
  remove(id: U64, handler: H): boolean {
    const list = this.#buckets.get(id.lo) ?? [];
    const bucket = list.find((entry) => entry.id.hi === id.hi);
    if (!bucket?.handlers.includes(handler)) return false;
    bucket.handlers = bucket.handlers.filter((entry) => entry !== handler);
    if (bucket.handlers.length > 0) return false;
    const rest = list.filter((entry) => entry !== bucket);
    if (rest.length > 0) this.#buckets.set(id.lo, rest);
    else this.#buckets.delete(id.lo);
    return true;
  }

  handlers(id: U64): readonly H[] {
    const list = this.#buckets.get(id.lo);
    if (list === undefined) return NONE;
    for (const bucket of list) if (bucket.id.hi === id.hi) return bucket.handlers;
    return NONE;
  }
}

const NONE: readonly never[] = [];
