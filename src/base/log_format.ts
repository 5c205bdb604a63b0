/**
 * The shapes of log lines and the forms of `[logging] location` (docs/platform.md, "Logging"). Pure: time,
 * host, pid come in as arguments.
 */
import type { Timeval } from "../platform/types/time.ts";
import { LOG_LEVELS, type LogLevel } from "./log.ts";
import { err, ok, type Result } from "./result.ts";

export type SyslogTransport = "unix" | "nonblocking" | "udp" | "udp-rfc5424";

export type LogLocation =
  | { readonly kind: "stderr" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "syslog"; readonly transport: SyslogTransport };

export const EXPECTED_LOCATION = "file:PATH, syslog or syslog:nonblocking|udp|udp-rfc5424";

/** `file` without a path, and `file:-`, are standard error; `syslog:` is `syslog`. */
export function parseLogLocation(text: string): Result<LogLocation> {
  const colon = text.indexOf(":");
  const name = colon === -1 ? text : text.slice(0, colon);
  const option = colon === -1 ? "" : text.slice(colon + 1);
  if (name === "file") {
    if (option === "" || option === "-") return ok({ kind: "stderr" });
    return ok({ kind: "file", path: option });
  }
  if (name === "syslog") {
    if (option === "") return ok({ kind: "syslog", transport: "unix" });
    if (option === "nonblocking" || option === "udp" || option === "udp-rfc5424") {
      return ok({ kind: "syslog", transport: option });
    }
  }
  return err(`Invalid logging option '${text}': expected ${EXPECTED_LOCATION}`);
}

/** Who speaks. */
export interface LogOrigin {
  readonly host: string;
  readonly application: string;
  readonly pid: number;
}

/** When: `offsetMinutes` is local time minus UTC. */
export interface LogTime extends Timeval {
  readonly offsetMinutes: number;
}

/** ISO 8601 local time with microseconds and offset: 2026-11-21T06:21:16.500845+00:00 */
export function isoTimestamp(time: LogTime): string {
  const local = new Date((time.sec + time.offsetMinutes * 60) * 1000).toISOString().slice(0, 19);
  const offset = Math.abs(time.offsetMinutes);
  const sign = time.offsetMinutes < 0 ? "-" : "+";
  const hours = twoDigits(Math.floor(offset / 60));
  return `${local}.${String(time.usec).padStart(6, "0")}${sign}${hours}:${twoDigits(offset % 60)}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** RFC 3164 local time: "Nov  1 06:21:16". */
export function bsdTimestamp(time: LogTime): string {
  const local = new Date((time.sec + time.offsetMinutes * 60) * 1000);
  const day = String(local.getUTCDate()).padStart(2, " ");
  return `${MONTHS[local.getUTCMonth()]} ${day} ${local.toISOString().slice(11, 19)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** Lines for a log file, each with the header; the last one ends with a newline too. */
export function fileLogLines(origin: LogOrigin, time: LogTime, message: string): string {
  const header = `${isoTimestamp(time)} ${origin.host} ${origin.application}[${origin.pid}]: `;
  return `${header}${linesOf(message).join(`\n${header}`)}\n`;
}

/** What standard error gets: the message alone. */
export function plainLogLines(message: string): string {
  return `${linesOf(message).join("\n")}\n`;
}

function linesOf(message: string): string[] {
  return (message.endsWith("\n") ? message.slice(0, -1) : message).split("\n");
}

const FACILITY_DAEMON = 3 << 3;
/** As the original maps them: INFO arrives as "notice". */
const SEVERITIES: Readonly<Record<LogLevel, number>> = {
  ERROR: 3,
  WARNING: 4,
  NOTICE: 5,
  INFO: 5,
  DEBUG: 7,
};

/** One datagram for a syslog daemon. */
export function syslogDatagram(
  transport: SyslogTransport,
  origin: LogOrigin,
  time: LogTime,
  level: LogLevel,
  message: string,
): string {
  const priority = `<${FACILITY_DAEMON | SEVERITIES[level]}>`;
  const text = linesOf(message).join("\n");
  const { application, pid } = origin;
  switch (transport) {
    case "unix":
      return `${priority}${bsdTimestamp(time)} ${application}[${pid}]: ${text}`;
    case "nonblocking":
    case "udp":
      // No header: the daemon adds a more precise time than a header could carry.
      return `${priority}${application}[${pid}]: ${text}`;
    case "udp-rfc5424":
      return `${priority}1 ${isoTimestamp(time)} ${origin.host} ${application} ${pid} - - ${text}`;
  }
}

/** A message with its fields stays below what a datagram holds. */
const JOURNAL_MESSAGE_UNITS_MAX = 2000;

/**
 * Datagrams for systemd's journal, in its native form: a field a line, so each line of the message is one. INFO and
 * NOTICE are one severity; CTDB_LEVEL tells them apart.
 */
export function journalDatagrams(
  { application, pid }: LogOrigin,
  level: LogLevel,
  message: string,
): readonly string[] {
  const fields =
    `PRIORITY=${SEVERITIES[level]}\nSYSLOG_FACILITY=${FACILITY_DAEMON >> 3}\n` +
    `SYSLOG_IDENTIFIER=${application}\nSYSLOG_PID=${pid}\nCTDB_LEVEL=${level}\n`;
  return linesOf(message).map(
    (line) => `${fields}MESSAGE=${line.slice(0, JOURNAL_MESSAGE_UNITS_MAX)}\n`,
  );
}

/** The number below which (and at which) a message is written, for a level or a number. */
export function logThreshold(level: LogLevel | number): number {
  return typeof level === "number" ? level : LOG_LEVELS[level];
}
