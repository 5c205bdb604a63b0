/**
 * Realtime scheduling of ctdbd's loop, and what keeps one that spins from taking the machine (docs/platform.md,
 * "Realtime scheduling").
 */
import { readFileSync } from "node:fs";
import type { Logger } from "../base/log.ts";
import type { CtdbClient } from "../client/types.ts";
import type { CtdbConfig } from "../config/types.ts";
import { becomeNormal, becomeRealtime, isRealtime } from "../platform/libc/scheduling.ts";
import type { Timers } from "../platform/types/time.ts";

/** Microseconds of each second that realtime threads may have; −1: all of it. */
const KERNEL_BOUND = "/proc/sys/kernel/sched_rt_runtime_us";
const GUARD_INTERVAL_MS = 5000;
const GUARD_ANSWER_MS = 10_000;

/** Makes this thread realtime, where that is wanted and may be; called again after it was taken back. */
export function realtimeLoop(
  { legacy }: CtdbConfig,
  testMode: boolean,
  log: Logger,
): { again(): void } {
  if (!legacy.realtimeScheduling || testMode) return { again() {} };
  if (isUnbounded()) {
    log.warning(
      `Realtime scheduling is not used: ${KERNEL_BOUND} is -1, expected a bound, without which a loop that spins stops the machine`,
    );
    return { again() {} };
  }
  const outcome = becomeRealtime();
  if (!outcome.ok) {
    log.warning(`Realtime scheduling is not used: ${outcome.error.message}`);
    return { again() {} };
  }
  log.notice("Set real-time scheduler priority");
  return { again: () => void becomeRealtime() };
}

/** What cannot be read is no kernel of ours, and is left to the attempt. */
function isUnbounded(): boolean {
  try {
    return Number(readFileSync(KERNEL_BOUND, "latin1")) === -1;
  } catch {
    return false;
  }
}

/** In a child of ctdbd, whose threads are normal ones: takes it back from a ctdbd that does not answer. */
export function guardRealtimeLoop(own: {
  readonly client: CtdbClient;
  readonly timers: Pick<Timers, "every">;
  readonly pid: number;
  readonly log: Logger;
}): void {
  let asked = false;
  own.timers.every(GUARD_INTERVAL_MS, () => {
    if (asked || !isRealtime(own.pid)) return;
    asked = true;
    void own.client.control("PING", undefined, { timeoutMs: GUARD_ANSWER_MS }).then((answer) => {
      asked = false;
      if (answer.ok || answer.error.kind !== "timeout" || !becomeNormal(own.pid)) return;
      own.log.error(
        `ctdbd has not answered for ${GUARD_ANSWER_MS / 1000} s: its realtime scheduling was taken back, so that it does not take the machine`,
      );
    });
  });
}
