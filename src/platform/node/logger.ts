/**
 * The log of a role: `[logging] location` and `log level` made into a Logger.
 *
 * Invariants:
 * 1. Logging never blocks, throws or fails: lines that cannot be written are counted and told later.
 * 2. The process' end flushes what is queued, also after an uncaught exception.
 * 3. Every line passes the limiter: nobody outside can fill the log (base/log_limiter.ts). Only a role that says
 *    what it did once, and then ends, may be without: what it did would not be known.
 */
import { hostname } from "node:os";
import { LOG_LEVELS, type Logger, type LogLevel } from "../../base/log.ts";
import {
  fileLogLines,
  journalDatagrams,
  type LogLocation,
  type LogOrigin,
  type LogTime,
  logThreshold,
  parseLogLocation,
  plainLogLines,
  syslogDatagram,
} from "../../base/log_format.ts";
import { LogLimiter } from "../../base/log_limiter.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Clock, Timers } from "../types/time.ts";
import { LogFile } from "./log_file.ts";
import {
  hasJournal,
  journalSocket,
  SYSLOG_ADDRESS,
  type SyslogAddress,
  syslogSocket,
} from "./log_syslog.ts";

export interface LoggerOptions {
  /** As in ctdb.conf: file:PATH, file:, syslog, syslog:nonblocking, syslog:udp, syslog:udp-rfc5424. */
  readonly location: string;
  /** A level's name, or CTDB's number for it (0..10). */
  readonly level: LogLevel | number;
  /** The role's name, as it stands in the lines. */
  readonly application: string;
  /** CTDB_TEST_MODE and CTDB_BASE give the host name of nodes that share a machine. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly syslogAddress?: Partial<SyslogAddress>;
  /** For a role that ends after one piece of work: lines that are alike are all written. */
  readonly saysAll?: boolean;
}

export interface RoleLogger extends Logger {
  /** The level by CTDB's numbers; changing it is valid at once. */
  readonly level: { get(): number; set(level: number): void };
  /** Its lines go to standard error. */
  readonly toStandardError: boolean;
  /** For SIGHUP, after a log file was renamed. The text says why lines go to the old file still. */
  reopen(): Result<void>;
  /** Writes what is queued at once. The end of the process does it by itself. */
  flush(): void;
  /**
   * Resolves when all that was said is written. The end of a process waits only so long for a thread that
   * writes: who must not lose a line waits for this before.
   */
  written(): Promise<void>;
  /** An error that ends the process: in the log when this returns, unless it is false. */
  lastWords(message: string): boolean;
}

/** Fails when the location is wrong or its file cannot be opened. */
export function createLogger(options: LoggerOptions): Result<RoleLogger> {
  const location = parseLogLocation(options.location);
  if (!location.ok) return location;
  const origin: LogOrigin = {
    host: logHostName(options.environment),
    application: options.application,
    pid: process.pid,
  };
  const now = () => logTime(options.clock);
  const syslog = { ...SYSLOG_ADDRESS, ...options.syslogAddress };
  const inJournal =
    location.value.kind === "syslog" &&
    location.value.transport === "unix" &&
    hasJournal(options.environment, syslog);
  const sink = inJournal
    ? ok(journalSink(origin, syslog))
    : openSink(location.value, origin, now, syslog);
  if (!sink.ok) return sink;
  const toStandardError = location.value.kind === "stderr";
  const threshold = logThreshold(options.level);
  const saysAll = options.saysAll === true;
  return ok(new SinkLogger(sink.value, options.clock, { threshold, toStandardError, saysAll }));
}

/** In test mode the last part of CTDB_BASE, as the original has it. */
export function logHostName(environment: Readonly<Record<string, string | undefined>>): string {
  const base = environment["CTDB_BASE"];
  if (environment["CTDB_TEST_MODE"] === undefined || base === undefined) return hostname();
  return base.slice(base.lastIndexOf("/") + 1) || "unknown";
}

interface Sink {
  write(level: LogLevel, message: string): void;
  /** Written when this returns, whatever else waits; false when it cannot be. */
  writeLast(message: string): boolean;
  reopen(): Result<void>;
  flush(): void;
  idle(): Promise<void>;
}

