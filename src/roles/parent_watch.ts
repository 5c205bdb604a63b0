/** Looks whether the process that started this one is still there. */
import type { Processes } from "../platform/types/processes.ts";
import type { Timers } from "../platform/types/time.ts";

const CHECK_MS = 1000;

/**
 * Calls `gone` at every look from the first on that finds another parent than `parent`. A command that has no other end
 * than its parent's is to name it: the process may be an orphan by the time that it can look.
 */
export function watchParent(
  timers: Pick<Timers, "every">,
  gone: () => void,
  parent = process.ppid,
): void {
  timers.every(CHECK_MS, () => {
    if (process.ppid !== parent) gone();
  });
}

/** Of a daemon that ctdbd starts with `-P PID`; undefined: its arguments are wrong. */
export function parentOf(args: readonly string[]): number | undefined {
  if (args.length === 0) return process.ppid;
  const [option, pid = ""] = args;
  return option === "-P" && args.length === 2 && /^[0-9]{1,9}$/.test(pid) ? Number(pid) : undefined;
}

/** Tells whether the process is gone that this one is to end with. A parent is, as soon as somebody else is ours. */
export function orphanCheck(
  pid: number | undefined,
  processes: Pick<Processes, "isAlive">,
): () => boolean {
  if (pid === undefined) return () => false;
  if (process.ppid === pid) return () => process.ppid !== pid;
  return () => !processes.isAlive(pid);
}
