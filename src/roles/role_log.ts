/**
 * The log of a role that logs, and what belongs to it whatever the role does:
 *
 * 1. SIGHUP reopens it, and reaches every child of ours that logs, which does the same (so does the original).
 * 2. What ends the process without being caught is in it. Only when it cannot be written there does it go to
 *    standard error (main.ts).
 */
import type { Result } from "../base/result.ts";
import type { CtdbConfig } from "../config/types.ts";
import { SystemClock } from "../platform/node/clock.ts";
import { createLogger, type LoggerOptions, type RoleLogger } from "../platform/node/logger.ts";
import { printErr } from "./buffered_output.ts";
import { endingOf } from "./crash.ts";

/** Who started the children: SystemProcesses. */
export interface LoggingChildren {
  reopenLogs(): void;
}

export function openRoleLog(
  options: Omit<LoggerOptions, "clock">,
  children?: LoggingChildren,
): Result<RoleLogger> {
  let log: RoleLogger | undefined;
  // Before the file is opened: from now on the signal does not end the process, and a parent sees that.
  process.on("SIGHUP", () => {
    const reopened = log?.reopen();
    if (reopened?.ok === false) log?.error(reopened.error);
    children?.reopenLogs();
  });
  const created = createLogger({ ...options, clock: new SystemClock() });
  if (!created.ok) return created;
  log = created.value;
  tellLastWords(log);
  return created;
}

/** The log of a daemon that ctdbd has started: where ctdbd logs to, which need not be what is configured. */
export function openChildLog(
  application: string,
  { location, logLevel: level }: CtdbConfig["logging"],
  environment: LoggerOptions["environment"],
  children: LoggingChildren,
): Result<RoleLogger> {
  const options = { application, level, environment };
  return openRoleLog({ ...options, location: environment["CTDB_LOGGING"] ?? location }, children);
}

/** Ends a role that cannot go on: the reason is in its log or, where that cannot be written, on standard error. */
export function failRole(log: RoleLogger, reason: string): never {
  if (!log.lastWords(reason)) printErr(`${reason}\n`);
  process.exit(1);
}

function tellLastWords(log: RoleLogger): void {
  const end = (error: unknown) => {
    const { line, status } = endingOf(error);
    if (line === undefined || log.lastWords(line)) process.exit(status);
  };
  process.prependListener("uncaughtException", end);
  process.prependListener("unhandledRejection", end);
}
