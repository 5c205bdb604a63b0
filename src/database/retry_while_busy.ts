/** An attempt that may find a lock held elsewhere, again and again until it does not or time is over. */
import type { TdbResult } from "../tdb/types.ts";
import type { DatabaseHost } from "./host.ts";

/** The first attempt is made at once; `finished` may run inside the call. */
export function retryWhileBusy<T>(
  host: DatabaseHost,
  limits: { readonly timeoutMs: number; readonly retryMs: number },
  attempt: () => TdbResult<T>,
  finished: (outcome: TdbResult<T>) => void,
): void {
  const endMs = host.clock.monotonicMs() + limits.timeoutMs;
  const tryOnce = (): void => {
    const outcome = attempt();
    const again = !outcome.ok && outcome.error.code === "busy" && host.clock.monotonicMs() < endMs;
    if (again) host.timers.after(limits.retryMs, tryOnce);
    else finished(outcome);
  };
  tryOnce();
}
