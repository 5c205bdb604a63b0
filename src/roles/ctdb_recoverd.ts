/**
 * ctdb-recoverd: the recovery daemon of a node, a child of its ctdbd and a client of it. It ends
 * with either: when the connection or the parent is gone, and on SIGTERM after giving up the
 * cluster lock.
 */
import { countObjects } from "#runtime";
import { logLevelOfNumber } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import { connectClient } from "../client/ctdb_client.ts";
import { JournalReporter } from "../client/journal_reporter.ts";
import { Recoverd } from "../cluster/recoverd.ts";
import { RECOVERY_HELPER, recoveryProcess } from "../cluster/recovery_process.ts";
import { TAKEOVER_HELPER, takeoverProcess } from "../cluster/takeover_process.ts";
import { loadCtdbConfig } from "../config/ctdb_conf.ts";
import { resolvePaths } from "../config/paths.ts";
import { problemText } from "../config/problems.ts";
import type { CtdbConfig, CtdbPaths } from "../config/types.ts";
import { memoryReport } from "../daemon/report/memory_report.ts";
import { localAddresses } from "../failover/addresses/local_addresses.ts";
import type { ClusterLock } from "../lock/cluster_lock.ts";
import { FCNTL_HELPER, lockCommand } from "../lock/mutex_helper_command.ts";
import { MutexHelperLock } from "../lock/mutex_helper_lock.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { BootClock, SystemClock, SystemRandom } from "../platform/node/clock.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import type { RoleLogger } from "../platform/node/logger.ts";
import type { SystemProcesses } from "../platform/node/processes.ts";
import type { Network } from "../platform/types/network.ts";
import type { Timers } from "../platform/types/time.ts";
import { takeDownAddresses } from "./address_guard.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { inheritedEnvironment, TELLS_REASON_VARIABLE, withRuntimeSettings } from "./environment.ts";
import { helperCommand } from "./helper_command.ts";
import { ImageProcesses } from "./image_processes.ts";
import { FENCE_VARIABLE, fenceLine } from "./leader_fence.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { parentOf, watchParent } from "./parent_watch.ts";
import { guardRealtimeLoop } from "./realtime.ts";
import type { Role } from "./role.ts";
import { failRole, openChildLog } from "./role_log.ts";

const USAGE = `Usage: ctdb-recoverd [-P PID]

Elects the leader, watches the consistency of the cluster and starts recoveries. Started by ctdbd, with
the same environment and configuration.

  -P PID  of the ctdbd that it ends with (default: of its parent)
`;

const CONNECT_TIMEOUT_MS = 10_000;
const PLACE_LIMIT_MS = 10_000;
/** A mutex helper that does not end by then was killed, or nothing ends it. */
const RELEASE_LIMIT_MS = 7000;

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  if (args[0] === "--help") {
    printOut(USAGE);
    return 0;
  }
  const parent = parentOf(args);
  if (parent === undefined) {
    printErr(USAGE);
    return 1;
  }
  const environment = ownEnvironment();
  const settings = readSettings(environment);
  if (!settings.ok) return complain(settings.error);
  const timers = new EventLoop();
  const processes = new ImageProcesses(timers);
  const { logging } = settings.value.config;
  const logger = openChildLog("ctdb-recoverd", logging, environment, processes);
  if (!logger.ok) return complain(logger.error);
  const log = logger.value;
  processes.helpersIn(settings.value.paths.helperDirectory, (line) => log.warning(line));
  const network = new LoopNetwork(timers);
  const { recoverdSocket } = settings.value.paths;
  const connected = await connectClient(network, timers, recoverdSocket, {
    timeoutMs: CONNECT_TIMEOUT_MS,
  });
  if (!connected.ok) failRole(log, connected.error.reason);
  const built = build(settings.value, connected.value, { timers, network, log, processes });
  if (!built.ok) failRole(log, built.error);
  const recoverd = built.value;
  const end = ender(recoverd, timers, log);
  const endWithoutDaemon = (reason: string) =>
    end(reason, 1, (over) => {
      const daemon = { ...settings.value, pid: parent };
      takeDownAddresses(daemon, { loop: timers, processes, log }, over);
    });
  connected.value.onDisconnect(endWithoutDaemon);
  watchParent(timers, () => endWithoutDaemon("ctdbd has ended"), parent);
  guardRealtimeLoop({ client: connected.value, timers, pid: parent, log });
  process.on("SIGTERM", () => end("Received SIGTERM", 0));
  const started = await recoverd.start();
  if (!started.ok) failRole(log, started.error);
  return await new Promise<number>(() => {});
}

interface Settings {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
}

function readSettings(environment: ReturnType<typeof ownEnvironment>): Result<Settings> {
  const paths = resolvePaths(environment, ownExecutable().directory);
  if (!paths.ok) return paths;
  const loaded = loadCtdbConfig(new SystemFiles(), paths.value);
  if (!loaded.ok) return err(loaded.error.map(problemText).join("\n"));
  return ok({ paths: paths.value, config: loaded.value.config });
}

function complain(reason: string): number {
  printErr(`ctdb-recoverd: ${reason}\n`);
  return 1;
}

