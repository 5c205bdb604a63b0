/** The recovery helper as a child process: `ctdb_recovery_helper FD SOCKET GENERATION`. Ours writes no status when it fails. */
import { HelperProcess, type HelperProcessOptions } from "./helper_process.ts";
import type { RecoveryHelper } from "./recovery_run.ts";

export const RECOVERY_HELPER = "ctdb_recovery_helper";

export function recoveryProcess(options: HelperProcessOptions): RecoveryHelper {
  const process = new HelperProcess("recovery");
  return {
    start: (generation, done) => process.start(options, [String(generation)], done),
  };
}
