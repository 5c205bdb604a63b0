/**
 * ctdb-recoverd: the recovery daemon of a node, a child of its ctdbd and a client of it. It ends
 * with either: when the connection or the parent is gone, and on SIGTERM after giving up the cluster lock.
 */
import { heapStats } from "bun:jsc";
import { realpathSync } from "node:fs";
import { dirname } from "node:path";
import { connectClient } from "../client/ctdb_client.ts";
import type { ClusterLock } from "../cluster/cluster_lock.ts";
import { HelperLock, lockCommand } from "../cluster/helper_lock.ts";
import { Recoverd } from "../cluster/recoverd.ts";
import { RECOVERY_HELPER, recoveryProcess } from "../cluster/recovery_process.ts";
import { announceOnly } from "../cluster/takeover_runs.ts";
import { loadCtdbConfig } from "../config/ctdb_conf.ts";
import { resolvePaths } from "../config/paths.ts";
import { problemText } from "../config/problems.ts";
import type { CtdbConfig, CtdbPaths } from "../config/types.ts";
import { memoryReport } from "../daemon/memory_report.ts";
import { BunClock, BunRandom } from "../platform/bun/clock.ts";
import { BunFileSystem } from "../platform/bun/file_system.ts";
import { BunNetwork } from "../platform/bun/network.ts";
import { BunProcesses } from "../platform/bun/processes.ts";
import { BunTimers } from "../platform/bun/timers.ts";
import { LineLog } from "../recovery/line_log.ts";
import type { Role } from "./role.ts";

const USAGE = `Usage: ctdb-recoverd

Elects the leader, watches the consistency of the cluster and starts recoveries. Started by ctdbd, with
the same environment and configuration.
`;

const CONNECT_TIMEOUT_MS = 10_000;
const PARENT_CHECK_MS = 1000;
/** A mutex helper that does not end by then was killed, or nothing ends it. */
const RELEASE_LIMIT_MS = 7000;

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  if (args[0] === "--help") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (args.length > 0) {
    process.stderr.write(USAGE);
    return 1;
  }
  const parent = process.ppid;
  const log = new LineLog((line) => process.stderr.write(`${line}\n`));
  const settings = readSettings(log);
  if (settings === undefined) return 1;
  const timers = new BunTimers();
  const network = new BunNetwork();
  const { socket } = settings.paths;
  const connected = await connectClient(network, timers, socket, { timeoutMs: CONNECT_TIMEOUT_MS });
  if (!connected.ok) {
    log.error(connected.error.reason);
    return 1;
  }
  const recoverd = build(settings, connected.value, timers, log);
  if (recoverd === undefined) return 1;
  const end = ender(recoverd, timers, log);
  connected.value.onDisconnect((reason) => end(reason, 1));
  timers.every(PARENT_CHECK_MS, () => {
    if (process.ppid !== parent) end("ctdbd has ended", 1);
  });
  process.on("SIGTERM", () => end("Received SIGTERM", 0));
  // Logs are reopened by who writes them.
  process.on("SIGHUP", () => {});
  const started = await recoverd.start();
  if (!started.ok) {
    log.error(started.error);
    process.exit(1);
  }
  return await new Promise<number>(() => {});
}

interface Settings {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
}

function readSettings(log: LineLog): Settings | undefined {
  const paths = resolvePaths(process.env, dirname(realpathSync("/proc/self/exe")));
  if (!paths.ok) {
    log.error(paths.error);
    return undefined;
  }
  const loaded = loadCtdbConfig(new BunFileSystem(), paths.value);
  if (!loaded.ok) {
    for (const problem of loaded.error) log.error(problemText(problem));
    return undefined;
  }
  return { paths: paths.value, config: loaded.value.config };
}

function build(
  { paths, config }: Settings,
  client: ConstructorParameters<typeof Recoverd>[0]["client"],
  timers: BunTimers,
  log: LineLog,
): Recoverd | undefined {
  const processes = new BunProcesses();
  const clock = new BunClock();
  const environment = childEnvironment(config);
  let clusterLock: ClusterLock | undefined;
  const configured = config.cluster.clusterLock;
  if (configured !== undefined) {
    const command = lockCommand(configured, paths.helperDirectory);
    if (!command.ok) {
      log.error(`Cannot use the cluster lock "${configured}": ${command.error}`);
      return undefined;
    }
    const onErrorLine = (line: string) => log.error(line);
    const host = { processes, clock, timers, environment, onErrorLine };
    clusterLock = new HelperLock(host, command.value, configured);
  }
  return new Recoverd({
    client,
    clock,
    timers,
    random: new BunRandom(),
    log,
    clusterLock,
    recoveryHelper: recoveryProcess({
      processes,
      helper: `${paths.helperDirectory}/${RECOVERY_HELPER}`,
      socket: paths.socket,
      environment,
      onLine: (line) => log.notice(line),
    }),
    takeoverHelper: announceOnly(client, log),
    leaderTimeoutMs: config.cluster.leaderTimeoutSec * 1000,
    testMode: paths.testMode,
    setLogLevel: (level) => log.setLevel(level),
    memoryReport: ownMemoryReport,
  });
}

/** Other recovery helpers put their temporary databases where CTDB_DBDIR_STATE says. */
function childEnvironment(config: CtdbConfig): Record<string, string> {
  const environment: Record<string, string> = {
    CTDB_DBDIR_STATE: config.database.stateDirectory,
  };
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** Gives up the lock and ends the process; only the first call counts. */
function ender(recoverd: Recoverd, timers: BunTimers, log: LineLog) {
  let ending = false;
  return (reason: string, status: number): void => {
    if (ending) return;
    ending = true;
    log.notice(`${reason}, exiting`);
    timers.after(RELEASE_LIMIT_MS, () => process.exit(status));
    recoverd.stop(() => process.exit(status));
  };
}

/** The largest kinds of objects, in the shape of ctdbd's report. */
function ownMemoryReport(): string {
  const usage = process.memoryUsage();
  const kinds = Object.entries(heapStats().objectTypeCounts)
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
