/**
 * One remote fetch serves everybody (tunable FetchCollapse): while a record is on its way here,
 * further calls of local clients for its key wait behind the first one, and then find it local.
 *
 * Invariants:
 * 1. Deferred calls run again in the order in which they came, in later turns, for at most one slice's time a
 *    turn: a popular record has many.
 * 2. Who wants to write does not wait behind the fetch of a read-only copy.
 * 3. Each of them runs again at the end of the fetch, however it ends, or after a timeout.
 */
import type { Timer } from "../../platform/types/time.ts";
import type { PacketView } from "../../wire/packet.ts";
import type { DatabaseHost } from "../host.ts";
import { SLICE_BUDGET_MS } from "../limits.ts";
import type { KeyMap } from "../record/key_map.ts";
import { SlicedQueue } from "../sliced_queue.ts";
import { COLLAPSE_TIMEOUT_MS, COLLAPSED_CALLS_MAX } from "./limits.ts";

export interface DeferredCall {
  readonly clientId: number;
  readonly packet: PacketView;
  readonly startedMs: number;
}

/** The remote fetches of one database by key. */
export type CollapsedFetches = KeyMap<CollapsedFetch>;

export interface CollapsedFetch {
  readonly fetches: CollapsedFetches;
  readonly hash: number;
  readonly key: Uint8Array;
  readonly startedMs: number;
  /** What comes may be a copy: no use to who wants to write, and it may be long in coming. */
  readonly wantsReadonly: boolean;
  deferred: DeferredCall[];
  timer: Timer | undefined;
}

export class FetchCollapse {
  readonly #host: DatabaseHost;
  /** Their fetch has ended. */
  readonly #ready: SlicedQueue<DeferredCall>;
  #deferredCalls = 0;

  constructor(host: DatabaseHost, runAgain: (call: DeferredCall) => void) {
    this.#host = host;
    this.#ready = new SlicedQueue(host, "collapsed calls", SLICE_BUDGET_MS, (call) => {
      this.#deferredCalls -= 1;
      runAgain(call);
    });
  }

  /** Calls that wait behind another one. */
  get waiting(): number {
    return this.#deferredCalls;
  }

  /** A remote fetch of the key begins, in place of a lesser one; `key` is copied. */
  begin(
    fetches: CollapsedFetches,
    hash: number,
    key: Uint8Array,
    nowMs: number,
    wantsReadonly: boolean,
  ): CollapsedFetch {
    const fetch: CollapsedFetch = {
      fetches,
      hash,
      key: key.slice(),
      startedMs: nowMs,
      wantsReadonly,
      deferred: [],
      timer: undefined,
    };
    fetches.set(hash, fetch.key, fetch);
    return fetch;
  }

  /** False when too many wait already. The packet is copied. */
  defer(fetch: CollapsedFetch, { clientId, packet, startedMs }: DeferredCall): boolean {
    if (this.#deferredCalls >= COLLAPSED_CALLS_MAX) return false;
    this.#deferredCalls += 1;
    fetch.deferred.push({ clientId, packet: packet.copy(), startedMs });
    if (fetch.timer === undefined) {
      const elapsedMs = this.#host.clock.monotonicMs() - fetch.startedMs;
      const delayMs = Math.max(0, COLLAPSE_TIMEOUT_MS - elapsedMs);
      fetch.timer = this.#host.timers.after(delayMs, () => this.end(fetch));
    }
    return true;
  }

  /** The fetch is over; safe to call again. */
  end(fetch: CollapsedFetch): void {
    const { fetches, hash, key } = fetch;
    if (fetches.get(hash, key) === fetch) fetches.delete(hash, key);
    fetch.timer?.cancel();
    fetch.timer = undefined;
    if (fetch.deferred.length === 0) return;
    this.#ready.add(fetch.deferred);
    fetch.deferred = [];
  }

  /** Calls of a client that has gone; each is reported to `dropped`. */
  dropClient(
    fetches: CollapsedFetches,
    clientId: number,
    dropped: (call: DeferredCall) => void,
  ): void {
    const isGone = (call: DeferredCall): boolean => call.clientId === clientId;
    for (const call of this.#ready.removeWhere(isGone)) {
      this.#deferredCalls -= 1;
      dropped(call);
    }
    for (const fetch of fetches.values()) {
      if (fetch.deferred.length === 0) continue;
      const gone = fetch.deferred.filter(isGone);
      if (gone.length === 0) continue;
      fetch.deferred = fetch.deferred.filter((call) => !isGone(call));
      this.#deferredCalls -= gone.length;
      for (const call of gone) dropped(call);
    }
  }
}
