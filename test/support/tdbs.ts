/** Real TDB files for test programs that work on records as clients do. */
import type { LockEnvironment } from "../../src/client/g_lock.ts";
import type { RecordEnvironment } from "../../src/client/local_file.ts";
import { SystemSharedFiles } from "../../src/platform/libc/shared_file.ts";
import { SystemClock, SystemRandom } from "../../src/platform/node/clock.ts";
import { FileTdbOpener } from "../../src/tdb/opener.ts";
import { loop } from "./loop.ts";

let environment: RecordEnvironment | undefined;

/** One for the whole program: a file is opened once. */
export function recordEnvironment(): RecordEnvironment {
  if (environment === undefined) {
    const clock = new SystemClock();
    const files = new SystemSharedFiles();
    const tdbs = new FileTdbOpener({
      files,
      internalFiles: files,
      timers: loop,
      clock,
      mutexesWork: true,
    });
    environment = { tdbs, timers: loop, clock };
  }
  return environment;
}

/** The same, for locks and transactions. */
export function lockEnvironment(): LockEnvironment {
  return { ...recordEnvironment(), pid: process.pid, random: new SystemRandom() };
}
