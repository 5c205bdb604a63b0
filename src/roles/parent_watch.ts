/** Looks whether the process that started this one is still there. */
import type { Timers } from "../platform/types/time.ts";

const CHECK_MS = 1000;

/** Calls `gone` at every look from the first on that finds another parent than `parent`. */
export function watchParent(
  timers: Pick<Timers, "every">,
  gone: () => void,
  parent = process.ppid,
): void {
  timers.every(CHECK_MS, () => {
    if (process.ppid !== parent) gone();
  });
}
