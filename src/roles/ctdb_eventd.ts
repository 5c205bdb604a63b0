/**
 * ctdb-eventd: runs event scripts for ctdbd, which starts it, and for `ctdb-event`, and keeps what came of them. It ends
 * with the process that it is told to watch, and takes the scripts that run with it, and the public addresses of a ctdbd
 * that was killed.
 */
import { LOG_LEVELS, sayAt } from "../base/log.ts";
import { err, ok, type Result } from "../base/result.ts";
import { TracedTurns } from "../base/trace.ts";
import { loadCtdbConfig } from "../config/ctdb_conf.ts";
import { resolvePaths } from "../config/paths.ts";
import { problemText } from "../config/problems.ts";
import type { CtdbConfig, CtdbPaths } from "../config/types.ts";
import { LockedPidFile } from "../daemon/lifecycle/pid_file.ts";
import { SystemSharedFiles } from "../platform/libc/shared_file.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemClock } from "../platform/node/clock.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import type { RoleLogger } from "../platform/node/logger.ts";
import { SystemProcesses } from "../platform/node/processes.ts";
import { SystemScriptFiles } from "../platform/node/script_files.ts";
import type { Timers } from "../platform/types/time.ts";
import { LAST_EVENTD_MS_MAX } from "../services/limits.ts";
import { EventCommands } from "../services/scripts/event_commands.ts";
import { EventServer } from "../services/scripts/event_server.ts";
import { Turns } from "../transport/turns.ts";
import { takeDownAddresses } from "./address_guard.ts";
import { printErr, printOut, writeAll } from "./buffered_output.ts";
import { inheritedEnvironment } from "./environment.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { orphanCheck } from "./parent_watch.ts";
import type { Role } from "./role.ts";
import { failRole, openRoleLog } from "./role_log.ts";

const NAME = "ctdb-eventd";
const USAGE = `Usage: ${NAME} [OPTION...]
  -P, --pid=PID           pid to wait for
  -S, --startup-fd=FD     file descriptor to notify of successful start

Help options:
  -?, --help              Show this help message
`;
const WATCH_INTERVAL_MS = 1000;
const ACQUIRE_INTERVAL_MS = 100;
/** As ctdbd reads it: an unsigned int, 0 for success. */
const READY = new Uint8Array(4);

interface Options {
  readonly watchedPid: number | undefined;
  readonly startupDescriptor: number | undefined;
}

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  if (args.some((word) => word === "--help" || word === "-?")) {
    printOut(USAGE);
    return 0;
  }
  const options = readOptions(args);
  if (!options.ok) return complain(options.error);
  const environment = ownEnvironment();
  const files = new SystemFiles();
  const settings = readSettings(files);
  if (!settings.ok) return complain(settings.error);
  const { paths, config } = settings.value;
  const loop = new EventLoop();
  const processes = new SystemProcesses(loop);
  const logger = openRoleLog(
    {
      location: environment["CTDB_INTERACTIVE"] === undefined ? config.logging.location : "file:",
      level: config.logging.logLevel,
      application: NAME,
      environment,
    },
    processes,
  );
  if (!logger.ok) return complain(logger.error);
  const log = logger.value;
  const pidFile = new LockedPidFile(
    `${paths.runDirectory}/eventd.pid`,
    process.pid,
    new SystemSharedFiles(),
    files,
  );
  // The one of a ctdbd that was killed a moment ago is about to notice it; ctdbd itself has its own pid file by now.
  const patienceMs = options.value.watchedPid === undefined ? 0 : LAST_EVENTD_MS_MAX;
  const held = await acquireWithin(pidFile, patienceMs, loop, () =>
    log.notice(`Waiting for the last event daemon to end, pid ${pidFile.writer() ?? "unknown"}`),
  );
  if (!held.ok) failRole(log, held.error);
  let scriptLevel = config.legacy.scriptLogLevel;
  const scriptSaid = (line: string): void => sayAt(log, scriptLevel, line);
  const { watchedPid, startupDescriptor } = options.value;
  const isOrphaned = orphanCheck(watchedPid, processes);
  const own = { loop, processes, log, files, scriptSaid, isOrphaned };
  const server = buildServer(settings.value, own);
  const end = (reason: string, status: number): never => {
    log.notice(`${reason}, exiting`);
    server.close();
    pidFile.release();
    log.flush();
    process.exit(status);
  };
  process.on("SIGTERM", () => end("Received SIGTERM", 0));
  process.on("SIGINT", () => end("Received SIGINT", 0));
  process.on("SIGUSR1", () => {
    // One that is wrong changes nothing; who sent the signal has told of it.
    const again = readSettings(files);
    if (!again.ok) return;
    const { logging, legacy } = again.value.config;
    log.level.set(LOG_LEVELS[logging.logLevel]);
    scriptLevel = legacy.scriptLogLevel;
    log.notice(`Log level is ${logging.logLevel}, of what scripts print ${scriptLevel}`);
  });
  process.on("SIGPIPE", () => {});
  const started = await new Promise<Result<void>>((resolve) => server.start(resolve));
  if (!started.ok) {
    log.error(started.error);
    end("Cannot start", 1);
  }
  if (watchedPid !== undefined) {
    const watch = loop.every(WATCH_INTERVAL_MS, () => {
      if (!isOrphaned()) return;
      watch.cancel();
      // First the scripts that run: one may be putting an address up.
      server.close();
      const daemon = { paths, config, pid: watchedPid };
      takeDownAddresses(daemon, { loop, processes, log }, () =>
        end(`Process ${watchedPid} has ended`, 0),
      );
    });
  }
  log.notice(`daemon started, pid=${process.pid}`);
  // It stays open: that it closes tells our end.
  if (startupDescriptor !== undefined) writeAll(startupDescriptor, READY, "the startup descriptor");
  return await new Promise<number>(() => {});
}

