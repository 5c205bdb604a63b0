/**
 * A lock in etcd: a key that is made only where there is none, with a lease that takes it away when nobody renews it.
 *
 * 1. The lock is ours until `#endsMs`: the lease's time, counted from before the request that granted or renewed it was
 *    sent, less a margin in which others are told. etcd counts from later on, so that nobody else has the lock before.
 * 2. Whoever comes back after a pause looks at the clock before anything else: what was over in between is lost.
 * 3. A key that is no longer of our lease is a lock lost, whatever the lease says.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { Clock, Timer, Timers } from "../platform/types/time.ts";
import {
  base64,
  type EtcdAnswer,
  type EtcdClient,
  fromBase64,
  type PostFailure,
} from "./etcd_client.ts";

export interface EtcdLockOptions {
  readonly client: Pick<EtcdClient, "call">;
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly timers: Pick<Timers, "after" | "every">;
  readonly key: string;
  /** Who we are, for people. */
  readonly value: string;
  readonly ttlSec: number;
  readonly refreshSec: number;
  /** What went wrong and is tried again. */
  onTrouble(reason: string): void;
}

export type EtcdAttempt =
  | { readonly kind: "held" }
  | { readonly kind: "contended"; readonly holder: string }
  | { readonly kind: "timeout" | "failed"; readonly reason: string };

/** At most this much of the lease is left when the lock is given up, and at most a quarter. */
const MARGIN_MS_MAX = 1000;

export class EtcdLock {
  readonly #options: EtcdLockOptions;
  readonly #key: string;
  #lease: string | undefined;
  #endsMs = 0;
  #asking = false;
  #refresh: Timer | undefined;
  #end: Timer | undefined;
  #onLost: ((reason: string) => void) | undefined;

  constructor(options: EtcdLockOptions) {
    this.#options = options;
    this.#key = base64(options.key);
  }

  /** Once. Without the lock nothing stays behind in etcd, or it goes with the lease. */
  async take(): Promise<EtcdAttempt> {
    const { client, ttlSec, value } = this.#options;
    const sentMs = this.#nowMs();
    const granted = await client.call("lease/grant", { TTL: String(ttlSec) });
    if (!granted.ok) return attemptFailed(granted.error);
    const { ID } = granted.value;
    if (typeof ID !== "string") return { kind: "failed", reason: "lease/grant: expected an ID" };
    this.#lease = ID;
    this.#extend(sentMs, granted.value);
    const answer = await client.call("kv/txn", {
      compare: [{ key: this.#key, target: "CREATE", create_revision: "0" }],
      success: [{ request_put: { key: this.#key, value: base64(value), lease: ID } }],
      failure: [{ request_range: { key: this.#key } }],
    });
    const attempt = answer.ok ? this.#judge(answer.value) : attemptFailed(answer.error);
    if (attempt.kind !== "held") await this.release();
    return attempt;
  }

  #judge(answer: EtcdAnswer): EtcdAttempt {
    const holder = answer["succeeded"] === true ? undefined : firstPair(answer);
    // A request that reached etcd twice finds its own key.
    if (answer["succeeded"] !== true && holder?.lease !== this.#lease) {
      return { kind: "contended", holder: holder?.value ?? "" };
    }
    if (!this.#isOver()) return { kind: "held" };
    return { kind: "failed", reason: "the lease was over before the lock was taken" };
  }

  /** Renews the lock from now on; `lost` is called once, with the reason, and then it is not ours any more. */
  keep(lost: (reason: string) => void): void {
    this.#onLost = lost;
    const { timers, refreshSec } = this.#options;
    this.#refresh = timers.every(refreshSec * 1000, () => void this.#renew());
    this.#watchEnd();
  }

  async #renew(): Promise<void> {
    if (this.#asking || this.#loseWhenOver()) return;
    this.#asking = true;
    const sentMs = this.#nowMs();
    const { client } = this.#options;
    const renewed = await client.call("lease/keepalive", { ID: this.#lease });
    if (this.#loseWhenOver()) return;
    const owner = renewed.ok ? await client.call("kv/range", { key: this.#key }) : renewed;
    this.#asking = false;
    if (this.#onLost === undefined || this.#loseWhenOver()) return;
    if (!renewed.ok || !owner.ok) {
      const { error } = (renewed.ok ? owner : renewed) as { readonly error: PostFailure };
      this.#options.onTrouble(error.reason);
      return;
    }
    const pair = firstPair(owner.value);
    if (pair?.lease !== this.#lease) {
      this.#lose(pair === undefined ? "its key was removed" : `"${pair.value}" has it`);
      return;
    }
    const { result } = renewed.value;
    if (!this.#extend(sentMs, isObject(result) ? result : {})) this.#lose("the lease has ended");
    else this.#watchEnd();
  }

  /** Less than nothing when it is over; then `lost` was called. */
  get leftMs(): number {
    this.#loseWhenOver();
    return this.#endsMs - this.#nowMs();
  }

  /** Gives the lock back, or what an attempt left; the answer is for the log. */
  async release(): Promise<Result<void>> {
    this.#stop();
    const lease = this.#lease;
    this.#lease = undefined;
    if (lease === undefined) return ok(undefined);
    const revoked = await this.#options.client.call("lease/revoke", { ID: lease });
    return revoked.ok ? ok(undefined) : err(revoked.error.reason);
  }

  // --- the time of the lease ----------------------------------------------------------------------

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  /** False without a time to live: of a lease that is over there is none. */
  #extend(sentMs: number, { TTL }: EtcdAnswer): boolean {
    const ttlMs = Number(TTL ?? 0) * 1000;
    if (!(ttlMs > 0)) return false;
    this.#endsMs = sentMs + ttlMs - Math.min(MARGIN_MS_MAX, ttlMs / 4);
    return true;
  }

  #isOver(): boolean {
    return this.#nowMs() >= this.#endsMs;
  }

  #watchEnd(): void {
    this.#end?.cancel();
    const waitMs = this.#endsMs - this.#nowMs();
    this.#end = this.#options.timers.after(waitMs, () => this.#loseWhenOver());
  }

  #loseWhenOver(): boolean {
    if (this.#onLost === undefined || !this.#isOver()) return false;
    this.#lose("it could not be renewed in time");
    return true;
  }

  #lose(reason: string): void {
    const lost = this.#onLost;
    this.#stop();
    lost?.(reason);
  }

  #stop(): void {
    this.#onLost = undefined;
    this.#refresh?.cancel();
    this.#end?.cancel();
  }
}

function attemptFailed({ timedOut, reason }: PostFailure): EtcdAttempt {
  return { kind: timedOut ? "timeout" : "failed", reason };
}

interface KeyValue {
  readonly lease: string | undefined;
  readonly value: string;
}

/** Of a range, or of the range in a transaction's answer. */
function firstPair(answer: EtcdAnswer): KeyValue | undefined {
  const responses = answer["responses"];
  const first: unknown = Array.isArray(responses) ? responses[0] : undefined;
  const range = isObject(first) ? first["response_range"] : answer;
  const pairs = isObject(range) ? range["kvs"] : undefined;
  const pair: unknown = Array.isArray(pairs) ? pairs[0] : undefined;
  if (!isObject(pair)) return undefined;
  const { lease, value } = pair;
  return {
    lease: typeof lease === "string" ? lease : undefined,
    value: typeof value === "string" ? fromBase64(value) : "",
  };
}

function isObject(value: unknown): value is EtcdAnswer {
  return typeof value === "object" && value !== null;
}
