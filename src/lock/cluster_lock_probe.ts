/**
 * The check of the cluster lock at the end of a recovery, when the leader sets the recovery mode to NORMAL: the leader
 * must hold the lock, so ctdbd must not be able to take it.
 *
 * Rules for every implementation (test/contract/cluster_lock_probe.ts):
 * 1. `answered` runs once, never inside the call of `probe`, and within `PROBE_TIMEOUT_MS`; `latencySec` is the time
 *    since then.
 * 2. A lock that somebody holds is "contended", and stays with its holder.
 * 3. A lock that nobody holds is "taken", and soon free again.
 * 4. A lock that cannot be reached is "timeout" or "error"; the next probe may be another.
 */

/** "timeout" counts as held by somebody: the file system may be slow after a node died. */
export type ProbeOutcome = "taken" | "contended" | "timeout" | "error";

/** Time in which a probe must find that the lock is taken. */
export const PROBE_TIMEOUT_MS = 5000;

export interface ClusterLockProbe {
  probe(answered: (outcome: ProbeOutcome, latencySec: number) => void): void;
}
