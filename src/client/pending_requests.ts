/**
 * Requests that wait for a reply, by request id.
 *
 * Invariants:
 * 1. A request ends exactly once: by its reply, its deadline, or `failAll`.
 * 2. A request id is never 0 and never that of a request that still waits.
 */
import { assert } from "../base/assert.ts";
import type { Timer, Timers } from "../platform/types/time.ts";
import type { PacketView } from "../wire/packet.ts";
import type { ClientFailure } from "./types.ts";

export interface PendingRequest {
  /** The packet is a view: valid only inside the call. */
  answered(packet: PacketView): void;
  failed(failure: ClientFailure): void;
}

interface Entry {
  readonly request: PendingRequest;
  readonly timer: Timer;
}

/** More waiting requests than this on one connection is a runaway loop in the caller. */
const REQUESTS_WAITING_MAX = 1_000_000;

export class PendingRequests {
  readonly #timers: Timers;
  readonly #entries = new Map<number, Entry>();
  #whenEmpty: (() => void)[] = [];
  #lastId = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Remembers the request and returns its id. `what` names it in the failure text. */
  add(request: PendingRequest, timeoutMs: number, what: string): number {
    assert(this.#entries.size < REQUESTS_WAITING_MAX, "requests of one connection are bounded");
    const id = this.newId();
    const timer = this.#timers.after(timeoutMs, () => {
      this.#entries.delete(id);
      request.failed({
        kind: "timeout",
        reason: `No answer to ${what} within ${timeoutMs} ms`,
        status: 0,
      });
      this.#tellIfEmpty();
    });
    this.#entries.set(id, { request, timer });
    return id;
  }

  /** Resolves as soon as no request waits; those that are made until then count as well. */
  empty(): Promise<void> {
    if (this.#entries.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenEmpty.push(resolve);
    });
  }

  #tellIfEmpty(): void {
    if (this.#entries.size > 0) return;
    const waiting = this.#whenEmpty;
    this.#whenEmpty = [];
    for (const resolve of waiting) resolve();
  }

  /** An unused id, also for packets without a reply. */
  newId(): number {
    do {
      this.#lastId = (this.#lastId + 1) >>> 0;
    } while (this.#lastId === 0 || this.#entries.has(this.#lastId));
    return this.#lastId;
  }

  /** The request of this id, which is no longer waiting after this; undefined if nobody waits. */
  take(id: number): PendingRequest | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    entry.timer.cancel();
    this.#tellIfEmpty();
    return entry.request;
  }

  failAll(failure: ClientFailure): void {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    for (const entry of entries) {
      entry.timer.cancel();
      entry.request.failed(failure);
    }
    this.#tellIfEmpty();
  }
}
