/** The log of a role with its limiter, on the time of a test; keeps what would be written
 * at the level INFO. */
import type { Logger, LogLevel } from "../../src/base/log.ts";
import { LogLimiter } from "../../src/base/log_limiter.ts";
import type { Clock, Timers } from "../../src/platform/types/time.ts";

export class CollectedLog implements Logger {
  readonly lines: string[] = [];
  readonly limiter: LogLimiter;

  constructor(clock: Clock, timers: Timers) {
    const write = (_level: LogLevel, message: string) => void this.lines.push(message);
    this.limiter = new LogLimiter(write, clock, timers);
  }

  error(message: string): void {
    this.limiter.say("ERROR", message);
  }
  warning(message: string): void {
    this.limiter.say("WARNING", message);
  }
  notice(message: string): void {
    this.limiter.say("NOTICE", message);
  }
  info(message: string): void {
    this.limiter.say("INFO", message);
  }
  debug(): void {}

  /** How often something was said: lines, and what the lines say that they stand for. */
  get occurrences(): number {
    return this.lines.reduce((sum, line) => sum + occurrencesIn(line), 0);
  }
}

/** At the end of a line that stands for several like it: how many, and in how many seconds (src/base/log_limiter.ts). */
const COUNTS = /\((\d+) more in ([\d.]+) s\)$/;

/** 1, or the number in the "(N more in S s)" of a line that counts. */
export function occurrencesIn(line: string): number {
  return Number(COUNTS.exec(line)?.[1] ?? 1);
}

/** How long before the line was said the first of what it stands for may have happened, in ms. */
export function countedForMs(line: string): number {
  return Number(COUNTS.exec(line)?.[2] ?? 0) * 1000;
}
