/**
 * ctdbd: reads the configuration, builds the daemon from real platform objects, and runs it, in the
 * background unless told otherwise (docs/daemon.md, "Command").
 */
import { fstatSync } from "node:fs";
import { parseArgs } from "node:util";
import { parseWhole } from "../base/c_number.ts";
import { err, ok, type Result } from "../base/result.ts";
import { loadCtdbConfig } from "../config/ctdb_conf.ts";
import { resolvePaths } from "../config/paths.ts";
import { problemText } from "../config/problems.ts";
import { TunableSet } from "../config/tunables.ts";
import { loadTunables } from "../config/tunables_file.ts";
import type { ConfigProblem, ConfiguredNode, CtdbConfig, CtdbPaths } from "../config/types.ts";
import { Daemon } from "../daemon/lifecycle/daemon.ts";
import { NoEvents } from "../daemon/lifecycle/event_runner.ts";
import { LockedPidFile } from "../daemon/lifecycle/pid_file.ts";
import { DatabaseSet } from "../database/database_set.ts";
import { timedProbe } from "../lock/cluster_lock_probe.ts";
import { HelperLockProbe, lockCommand } from "../lock/helper_lock.ts";
import { BunClock, BunRandom, threadProcessorMs } from "../platform/bun/clock.ts";
import { FileCrashPoints } from "../platform/bun/crash_points.ts";
import { BunFileSystem } from "../platform/bun/file_system.ts";
import { BunLockWaiter } from "../platform/bun/lock_waiter.ts";
import type { RoleLogger } from "../platform/bun/logger.ts";
import { BunNetwork } from "../platform/bun/network.ts";
import { BunProcesses } from "../platform/bun/processes.ts";
import { BunSharedFiles } from "../platform/bun/shared_file.ts";
import { BunTimers } from "../platform/bun/timers.ts";
import { FileTdbOpener } from "../tdb/opener.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { startInBackground, takeBackgroundReport } from "./ctdbd_background.ts";
import { childEnvironment, recoverdStarter } from "./ctdbd_children.ts";
import { loadNodes } from "./ctdbd_nodes.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { type Role, SAMBA_VERSION, VERSION } from "./role.ts";
import { openRoleLog } from "./role_log.ts";
import { ROLES } from "./table.ts";

const USAGE = `Usage: ctdbd [OPTIONS]
Runs the CTDB daemon of this node.

  -i, --interactive           stay in the foreground and log to standard error
      --samba-version=X.Y     Samba version that is announced to other nodes (default 4.25)
      --help                  this text
      --version               the release
`;

const DEFAULT_SAMBA_VERSION = (SAMBA_VERSION.major << 16) | SAMBA_VERSION.minor;
const EPIPE = 32;

export const role: Role = {
  async run(args) {
    // Alone in a directory this executable stands in for its children, too.
    const [first, ...rest] = args;
    const other = ROLES.find(({ name }) => name === first && name !== "ctdbd");
    if (other !== undefined) return await (await other.load()).role.run(rest);
    const options = readOptions(args);
    if (!options.ok) {
      printErr(`${options.error}\n${USAGE}`);
      return 1;
    }
    if (options.value.text !== undefined) {
      printOut(options.value.text);
      return 0;
    }
    return await runDaemon(args, options.value);
  },
};

interface Options {
  readonly interactive: boolean;
  readonly sambaVersion: number;
  /** To be printed instead of running. */
  readonly text: string | undefined;
}

function readOptions(args: readonly string[]): Result<Options> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        interactive: { type: "boolean", short: "i", default: false },
        "samba-version": { type: "string" },
        help: { type: "boolean", short: "?", default: false },
        usage: { type: "boolean", default: false },
        version: { type: "boolean", default: false },
      },
    });
    const sambaVersion = announcedVersion(values["samba-version"], ownEnvironment());
    if (!sambaVersion.ok) return sambaVersion;
    const help = values.help || values.usage ? USAGE : undefined;
    return ok({
      interactive: values.interactive,
      sambaVersion: sambaVersion.value,
      text: values.version ? `ctdbd ${VERSION}\n` : help,
    });
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

