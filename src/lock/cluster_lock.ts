/**
 * The cluster lock: at most one node of the cluster holds it, and only its holder leads
 * (docs/recovery.md, "Cluster lock").
 *
 * Rules for every implementation:
 * 1. One attempt at a time; `attempt` while one runs or the lock is held is a mistake of the
 *    caller.
 * 2. A callback never runs inside the call that asked for it, and not after `release`.
 * 3. `onLost` runs when a held lock is gone without `release`; `held` is false by then.
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
  attempt(timeoutMs: number, answered: (outcome: LockAttempt) => void): void;
  /** Gives up the lock, or the attempt; `released` runs once another node can have it. */
  release(released?: () => void): void;
  onLost(action: () => void): void;
}

/**
 * Tests whether the lock can be taken: a node that is about to leave recovery must not be able to.
 * Used by ctdbd when the leader sets the recovery mode to NORMAL.
 */
export interface ClusterLockProbe {
  probe(answered: (outcome: LockAttempt) => void): { cancel(): void };
}
