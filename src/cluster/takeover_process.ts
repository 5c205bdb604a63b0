/** The takeover helper as a child process: `ctdb_takeover_helper FD SOCKET [PNN,PNN…]`, with the nodes to rebalance. */
import type { Logger } from "../base/log.ts";
import { HelperProcess, type HelperProcessOptions } from "./helper_process.ts";
import type { TakeoverHelper } from "./takeover_runs.ts";

export const TAKEOVER_HELPER = "ctdb_takeover_helper";

/** `options` are asked for anew for each run: the level of the log may have changed. */
export function takeoverProcess(options: () => HelperProcessOptions, log: Logger): TakeoverHelper {
  const helper = new HelperProcess("takeover");
  return {
    start({ rebalance }, done) {
      const args = rebalance.length === 0 ? [] : [rebalance.join(",")];
      return helper.start(options(), args, (outcome) => {
        if (!outcome.ok) log.error(outcome.error);
        done(outcome);
      });
    },
  };
}
