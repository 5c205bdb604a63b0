/** A wait with a bound. */
import type { Timers } from "../../platform/types/time.ts";

/** undefined when it takes longer; what comes then is not looked at. */
export async function withinMs<T>(
  timers: Timers,
  ms: number,
  action: Promise<T>,
): Promise<T | undefined> {
  let expired: (nothing: undefined) => void = () => {};
  const late = new Promise<undefined>((resolve) => {
    expired = resolve;
  });
  const deadline = timers.after(ms, () => expired(undefined));
  try {
    return await Promise.race([action, late]);
  } finally {
    deadline.cancel();
  }
}
