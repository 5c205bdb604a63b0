/**
 * A log of plain lines for processes whose output their parent puts into the node's log: what is said
 * goes to `write` as one line, from the level that was set.
 */
import { LOG_LEVELS, type Logger, type LogLevel, logLevelOfNumber } from "../base/log.ts";

export class LineLog implements Logger {
  readonly #write: (line: string) => void;
  #threshold: number;

  constructor(write: (line: string) => void, level: LogLevel = "NOTICE") {
    this.#write = write;
    this.#threshold = LOG_LEVELS[level];
  }

  /** As ctdbd numbers its levels; a number that is none changes nothing. */
  setLevel(value: number): void {
    const level = logLevelOfNumber(value);
    if (level !== undefined) this.#threshold = LOG_LEVELS[level];
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

  #say(level: LogLevel, message: string): void {
    if (LOG_LEVELS[level] <= this.#threshold) this.#write(message.replaceAll("\n", " "));
  }
}
