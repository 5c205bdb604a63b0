/** Builds the daemon from its configuration and real platform objects. */
import { collectGarbage } from "#runtime";
import { QuietCollector } from "../base/quiet_collector.ts";
import { err, ok, type Result } from "../base/result.ts";
import { Daemon } from "../daemon/lifecycle/daemon.ts";
import { LockedPidFile } from "../daemon/lifecycle/pid_file.ts";
import { DatabaseSet } from "../database/database_set.ts";
import { FCNTL_HELPER, lockCommand } from "../lock/mutex_helper_command.ts";
import { MutexHelperProbe } from "../lock/mutex_helper_probe.ts";
import { releaseMappedFiles, residentMemory } from "../platform/libc/resident_memory.ts";
import { SystemSharedFiles } from "../platform/libc/shared_file.ts";
import type { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { LoopRawNetwork } from "../platform/loop/raw_network.ts";
import { SystemClock, SystemRandom, threadProcessorMs } from "../platform/node/clock.ts";
import { FileCrashPoints } from "../platform/node/crash_points.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { ThreadLockWaiter } from "../platform/node/lock_waiter.ts";
import type { RoleLogger } from "../platform/node/logger.ts";
import type { SystemProcesses } from "../platform/node/processes.ts";
import type { Timers } from "../platform/types/time.ts";
import { FileTdbOpener } from "../tdb/opener.ts";
import { admindStarter, childEnvironment, recoverdStarter } from "./ctdbd_children.ts";
import type { Configuration } from "./ctdbd_configuration.ts";
import { buildEvents } from "./ctdbd_events.ts";
import { loadNodes, nodesListSource } from "./ctdbd_nodes.ts";
import type { Options } from "./ctdbd_options.ts";
import { serviceManager } from "./ctdbd_service.ts";
import { exitNow } from "./ctdbd_signals.ts";
import { buildTlsLinks } from "./ctdbd_tls.ts";
import { helperCommand } from "./helper_command.ts";
import { VERSION } from "./role.ts";

export function buildDaemon(
  configuration: Configuration,
  options: Options,
  own: {
    readonly location: string;
    readonly log: RoleLogger;
    readonly loop: EventLoop;
    readonly processes: SystemProcesses;
    readonly realtime: { again(): void };
  },
): Result<Daemon> {
  const { log, loop, processes } = own;
  const { paths, config, live, appliance, nodes, tunables } = configuration;
  const clock = new SystemClock();
  const files = new SystemFiles();
  const sharedFiles = new SystemSharedFiles();
  // Before anything takes the environment for a child.
  const startsStopped = config.legacy.startAsStopped;
  const service = serviceManager({ timers: loop, clock, startsStopped, log });
  const environment = childEnvironment({
    paths,
    config,
    interactive: options.interactive,
    logLocation: own.location,
    logLevel: config.logging.logLevel,
  });
  const { clusterLock } = config.cluster;
  const command =
    clusterLock === undefined
      ? undefined
      : lockCommand(clusterLock, helperCommand(paths.helperDirectory, FCNTL_HELPER));
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
  giveMemoryBackWhenQuiet(clock, loop, log);
  const network = new LoopNetwork(loop);
  const tls = buildTlsLinks({ appliance, files, network, clock, timers: loop, log });
  if (!tls.ok) return tls;
  const { events, notify, reconfigure, stop } = buildEvents({
    ...{ paths, loop, processes, network, clock, environment, log },
    journal: { record: (event) => daemon.journal.record(event) },
    gone: (reason) => daemon.shutdown(1, reason),
  });
  const onErrorLine = (line: string) => log.error(`cluster lock: ${line}`);
  const helperHost = { processes, clock, timers: loop, environment, onErrorLine };
  const daemon = new Daemon({
    get config() {
      return live.current;
    },
    paths,
    nodes,
    tunables,
    clock,
    timers: loop,
    random: new SystemRandom(),
    network,
    tls: tls.value,
    rawNetwork: new LoopRawNetwork(loop),
    files,
    log,
    logLevel: log.level,
    tdbs: new FileTdbOpener({
      files: sharedFiles,
      timers: loop,
      clock,
      mutexesWork: true,
      crashPoints,
    }),
    crashPoints,
    lockWaiter: new ThreadLockWaiter(sharedFiles, loop),
    ownPid: process.pid,
    version: VERSION,
    announcedVersion: options.announcedVersion(appliance.announcedSambaVersion),
    pidFile: new LockedPidFile(paths.pidFile, process.pid, sharedFiles, files),
    startRecoverd: recoverdStarter(processes, paths.helperDirectory, environment, log),
    startAdmind: admindStarter(processes, paths.helperDirectory, environment, log),
    wantsAdmind: () => live.appliance.admin.enabled,
    clusterLockProbe:
      command === undefined ? undefined : new MutexHelperProbe(helperHost, command.value),
    events,
    notify,
    runstateChanged: (runstate) => service?.runstateChanged(runstate),
    createDatabase: (host) => new DatabaseSet(host),
    isAlive: (pid) => processes.isAlive(pid),
    processName: (pid) => processes.nameOf(pid),
    processorMs: threadProcessorMs,
    runsAgain: () => own.realtime.again(),
    loadNodes: (done) => void loadNodes(live.current, paths, files, processes).then(done),
    nodesList: () => nodesListSource(live.current, paths),
    options: () => live.given(),
    reloadConfig: () => {
      const outcome = live.reload();
      if (outcome.ok) reconfigure();
      tls.value?.look();
      return outcome;
    },
    memoryUse: (collect) => memoryUse(sharedFiles, collect),
    exit: (code) => {
      service?.close();
      stop();
      exitNow(code, log);
    },
  });
  return ok(daemon);
}

function giveMemoryBackWhenQuiet(clock: SystemClock, timers: Timers, log: RoleLogger): void {
  const collect = (): void => {
    const startMs = clock.monotonicMs();
    const before = residentMemory().ownBytes;
    collectGarbage();
    const megabytes = (bytes: number) => Math.round(bytes / 1e6);
    const after = residentMemory().ownBytes;
    log.info(
      `Collected garbage: ${megabytes(before)} to ${megabytes(after)} MB in ${Math.round(clock.monotonicMs() - startMs)} ms`,
    );
  };
  const releaseMapped = () => releaseMappedFiles(clock);
  const process = { timers, processorMs: threadProcessorMs, memory: residentMemory };
  new QuietCollector({ ...process, collect, releaseMapped }).start();
}

function memoryUse(files: SystemSharedFiles, collect = false) {
  if (collect) collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  // The runtime counts buffers in both, and among them what it sees of mapped files.
  const { viewedBytes } = files;
  const heapBytes = Math.max(0, heapUsed - external);
  const externalBytes = Math.max(0, external - viewedBytes);
  return { heapBytes, externalBytes, viewedBytes, residentBytes: rss };
}
