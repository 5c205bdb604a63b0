/** What the log says while a listener has to wait for descriptors. */
import type { Logger } from "../base/log.ts";
import type { AcceptNotices } from "../platform/types/network.ts";

export function acceptNotices(log: Logger, whom: string): AcceptNotices {
  return {
    paused: (descriptorsMax) =>
      log.error(
        `Out of descriptors: ${whom} wait until some of the ${descriptorsMax} are free (ulimit -n)`,
      ),
    resumed: () => log.notice(`There are descriptors again: accepting ${whom}`),
  };
}
