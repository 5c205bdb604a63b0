/** The processes that ctdbd starts: their environment, and the daemons beside it. */
import type { Logger, LogLevel } from "../base/log.ts";
import type { CtdbConfig, CtdbPaths } from "../config/types.ts";
import type { DaemonChild, StartChild } from "../daemon/lifecycle/recoverd_watch.ts";
import type { Processes } from "../platform/types/processes.ts";
import type { StartEventd } from "../services/eventd_events.ts";
import { inheritedEnvironment, withRuntimeSettings } from "./environment.ts";
import { helperCommand } from "./helper_command.ts";

const RECOVERD = "ctdb-recoverd";
const EVENTD = "ctdb-eventd";
const ADMIND = "ctdb-admind";
/** The child writes an unsigned int into its descriptor 3: 0 when it is ready. */
const EVENTD_STATUS = { descriptor: 3, bytes: 4 } as const;
/** Time between asking and forcing. */
const KILL_GRACE_MS = 1000;

export interface ChildEnvironmentParts {
  readonly paths: CtdbPaths;
  readonly config: CtdbConfig;
  readonly interactive: boolean;
  readonly logLocation: string;
  readonly logLevel: LogLevel;
}

/** What helpers and scripts expect to find (docs/daemon.md, "Environment"). */
export function childEnvironment(parts: ChildEnvironmentParts): Record<string, string> {
  const { paths, config } = parts;
  const environment = inheritedEnvironment();
  environment["CTDB_BASE"] = paths.etcDirectory;
  environment["CTDB_SOCKET"] = paths.socket;
  environment["CTDB_LOGGING"] = parts.logLocation;
  environment["CTDB_DEBUGLEVEL"] = parts.logLevel;
  environment["CTDB_DBDIR_STATE"] = config.database.stateDirectory;
  if (parts.interactive) environment["CTDB_INTERACTIVE"] = "true";
  if (config.failover.disabled) environment["CTDB_DISABLE_IP_FAILOVER"] = "1";
  return environment;
}

/** Starts ctdb-recoverd from the helper directory, or as another role of this executable. */
export const recoverdStarter = daemonStarter(RECOVERD);
/** The same with ctdb-admind. */
export const admindStarter = daemonStarter(ADMIND);

type Starter = (
  processes: Processes,
  helperDirectory: string,
  environment: Readonly<Record<string, string>>,
  log: Logger,
) => StartChild;

function daemonStarter(name: string): Starter {
  return (processes, helperDirectory, environment, log) => (exited) => {
    const argv = helperCommand(helperDirectory, name);
    let pid = 0;
    const child = processes.spawn({
      argv: [...argv, "-P", String(processes.ownPid)],
      env: withRuntimeSettings(environment),
      keepStdinOpen: true,
      reopensLog: true,
      // It has looked at the level already.
      onOutputLine: (line) => log.error(`${name}[${pid}]: ${line}`),
      onExit: ({ code, signal }) => exited(signal ?? `exit status ${code}`),
    });
    if (!child.ok) return `Cannot start "${argv[0]}": ${child.error.message}`;
    const process = child.value;
    pid = process.pid;
    const kill: DaemonChild["kill"] = () => {
      process.kill("SIGTERM");
      setTimeout(() => process.kill("SIGKILL"), KILL_GRACE_MS).unref();
    };
    return { pid, kill };
  };
}

/** Starts ctdb-eventd, ours or the original, which ends by itself when this process is gone. */
export function eventdStarter(
  processes: Processes,
  helperDirectory: string,
  environment: Readonly<Record<string, string>>,
  log: Logger,
): StartEventd {
  return ({ ready, ended }) => {
    const argv = helperCommand(helperDirectory, EVENTD);
    const status: number[] = [];
    let pid = 0;
    const child = processes.spawn({
      argv: [...argv, "-P", String(processes.ownPid), "-S", String(EVENTD_STATUS.descriptor)],
      env: withRuntimeSettings(environment),
      reopensLog: true,
      onStatusPipe: (chunk) => {
        status.push(...chunk.subarray(0, EVENTD_STATUS.bytes));
        if (status.length < EVENTD_STATUS.bytes) return;
        if (status.every((byte) => byte === 0)) ready();
        else ended("it could not start");
      },
      onOutputLine: (line) => log.error(`${EVENTD}[${pid}]: ${line}`),
      onExit: ({ code, signal }) => ended(signal ?? `exit status ${code}`),
    });
    if (!child.ok) return `Cannot start "${argv[0]}": ${child.error.message}`;
    const process = child.value;
    pid = process.pid;
    // The original reconfigures by this signal, too.
    return {
      pid,
      kill: () => process.kill("SIGTERM"),
      reconfigure: () => process.kill("SIGUSR1"),
    };
  };
}