/** What the form "syslog" is where systemd's journal reads it: fields, besides the text. */
function journalSink(origin: LogOrigin, syslog: SyslogAddress): Sink {
  const datagrams = (level: LogLevel, message: string) => journalDatagrams(origin, level, message);
  const socket = journalSocket(syslog, (count) => datagrams("WARNING", dropped(count)).join(""));
  return {
    write(level, message) {
      for (const datagram of datagrams(level, message)) socket.send(datagram);
    },
    writeLast: (message) =>
      datagrams("ERROR", message).every((datagram) => socket.sendLast(datagram)),
    reopen: () => ok(undefined),
    flush: () => socket.flush(),
    idle: async () => socket.flush(),
  };
}

function dropped(count: number): string {
  return `[Dropped ${count} log messages]`;
}

function openSink(
  location: LogLocation,
  origin: LogOrigin,
  now: () => LogTime,
  syslog: SyslogAddress,
): Result<Sink> {
  if (location.kind === "syslog") {
    const { transport } = location;
    const datagram = (level: LogLevel, message: string) =>
      syslogDatagram(transport, origin, now(), level, message);
    const socket = syslogSocket(transport, syslog, (count) => datagram("WARNING", dropped(count)));
    return ok({
      write: (level, message) => socket.send(datagram(level, message)),
      writeLast: (message) => socket.sendLast(datagram("ERROR", message)),
      reopen: () => ok(undefined),
      flush: () => socket.flush(),
      idle: async () => socket.flush(),
    });
  }
  const path = location.kind === "file" ? location.path : undefined;
  const format = (message: string) =>
    path === undefined ? plainLogLines(message) : fileLogLines(origin, now(), message);
  const opened = LogFile.open(path, (count, code) =>
    format(`${count} log messages were lost (${code})`),
  );
  if (!opened.ok) return err(`Cannot open the log file "${path}": ${opened.error.code}`);
  const file = opened.value;
  return ok({
    write: (_level, message) => file.write(format(message)),
    writeLast: (message) => file.writeLast(format(message)),
    reopen() {
      const reopened = file.reopen();
      if (reopened.ok) return reopened;
      return err(`Cannot reopen the log file "${path}": ${reopened.error.code}`);
    },
    flush: () => file.flush(),
    idle: () => file.idle(),
  });
}

/** The offset changes with summer time, so it is asked for each line; Date caches it. */
function logTime(clock: Clock): LogTime {
  const time = clock.wallTime();
  const offsetMinutes = -new Date(time.sec * 1000).getTimezoneOffset();
  return { sec: time.sec, usec: time.usec, offsetMinutes };
}

/** The count of a line that was said once too often does not keep a process that has nothing else to do. */
const limiterTimers: Pick<Timers, "after"> = {
  after(delayMs, action) {
    const timeout = setTimeout(action, delayMs);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};

interface LoggerTraits {
  readonly threshold: number;
  readonly toStandardError: boolean;
  readonly saysAll: boolean;
}

class SinkLogger implements RoleLogger {
  readonly level: RoleLogger["level"];
  readonly toStandardError: boolean;
  readonly #sink: Sink;
  readonly #limiter: LogLimiter;
  readonly #saysAll: boolean;
  #threshold: number;

  constructor(sink: Sink, clock: Clock, traits: LoggerTraits) {
    const { threshold, toStandardError, saysAll } = traits;
    this.#sink = sink;
    this.toStandardError = toStandardError;
    this.#saysAll = saysAll;
    this.#limiter = new LogLimiter(
      (level, message) => sink.write(level, message),
      clock,
      limiterTimers,
    );
    process.on("exit", () => this.flush());
    this.#threshold = threshold;
    this.level = {
      get: () => this.#threshold,
      set: (level) => {
        this.#threshold = level;
      },
    };
  }

  error(message: string): void {
    this.#say("ERROR", message);
  }
  warning(message: string): void {
    this.#say("WARNING", message);
  }
  notice(message: string): void {
    this.#say("NOTICE", message);
  }
  info(message: string): void {
    this.#say("INFO", message);
  }
  debug(message: string): void {
    this.#say("DEBUG", message);
  }

  reopen(): Result<void> {
    return this.#sink.reopen();
  }

  flush(): void {
    this.#limiter.flush();
    this.#sink.flush();
  }

  written(): Promise<void> {
    this.#limiter.flush();
    return this.#sink.idle();
  }

  lastWords(message: string): boolean {
    this.#limiter.flush();
    return this.#sink.writeLast(message);
  }

  #say(level: LogLevel, message: string): void {
    if (LOG_LEVELS[level] > this.#threshold) return;
    if (this.#saysAll) this.#sink.write(level, message);
    else this.#limiter.say(level, message);
  }
}