/** As long as another process has it, tries again. */
async function acquireWithin(
  pidFile: LockedPidFile,
  patienceMs: number,
  timers: Timers,
  waits: () => void,
): Promise<Result<void>> {
  const endMs = performance.now() + patienceMs;
  for (let isFirst = true; ; isFirst = false) {
    const held = pidFile.acquire();
    if (held.ok || !pidFile.heldElsewhere || performance.now() >= endMs) return held;
    if (isFirst) waits();
    await new Promise<void>((resolve) => void timers.after(ACQUIRE_INTERVAL_MS, resolve));
  }
}

function complain(reason: string): number {
  printErr(`${NAME}: ${reason}\n`);
  return 1;
}

interface Settings {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
}

function readSettings(files: SystemFiles): Result<Settings> {
  const paths = resolvePaths(ownEnvironment(), ownExecutable().directory);
  if (!paths.ok) return paths;
  const loaded = loadCtdbConfig(files, paths.value);
  if (!loaded.ok) return err(loaded.error.map(problemText).join("\n"));
  return ok({ paths: paths.value, config: loaded.value.config });
}

function buildServer(
  { paths, config }: Settings,
  own: {
    readonly loop: EventLoop;
    readonly processes: SystemProcesses;
    readonly log: RoleLogger;
    readonly files: SystemFiles;
    scriptSaid(line: string): void;
    isOrphaned(): boolean;
  },
): EventServer {
  const { loop, processes, log, files, scriptSaid, isOrphaned } = own;
  const clock = new SystemClock();
  const trace = new TracedTurns(clock, ({ durationMs }) =>
    log.warning(`Handling event took ${durationMs.toFixed(1)} ms`),
  );
  trace.setThresholdMs(TURN_LOGGED_MS);
  const commands = new EventCommands({
    host: {
      processes,
      timers: loop,
      clock,
      log,
      scriptSaid,
      isOrphaned,
      environment: inheritedEnvironment(),
    },
    files: new SystemScriptFiles(),
    directory: `${paths.etcDirectory}/events`,
    debugScript: () => debugScript(files, paths, config),
  });
  return new EventServer({
    network: new LoopNetwork(loop),
    files,
    turns: new Turns(trace, loop),
    socket: paths.eventSocket,
    log,
    commands,
  });
}

const TURN_LOGGED_MS = 3000;

/** The configuration may have changed since; one that is wrong changes nothing. */
function debugScript(files: SystemFiles, paths: CtdbPaths, atStart: CtdbConfig) {
  const loaded = loadCtdbConfig(files, paths);
  const config = loaded.ok ? loaded.value.config : atStart;
  const script = config.event.debugScript;
  if (script === undefined) return undefined;
  return `${paths.etcDirectory}/${script.slice(script.lastIndexOf("/") + 1)}`;
}

function readOptions(args: readonly string[]): Result<Options> {
  const numbers = new Map<"P" | "S", number>();
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    const [, short, long, given] = /^(?:-([PS])|--(pid|startup-fd)(?:=|$))(.*)$/s.exec(word) ?? [];
    const name = short ?? (long === "pid" ? "P" : long === undefined ? undefined : "S");
    if (name !== "P" && name !== "S") return err(`Invalid options ${word}: unknown option`);
    const separate = given === "" && !word.endsWith("=");
    const value = separate ? args[++at] : given;
    if (value === undefined) return err(`Invalid options ${word}: missing argument`);
    if (!/^[0-9]+$/.test(value)) return err(`Invalid options ${word}: invalid numeric value`);
    numbers.set(name, Number(value));
  }
  return ok({ watchedPid: numbers.get("P"), startupDescriptor: numbers.get("S") });
}
