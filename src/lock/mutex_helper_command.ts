/**
 * Which mutex helper to run for `[cluster] cluster lock`: our fcntl helper for a file, any program that speaks
 * the helper protocol for `!COMMAND ARGS`.
 */
import { err, ok, type Result } from "../base/result.ts";

export const FCNTL_HELPER = "ctdb_mutex_fcntl_helper";

export type LockCommand = readonly [string, ...string[]];

/**
 * What to run for a configured value; words of a command are separated by blanks and tabs. `fcntlHelper`: what
 * runs FCNTL_HELPER here.
 */
export function lockCommand(configured: string, fcntlHelper: LockCommand): Result<LockCommand> {
  if (!configured.startsWith("!")) {
    if (configured === "") return err(`expected a path or !command, got ""`);
    return ok([...fcntlHelper, configured]);
  }
  const [program, ...args] = configured
    .slice(1)
    .split(/[ \t]+/)
    .filter((word) => word !== "");
  if (program === undefined) return err(`expected a command after "!", got "${configured}"`);
  return ok([program, ...args]);
}
