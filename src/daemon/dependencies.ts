/** Everything a daemon is made from. The role gives the real things, the simulator virtual ones. */
import type { CrashPoints } from "../base/crash_points.ts";
import type { Logger } from "../base/log.ts";
import type { GivenOption, LiveConfig } from "../config/live_config.ts";
import type { TunableSet } from "../config/tunables.ts";
import type { ConfiguredNode, CtdbConfig, CtdbPaths } from "../config/types.ts";
import type { DatabaseHost } from "../database/host.ts";
import type { ClusterLockProbe } from "../lock/cluster_lock_probe.ts";
import type { AnnouncedVersion } from "../membership/announced_version.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { Network } from "../platform/types/network.ts";
import type { ArpNetwork, RawNetwork } from "../platform/types/raw_network.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import type { EventRunner } from "../services/event_runner.ts";
import type { Notification } from "../services/notifications.ts";
import type { LockWaiter, TdbOpener } from "../tdb/types.ts";
import type { TlsLinks } from "../transport/tls/tls_links.ts";
import type { Runstate } from "../wire/constants.ts";
import type { NodesLoaded } from "./controls/membership.ts";
import type { LogLevelSetting } from "./controls/node.ts";
import type { DatabasePart } from "./database_part.ts";
import type { PidFile } from "./lifecycle/pid_file.ts";
import type { StartChild } from "./lifecycle/recoverd_watch.ts";
import type { NodesListSource } from "./nodes_file/nodes_file_service.ts";
import type { MemoryUse } from "./report/memory_report.ts";

export interface DaemonDependencies {
  readonly config: CtdbConfig;
  readonly paths: CtdbPaths;
  readonly nodes: readonly ConfiguredNode[];
  readonly tunables: TunableSet;

  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly network: Network;
  /** Links with the other nodes are over TLS; without it over plain TCP. */
  readonly tls?: TlsLinks | undefined;
  /** undefined: public addresses are not announced when they come. */
  readonly rawNetwork?: (RawNetwork & ArpNetwork) | undefined;
  readonly files: FileSystem;
  readonly log: Logger;
  readonly logLevel: LogLevelSetting;
  readonly tdbs: TdbOpener;
  readonly lockWaiter: LockWaiter;

  /** Process id that GET_PID answers. */
  readonly ownPid: number;
  /** Of this program. */
  readonly version: string;
  /** In keepalives. */
  readonly announcedVersion: AnnouncedVersion;
  readonly pidFile: PidFile;
  readonly startRecoverd: StartChild;
  readonly startAdmind: StartChild;
  /** As the configuration is now. */
  wantsAdmind(): boolean;
  /** Asked only when a cluster lock is configured. */
  readonly clusterLockProbe: ClusterLockProbe | undefined;
  readonly events: EventRunner;
  /** Tells the notification script, if there is one. */
  readonly notify?: ((what: Notification) => void) | undefined;
  /** Told of each runstate when it begins. */
  readonly runstateChanged?: ((runstate: Runstate) => void) | undefined;
  readonly crashPoints?: CrashPoints | undefined;
  readonly createDatabase: (host: DatabaseHost) => DatabasePart;

  /** Processor time that this thread has used; where there is none, elapsed time counts. */
  readonly processorMs?: (() => number) | undefined;

  /** Told when the loop goes on after it did not for seconds. */
  readonly runsAgain?: (() => void) | undefined;

  isAlive(pid: number): boolean;
  /** Name of the program of a process or thread. */
  processName(pid: number): string | undefined;
  /** Reads the nodes file, or runs the command that prints it. */
  loadNodes(done: NodesLoaded): void;
  /** Where that is; undefined where nodes come from nowhere that could be changed. */
  readonly nodesList?: (() => NodesListSource) | undefined;
  /** Reads the configuration again; from then on `config` is what it says. */
  readonly reloadConfig?: (() => ReturnType<LiveConfig["reload"]>) | undefined;
  /** See LiveConfig.given. */
  readonly options?: (() => readonly GivenOption[]) | undefined;
  /** With `collect` what nobody needs any more is freed first, which takes some milliseconds. */
  memoryUse(collect?: boolean): MemoryUse;
  /** The daemon has ended; nothing of it runs any more. */
  exit(code: number): void;
}
