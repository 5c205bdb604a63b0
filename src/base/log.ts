/**
 * What a component may say. The role decides where it goes (file, standard error, syslog) and from
 * which level. Levels are CTDB's names and numbers (docs/protocol.md, "Debug levels").
 */
export const LOG_LEVELS = { ERROR: 0, WARNING: 1, NOTICE: 3, INFO: 5, DEBUG: 10 } as const;
export type LogLevel = keyof typeof LOG_LEVELS;

export interface Logger {
  error(message: string): void;
  warning(message: string): void;
  notice(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

const WORDS: Readonly<Record<LogLevel, keyof Logger>> = {
  ERROR: "error",
  WARNING: "warning",
  NOTICE: "notice",
  INFO: "info",
  DEBUG: "debug",
};

/** For what has a level that is configured. */
export function sayAt(log: Logger, level: LogLevel, message: string): void {
  log[WORDS[level]](message);
}

/** For tests and tools that want silence. */
export const silentLogger: Logger = {
  error() {},
  warning() {},
  notice() {},
  info() {},
  debug() {},
};

/**
 * The level of a number as CTDB reads it: each level's name covers the numbers up to the next
 * (2 is WARNING, 4 is NOTICE, 6 to 9 are INFO). Outside 0..10: undefined.
 */
export function logLevelOfNumber(value: number): LogLevel | undefined {
  if (!Number.isInteger(value) || value < 0 || value > 10) return undefined;
  if (value === 0) return "ERROR";
  if (value <= 2) return "WARNING";
  if (value <= 4) return "NOTICE";
  if (value <= 9) return "INFO";
  return "DEBUG";
}

/**
 * The first letters of a name in any case ("NOT" is NOTICE), or digits that give 0..10; what follows the
 * digits is ignored, as the original does (docs/protocol.md, "Debug levels").
 */
export function parseLogLevel(text: string): LogLevel | undefined {
  if (/^[0-9]/.test(text)) return logLevelOfNumber(Number.parseInt(text, 10));
  const wanted = text.toUpperCase();
  if (wanted === "") return undefined;
  return (Object.keys(LOG_LEVELS) as LogLevel[]).find((name) => name.startsWith(wanted));
}
