/** What runs real mutex helpers in tests, and the command of ours. */
import { join } from "node:path";
import type { MutexHelperHost } from "../../src/lock/mutex_helper.ts";
import type { LockCommand } from "../../src/lock/mutex_helper_command.ts";
import { EventLoop } from "../../src/platform/loop/event_loop.ts";
import { SystemClock } from "../../src/platform/node/clock.ts";
import { SystemProcesses } from "../../src/platform/node/processes.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");

/** The fcntl helper: FILE [RECHECK [PING_TIMEOUT]]. */
export function fcntlHelper(...args: readonly string[]): LockCommand {
  return [process.execPath, MAIN, "ctdb_mutex_fcntl_helper", ...args];
}

export function realHelperHost(
  onErrorLine: (line: string) => void = () => {},
  processes = new SystemProcesses(new EventLoop()),
): MutexHelperHost {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) environment[name] = value;
  }
  const [clock, timers] = [new SystemClock(), new EventLoop()];
  return { processes, clock, timers, environment, onErrorLine };
}
