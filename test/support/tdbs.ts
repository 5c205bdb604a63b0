/** Real TDB files for test programs that work on records as clients do. */
import type { LockEnvironment } from "../../src/client/g_lock.ts";
import type { RecordEnvironment } from "../../src/client/local_file.ts";
import { BunTimers } from "../../src/platform/bun/timers.ts";
import { BunSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { BunClock, BunRandom } from "../../src/platform/node/clock.ts";
import { FileTdbOpener } from "../../src/tdb/opener.ts";

let environment: RecordEnvironment | undefined;

/** One for the whole program: a file is opened once. */
export function recordEnvironment(): RecordEnvironment {
  if (environment === undefined) {
    const timers = new BunTimers();
    const clock = new BunClock();
    const files = new BunSharedFiles();
    const tdbs = new FileTdbOpener({
      files,
      internalFiles: files,
      timers,
      clock,
      mutexesWork: true,
    });
    environment = { tdbs, timers, clock };
  }
  return environment;
}

/** The same, for locks and transactions. */
export function lockEnvironment(): LockEnvironment {
  return { ...recordEnvironment(), pid: process.pid, random: new BunRandom() };
}
