/**
 * Keeps a log readable while a peer, a client or a child has the same thing said again and again. It stands
 * in front of every log of ours (platform/node/logger.ts), so nobody who logs has to think of it.
 *
 * What counts as the same reason is the level and the text without what varies: numbers, addresses, what
 * stands in quotes.
 *
 * Invariants:
 * 1. The first line of a reason is written at once. A line that is the same to the letter is counted from
 *    then on, and so is every further one of the reason after TEXTS_MAX different ones.
 * 2. Nothing is lost without a number: at the end of an interval, and at the end of the process, what was
 *    counted is written with the last such line.
 * 3. The interval of a reason doubles as long as it goes on, and the reason is forgotten after one in which it did
 *    not come. At most REASONS_MAX are known; what comes beyond them is one reason together.
 */
import type { Clock, Timer, Timers } from "../platform/types/time.ts";
import type { LogLevel } from "./log.ts";

const INTERVAL_MS_MIN = 1000;
const INTERVAL_MS_MAX = 60_000;
/** A node connects to many others in one second, and recovers many databases. */
const TEXTS_MAX = 16;
const REASONS_MAX = 1024;
/** Longer texts that begin alike are one reason. */
const SHAPE_LENGTH_MAX = 200;
const OTHER_REASONS = "other reasons";

export type WriteLine = (level: LogLevel, message: string) => void;

interface Reason {
  readonly key: string;
  /** Whole texts that were written, as they stand in `#written`. */
  readonly texts: string[];
  intervalMs: number;
  intervalStartMs: number;
  timer: Timer;
  counted: number;
  lastLevel: LogLevel;
  lastMessage: string;
}

export class LogLimiter {
  readonly #write: WriteLine;
  readonly #clock: Clock;
  readonly #timers: Pick<Timers, "after">;
  readonly #reasons = new Map<string, Reason>();
  /** The way of a flood of one line: no need to look at its shape. */
  readonly #written = new Map<string, Reason>();

  constructor(write: WriteLine, clock: Clock, timers: Pick<Timers, "after">) {
    this.#write = write;
    this.#clock = clock;
    this.#timers = timers;
  }

  say(level: LogLevel, message: string): void {
    const text = `${level} ${message}`;
    const written = this.#written.get(text);
    if (written !== undefined) {
      count(written, level, message);
      return;
    }
    const reason = this.#reasonOf(level, message);
    if (reason.texts.length >= TEXTS_MAX) {
      count(reason, level, message);
      return;
    }
    reason.texts.push(text);
    this.#written.set(text, reason);
    this.#write(level, message);
  }

  /** Tells now what was counted until now. For the end of a process, and before something final is said. */
  flush(): void {
    for (const reason of this.#reasons.values()) this.#tell(reason);
  }

  #reasonOf(level: LogLevel, message: string): Reason {
    const key = `${level} ${shapeOf(message)}`;
    const known = this.#reasons.get(key);
    if (known !== undefined) return known;
    if (this.#reasons.size < REASONS_MAX) return this.#begin(key);
    return this.#reasons.get(OTHER_REASONS) ?? this.#begin(OTHER_REASONS);
  }

  #begin(key: string): Reason {
    const reason: Reason = {
      key,
      texts: [],
      intervalMs: INTERVAL_MS_MIN,
      intervalStartMs: this.#clock.monotonicMs(),
      timer: this.#timers.after(INTERVAL_MS_MIN, () => this.#intervalEnded(reason)),
      counted: 0,
      lastLevel: "ERROR",
      lastMessage: "",
    };
    this.#reasons.set(key, reason);
    return reason;
  }

  #intervalEnded(reason: Reason): void {
    if (reason.counted === 0) {
      this.#reasons.delete(reason.key);
      for (const text of reason.texts) this.#written.delete(text);
      return;
    }
    this.#tell(reason);
    reason.intervalMs = Math.min(2 * reason.intervalMs, INTERVAL_MS_MAX);
    reason.intervalStartMs = this.#clock.monotonicMs();
    reason.timer = this.#timers.after(reason.intervalMs, () => this.#intervalEnded(reason));
  }

  #tell(reason: Reason): void {
    if (reason.counted === 0) return;
    const elapsedSec = (this.#clock.monotonicMs() - reason.intervalStartMs) / 1000;
    const times = `${reason.counted} more in ${elapsedSec.toFixed(1)} s`;
    this.#write(reason.lastLevel, `${reason.lastMessage} (${times})`);
    reason.counted = 0;
  }
}

function count(reason: Reason, level: LogLevel, message: string): void {
  reason.counted += 1;
  reason.lastLevel = level;
  reason.lastMessage = message;
}

/** The text without what stands in quotes, and without words that are numbers, decimal or hexadecimal. */
export function shapeOf(message: string): string {
  return message
    .slice(0, SHAPE_LENGTH_MAX)
    .replace(/"[^"]*"|'[^']*'/g, '"')
    .replace(/\b(?:0x)?[0-9a-f]*[0-9][0-9a-f]*\b/gi, "#");
}
