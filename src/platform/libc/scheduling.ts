/**
 * Realtime scheduling of one thread (docs/platform.md, "Realtime scheduling").
 *
 * Invariant: only the thread that asks becomes realtime. Threads and processes that it starts are normal ones.
 */
import type { SystemError } from "../../base/errors.ts";
import { done, err, type Result } from "../../base/result.ts";
import { SCHEDULING_FUNCTIONS } from "./functions.ts";
import { errno, nativeMemory, openLibc, systemError } from "./libc.ts";

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const SCHED_RESET_ON_FORK = 0x40000000;
/** The lowest, as the original takes it: other realtime work of a machine comes first. */
const PRIORITY = 1;

/** The calling thread runs before all normal ones from now on. */
export function becomeRealtime(): Result<void, SystemError> {
  const failed = setScheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, PRIORITY);
  return failed ? err(systemError(errno(), "sched_setscheduler", "SCHED_FIFO")) : done;
}

/** Whether the main thread of a process is one; of a process that is gone: no. */
export function isRealtime(pid: number): boolean {
  const policy = openLibc(SCHEDULING_FUNCTIONS).sched_getscheduler(pid);
  return policy >= 0 && (policy & ~SCHED_RESET_ON_FORK) === SCHED_FIFO;
}

/** The main thread of a process is a normal one from now on; false: it was one, or may not be changed. */
export function becomeNormal(pid: number): boolean {
  return isRealtime(pid) && !setScheduler(pid, SCHED_OTHER, 0);
}

function setScheduler(pid: number, policy: number, priority: number): boolean {
  const parameters = nativeMemory(8);
  parameters.words[0] = priority;
  return openLibc(SCHEDULING_FUNCTIONS).sched_setscheduler(pid, policy, parameters.address) !== 0;
}
