/** What the recovery daemon's core is given: its ctdbd, time, the helpers, the cluster lock. */
import type { Journal } from "../base/journal_event.ts";
import type { Logger } from "../base/log.ts";
import type { CtdbClient } from "../client/types.ts";
import type { ClusterLock } from "../lock/cluster_lock.ts";
import type { Clock, Random, Timers } from "../platform/types/time.ts";
import type { AddressCheckHost } from "./address_checks.ts";
import type { RecoveryHelper } from "./recovery_run.ts";
import type { TakeoverHelper } from "./takeover_runs.ts";

export interface RecoverdHost {
  readonly client: CtdbClient;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly journal: Journal;
  readonly recoveryHelper: RecoveryHelper;
  readonly takeoverHelper: TakeoverHelper;
  /** undefined: elections by message. */
  readonly clusterLock: ClusterLock | undefined;
  /** How to look at this machine's addresses; undefined: no public addresses are moved. */
  readonly addressCheck: Pick<AddressCheckHost, "localAddresses"> | undefined;
  readonly leaderTimeoutMs: number;
  readonly testMode: boolean;
  /** The level that ctdbd has now. */
  setLogLevel(level: number): void;
  /** The answer to MEM_DUMP. */
  memoryReport(): string;
}
