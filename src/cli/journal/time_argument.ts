/**
 * Times as people write them: of RFC 3339, as our logs and lists print them, seconds since 1970, a time of the day, and
 * how long ago. What has no zone is of this machine's.
 */
import { err, ok, type Result } from "../../base/result.ts";

const UNIT_SECONDS: Readonly<Record<string, number>> = {
  s: 1,
  sec: 1,
  min: 60,
  h: 3600,
  d: 86_400,
};

const EXPECTED =
  'expected "2026-11-29T10:15:00Z", "2026/11/29 10:15:00", "10:15", seconds since 1970, or how long ago, as "-10min"';

const DATE = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[T ](.+))?$/i;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?$/i;
const MICROSECONDS = 1_000_000;

/** Microseconds since 1970. `nowUs`: what "now" is. */
export function parseTime(text: string, nowUs: number): Result<number> {
  const us = read(text.trim(), nowUs);
  if (us === undefined || !Number.isSafeInteger(us) || us < 0) {
    return err(`Invalid time "${text}": ${EXPECTED}`);
  }
  return ok(us);
}

function read(text: string, nowUs: number): number | undefined {
  if (text === "now") return nowUs;
  if (text.startsWith("-")) {
    const seconds = duration(text.slice(1));
    return seconds === undefined ? undefined : Math.round(nowUs - seconds * MICROSECONDS);
  }
  if (/^\d{5,11}(\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * MICROSECONDS);
  const date = DATE.exec(text);
  if (date !== null) {
    const day = { year: Number(date[1]), month: Number(date[2]), day: Number(date[3]) };
    return at(day, date[4] ?? "00:00");
  }
  return timeOfDay(text, nowUs);
}

/** `10min`, `1h30min`, `2.5h`. */
function duration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(s|sec|min|h|d))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)([a-z]+)/g)) {
    seconds += Number(number) * (UNIT_SECONDS[unit as string] as number);
  }
  return seconds;
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** The last such time: one that is still to come today was yesterday's. */
function timeOfDay(text: string, nowUs: number): number | undefined {
  const now = new Date(nowUs / 1000);
  const day = { year: now.getFullYear(), month: now.getMonth() + 1, day: now.getDate() };
  const us = at(day, text);
  if (us === undefined || us <= nowUs) return us;
  return at({ ...day, day: day.day - 1 }, text, "any day");
}

/** `any day`: day 0 is the last one of the month before. */
function at(day: Day, clockText: string, check?: "any day"): number | undefined {
  const clock = CLOCK.exec(clockText);
  if (clock === null) return undefined;
  const [, hour, minute, second = "0", fraction = "", zone] = clock;
  const fields = [day.year, day.month - 1, day.day, Number(hour), Number(minute), Number(second)];
  if ((fields[3] as number) > 23 || (fields[4] as number) > 59 || (fields[5] as number) > 59) {
    return undefined;
  }
  const numbers = fields as [number, number, number, number, number, number];
  const plain = new Date(Date.UTC(...numbers));
  const isThatDay = plain.getUTCDate() === day.day && plain.getUTCMonth() === day.month - 1;
  if (check === undefined && !isThatDay) return undefined;
  const ms = zone === undefined ? new Date(...numbers).getTime() : plain.getTime();
  return (ms - zoneMs(zone)) * 1000 + Math.round(Number(`0${fraction}`) * MICROSECONDS);
}

function zoneMs(zone: string | undefined): number {
  if (zone === undefined || zone.length === 1) return 0;
  const [hours, minutes] = zone.slice(1).split(":").map(Number) as [number, number];
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
