/**
 * The check of the cluster lock at the end of a recovery, as the daemon asks for it: the leader must
 * hold the lock, so we must not be able to take it.
 */

import type { Clock } from "../platform/types/time.ts";
import type { ClusterLockProbe as LockProbe } from "./cluster_lock.ts";

/** "timeout" counts as held by somebody: the file system may be slow after a node died. */
export type ProbeOutcome = "taken" | "contended" | "timeout" | "error";

export interface ClusterLockProbe {
  probe(done: (outcome: ProbeOutcome, latencySec: number) => void): void;
}

const OUTCOMES = {
  held: "taken",
  contended: "contended",
  timeout: "timeout",
  failed: "error",
} as const;

/** A probe through the lock's own implementation, with the time that it took. */
export function timedProbe(lock: LockProbe, clock: Clock): ClusterLockProbe {
  return {
    probe(done) {
      const startMs = clock.monotonicMs();
      lock.probe((outcome) => done(OUTCOMES[outcome.kind], (clock.monotonicMs() - startMs) / 1000));
    },
  };
}
