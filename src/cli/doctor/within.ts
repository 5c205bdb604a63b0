/** A wait with a bound. */
import type { Timers } from "../../platform/types/time.ts";

/** undefined when it takes longer; what comes then is not looked at. */
export function withinMs<T>(
  timers: Timers,
  ms: number,
  action: Promise<T>,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const deadline = timers.after(ms, () => resolve(undefined));
    action.then((value) => {
      deadline.cancel();
      resolve(value);
    }, reject);
  });
}
