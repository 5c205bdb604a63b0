/**
 * What a child of ctdbd does when ctdbd is dead: takes down the public addresses that it had. Any child may, also several
 * at a time (failover/addresses/orphans.ts).
 */
import type { Logger } from "../base/log.ts";
import type { CtdbConfig, CtdbPaths } from "../config/types.ts";
import { lockLeftPidFile } from "../daemon/lifecycle/pid_file.ts";
import { heldFilePath } from "../failover/addresses/held_file.ts";
import { removeOrphanedAddresses } from "../failover/addresses/orphans.ts";
import { SystemSharedFiles } from "../platform/libc/shared_file.ts";
import type { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemClock } from "../platform/node/clock.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import type { Processes } from "../platform/types/processes.ts";
import { inheritedEnvironment } from "./environment.ts";

export interface GuardedDaemon {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
  /** The ctdbd that has started this process. */
  readonly pid: number;
}

/** To be called when the connection to ctdbd or ctdbd itself is gone; `over` comes once. */
export function takeDownAddresses(
  daemon: GuardedDaemon,
  own: { readonly loop: EventLoop; readonly processes: Processes; readonly log: Logger },
  over: () => void,
): void {
  const { paths, config, pid } = daemon;
  if (config.failover.disabled || paths.testMode) {
    over();
    return;
  }
  const { loop, processes, log } = own;
  const shared = new SystemSharedFiles();
  removeOrphanedAddresses(
    {
      log,
      files: new SystemFiles(),
      network: new LoopNetwork(loop),
      processes,
      environment: inheritedEnvironment(),
      timers: loop,
      clock: new SystemClock(),
      heldFile: heldFilePath(paths.runDirectory),
      parentPid: pid,
      parentGone: () => process.ppid !== pid,
      lockPidFile: () => lockLeftPidFile(paths.pidFile, shared),
    },
    over,
  );
}