function build(
  { paths, config }: Settings,
  client: ConstructorParameters<typeof Recoverd>[0]["client"],
  own: {
    readonly timers: Timers;
    readonly network: Network;
    readonly log: RoleLogger;
    readonly processes: SystemProcesses;
  },
): Result<Recoverd> {
  const { timers, network, log, processes } = own;
  const clock = new SystemClock();
  // Other recovery helpers put their temporary databases where CTDB_DBDIR_STATE says.
  const environment = {
    CTDB_DBDIR_STATE: config.database.stateDirectory,
    ...inheritedEnvironment(),
  };
  const coordinator = { [TELLS_REASON_VARIABLE]: "yes", [FENCE_VARIABLE]: "yes" };
  let clusterLock: ClusterLock | undefined;
  const configured = config.cluster.clusterLock;
  if (configured !== undefined) {
    const command = lockCommand(configured, helperCommand(paths.helperDirectory, FCNTL_HELPER));
    if (!command.ok) return err(`Cannot use the cluster lock "${configured}": ${command.error}`);
    const onErrorLine = (line: string) => log.error(line);
    // Other commands than our helper, which stays as long as the lock is held, begin with "!".
    const isOurs = !configured.startsWith("!");
    const lockEnvironment = isOurs ? withRuntimeSettings(environment) : environment;
    // A lease goes on while this machine sleeps.
    const leaseClock = new BootClock();
    const host = {
      processes,
      clock: leaseClock,
      timers,
      environment: lockEnvironment,
      onErrorLine,
    };
    const proofMs = config.cluster.leaderTimeoutSec * 1000;
    if (isOurs) tellPlace({ ...host, log }, [...command.value]);
    clusterLock = new MutexHelperLock(host, command.value, configured, proofMs);
  }
  const tells = { timers, line: () => fenceLine(recoverd.mayActMs) };
  const recoverd: Recoverd = new Recoverd({
    client,
    clock,
    timers,
    random: new SystemRandom(),
    log,
    journal: new JournalReporter(client, "recoverd", clock, timers),
    clusterLock,
    recoveryHelper: recoveryProcess({
      processes,
      command: helperCommand(paths.helperDirectory, RECOVERY_HELPER),
      socket: paths.recoverdSocket,
      environment: withRuntimeSettings({ ...environment, ...coordinator }),
      tells,
      onLine: (line) => log.notice(line),
    }),
    takeoverHelper: takeoverProcess(
      () => ({
        processes,
        command: helperCommand(paths.helperDirectory, TAKEOVER_HELPER),
        socket: paths.recoverdSocket,
        // Its log shows what ours shows now, whatever ctdbd began with.
        environment: withRuntimeSettings({
          ...environment,
          ...coordinator,
          CTDB_DEBUGLEVEL: logLevelOfNumber(log.level.get()) ?? "NOTICE",
          ...(config.failover.disabled ? { CTDB_DISABLE_IP_FAILOVER: "1" } : {}),
        }),
        tells,
        onLine: (line) => log.notice(line),
      }),
      log,
    ),
    leaderTimeoutMs: config.cluster.leaderTimeoutSec * 1000,
    testMode: paths.testMode,
    setLogLevel: (level) => log.level.set(level),
    memoryReport: ownMemoryReport,
    addressCheck: config.failover.disabled
      ? undefined
      : { localAddresses: () => (paths.testMode ? undefined : localAddresses(network)) },
  });
  return ok(recoverd);
}

/** Says in the log where the file of the cluster lock is; a file system that hangs is told, too. */
function tellPlace(
  host: {
    readonly processes: SystemProcesses;
    readonly timers: Timers;
    readonly environment: Readonly<Record<string, string>>;
    readonly log: RoleLogger;
  },
  command: [string, ...string[]],
): void {
  const { environment, log, processes, timers } = host;
  const file = command.pop() ?? "";
  const spawned = processes.spawn({
    argv: [command[0], ...command.slice(1), "--place", file],
    env: environment,
    onOutputLine: (line) => log.notice(line),
    onExit: () => limit.cancel(),
  });
  const limit = timers.after(PLACE_LIMIT_MS, () => {
    log.error(`The file system of the cluster lock "${file}" does not answer`);
    if (spawned.ok) spawned.value.kill("SIGKILL");
  });
  if (!spawned.ok) limit.cancel();
}

/** Gives up the lock, does what else is left to do, and ends the process; only the first call counts. */
function ender(recoverd: Recoverd, timers: Timers, log: RoleLogger) {
  let ending = false;
  return (
    reason: string,
    status: number,
    alsoDo: (over: () => void) => void = (over) => over(),
  ): void => {
    if (ending) return;
    ending = true;
    log.notice(`${reason}, exiting`);
    timers.after(RELEASE_LIMIT_MS, () => process.exit(status));
    let left = 2;
    const oneDone = () => {
      left -= 1;
      if (left === 0) process.exit(status);
    };
    alsoDo(oneDone);
    recoverd.stop(oneDone);
  };
}

/** The largest kinds of objects, in the shape of ctdbd's report. */
function ownMemoryReport(): string {
  const usage = process.memoryUsage();
  const kinds = Object.entries(countObjects())
    .sort((a, b) => b[1] - a[1])
    .slice(0, 16)
    .map(([name, count]) => ({ name: `objects of type ${name}`, bytes: count }));
  return memoryReport({
    name: "ctdb_recoverd",
    bytes: 0,
    children: [
      { name: "heap", bytes: usage.heapUsed, children: kinds },
      { name: "external", bytes: usage.external },
    ],
  });
}