/**
 * What keepalives announce: the option, else CTDB_SAMBA_VERSION=X.Y, else (for test harnesses) the
 * number in CTDB_TEST_SAMBA_VERSION, else the release that we follow.
 */
export function announcedVersion(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Result<number> {
  const text = option ?? environment["CTDB_SAMBA_VERSION"];
  if (text !== undefined) {
    const match = /^([0-9]{1,4})\.([0-9]{1,4})$/.exec(text);
    if (match === null) return err(`Samba version: expected MAJOR.MINOR, got "${text}"`);
    return ok((Number(match[1]) << 16) | Number(match[2]));
  }
  const forTests = environment["CTDB_TEST_SAMBA_VERSION"];
  if (forTests === undefined) return ok(DEFAULT_SAMBA_VERSION);
  const version = parseWhole(forTests, 0x7fffffff) ?? 0;
  if (version > 0) return ok(version);
  return err(`CTDB_TEST_SAMBA_VERSION: expected a positive number, got "${forTests}"`);
}

interface Configuration {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
  readonly nodes: readonly ConfiguredNode[];
  readonly tunables: TunableSet;
  readonly warnings: readonly ConfigProblem[];
}

/** Everything that files say; all problems at once. */
async function readConfiguration(): Promise<Result<Configuration, readonly string[]>> {
  const files = new BunFileSystem();
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  if (!paths.ok) return err([paths.error]);
  const loaded = loadCtdbConfig(files, paths.value);
  if (!loaded.ok) return err(loaded.error.map(problemText));
  const { config, warnings } = loaded.value;
  const nodes = await loadNodes(config, paths.value, files, new BunProcesses());
  if (!nodes.ok) return err([nodes.error]);
  const tunables = new TunableSet();
  // A wrong tunable does not stop a node, as with the original; the log says which it was.
  const tunableProblems = loadTunables(files, paths.value, tunables);
  return ok({
    paths: paths.value,
    config,
    nodes: nodes.value,
    tunables,
    warnings: [...warnings, ...tunableProblems],
  });
}

async function runDaemon(args: readonly string[], options: Options): Promise<number> {
  const report = takeBackgroundReport();
  const configuration = await readConfiguration();
  if (!configuration.ok) {
    const reason = configuration.error.join("\n");
    if (report === undefined) printErr(`${reason}\n`);
    report?.(reason);
    return 1;
  }
  const { paths, config } = configuration.value;
  if (report === undefined && !options.interactive) {
    return await startInBackground("ctdbd", args, {
      keepStdin: paths.testMode,
      logLocation: config.logging.location,
    });
  }
  const location = options.interactive ? "file:" : config.logging.location;
  const processes = new BunProcesses();
  const logger = openRoleLog(
    {
      location,
      level: config.logging.logLevel,
      application: "ctdbd",
      environment: ownEnvironment(),
    },
    processes,
  );
  if (!logger.ok) {
    if (report === undefined) printErr(`${logger.error}\n`);
    report?.(logger.error);
    return 1;
  }
  const log = logger.value;
  const fail = (reason: string): number => {
    // On standard error the command that waits for the report has it said already.
    if (report === undefined || !log.toStandardError) log.lastWords(reason);
    report?.(reason);
    return exitNow(1, log);
  };
  for (const warning of configuration.value.warnings) log.warning(problemText(warning));
  // Collector and lock threads of the runtime would wait behind a loop that the scheduler never interrupts.
  if (config.legacy.realtimeScheduling && !paths.testMode) {
    log.notice("Realtime scheduling is not used: expected by configuration, but not supported");
  }
  const daemon = buildDaemon(configuration.value, options, { location, log, processes });
  if (!daemon.ok) return fail(daemon.error);
  handleSignals(daemon.value, paths.testMode);
  const started = await new Promise<Result<void>>((resolve) => daemon.value.start(resolve));
  if (!started.ok) return fail(started.error);
  report?.(undefined);
  return await new Promise<number>(() => {});
}

function buildDaemon(
  configuration: Configuration,
  options: Options,
  own: { readonly location: string; readonly log: RoleLogger; readonly processes: BunProcesses },
): Result<Daemon> {
  const { log, processes } = own;
  const { paths, config, nodes, tunables } = configuration;
  const clock = new BunClock();
  const timers = new BunTimers();
  const files = new BunFileSystem();
  const sharedFiles = new BunSharedFiles();
  const environment = childEnvironment({
    paths,
    config,
    interactive: options.interactive,
    logLocation: own.location,
    logLevel: config.logging.logLevel,
  });
  const { clusterLock } = config.cluster;
  const command =
    clusterLock === undefined ? undefined : lockCommand(clusterLock, paths.helperDirectory);
  if (command?.ok === false) {
    return err(`Cannot use the cluster lock "${clusterLock}": ${command.error}`);
  }
  // A daemon keeps no file system busy by its working directory.
  if (!options.interactive && !paths.testMode) process.chdir("/");
  log.error(`Starting CTDBD (Version ${VERSION}) as PID: ${process.pid}`);
  const wantsCrashPoints = paths.testMode && process.env["CTDB_CRASH_POINTS"] === "yes";
  const crashPoints = wantsCrashPoints
    ? new FileCrashPoints(`${paths.etcDirectory}/crash_point`)
    : undefined;
  const onErrorLine = (line: string) => log.error(`cluster lock: ${line}`);
  const helperHost = { processes, clock, timers, environment, onErrorLine };
  return ok(
    new Daemon({
      config,
      paths,
      nodes,
      tunables,
      clock,
      timers,
      random: new BunRandom(),
      network: new BunNetwork(),
      files,
      log,
      logLevel: log.level,
      tdbs: new FileTdbOpener({
        files: sharedFiles,
        timers,
        clock,
        mutexesWork: true,
        crashPoints,
      }),
      crashPoints,
      lockWaiter: new BunLockWaiter(),
      ownPid: process.pid,
      sambaVersion: options.sambaVersion,
      pidFile: new LockedPidFile(paths.pidFile, process.pid, sharedFiles, files),
      startRecoverd: recoverdStarter(processes, paths.helperDirectory, environment, log),
      clusterLockProbe:
        command === undefined
          ? undefined
          : timedProbe(new HelperLockProbe(helperHost, command.value), clock),
      events: new NoEvents(log, timers),
      createDatabase: (host) => new DatabaseSet(host),
      isAlive: (pid) => processes.isAlive(pid),
      processName: (pid) => processes.nameOf(pid),
      processorMs: threadProcessorMs,
      loadNodes: (done) => void loadNodes(config, paths, files, processes).then(done),
      memoryUse,
      exit: (code) => void exitNow(code, log),
    }),
  );
}

function memoryUse(collect = false) {
  if (collect) Bun.gc(true);
  const { heapUsed, external, rss } = process.memoryUsage();
  // The runtime counts buffers in both, and among them what it sees of mapped files.
  const heapBytes = Math.max(0, heapUsed - external);
  return { heapBytes, externalBytes: external, residentBytes: rss };
}

/** Ends the process now: threads that wait for locks must not keep it. */
function exitNow(code: number, log: RoleLogger): number {
  log.flush();
  process.exit(code);
}

function handleSignals(daemon: Daemon, testMode: boolean): void {
  process.on("SIGTERM", () => daemon.shutdown(0, "Received SIGTERM"));
  process.on("SIGINT", () => daemon.shutdown(0, "Received SIGINT"));
  process.on("SIGUSR1", () => {});
  process.on("SIGPIPE", () => {});
  if (testMode) endWithStandardInput(daemon);
}

/** Harnesses keep a pipe to a daemon's standard input and close it to end the daemon. */
function endWithStandardInput(daemon: Daemon): void {
  try {
    if (!fstatSync(0).isFIFO()) return;
  } catch {
    return;
  }
  process.stdin.on("end", () => daemon.shutdown(EPIPE, "stdin closed"));
  process.stdin.on("error", () => daemon.shutdown(EPIPE, "stdin failed"));
  process.stdin.resume();
}
