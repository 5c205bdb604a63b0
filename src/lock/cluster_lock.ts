/**
 * The cluster lock: at most one node of the cluster holds it, and only its holder leads
 * (docs/recovery.md, "Cluster lock"). The recovery daemon holds it; how ctdbd tests it is in cluster_lock_probe.ts.
 *
 * Rules for every implementation (test/contract/cluster_lock.ts):
 * 1. One attempt at a time; `attempt` while one runs or the lock is held is a mistake of the
 *    caller, which is asserted.
 * 2. A callback never runs inside the call that asked for it, and not after `release`; inside of a callback
 *    everything may be called.
 * 3. An attempt is answered once, within its time, and `held` is true by then if it got the lock. The end of what was
 *    released or lost before is waited for within the same time: a node does not contend with itself.
 * 4. `onLost` runs once, with the reason, when a held lock is gone without `release`; `held` is false by then.
 * 5. Each `release` is told when another node can have the lock, also when there was nothing to release.
 * 6. `provenForMs` is asked before anything is done that only the holder may do: a held lock whose proof is over may be
 *    another node's by now. It is 0 when the lock is not held.
 */
export type LockAttempt =
  | { readonly kind: "held"; readonly latencyMs: number }
  /** Somebody else holds it. */
  | { readonly kind: "contended" }
  /** No answer in time. */
  | { readonly kind: "timeout" }
  | { readonly kind: "failed"; readonly reason: string };

export interface ClusterLock {
  /** As configured, for the log. */
  readonly description: string;
  readonly held: boolean;
  /** For how long from now on the lock is known to be ours; 0 or less: not even now. */
  readonly provenForMs: number;
  attempt(timeoutMs: number, answered: (outcome: LockAttempt) => void): void;
  /** Gives up the lock, or the attempt; `released` runs once another node can have it. */
  release(released?: () => void): void;
  onLost(action: (reason: string) => void): void;
}
