/**
 * Times of the page: microseconds since 1970 as numbers, RFC 3339 at its edges, words for people.
 *
 * Invariant: what is shown says in which zone it is, once for the whole page (`zoneText`).
 */

export type Zone = "local" | "utc";

const RFC3339 = /^(\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** undefined: not such a time. */
export function parseTimeUs(text: string): number | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, seconds = "", fraction = "", zone = ""] = match;
  const ms = Date.parse(`${seconds.replace(" ", "T").toUpperCase()}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  return ms * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** As the API writes and takes times. */
export function isoTime(us: number): string {
  const whole = Math.floor(us);
  const ms = Math.floor(whole / 1000);
  const microseconds = String(whole - ms * 1000).padStart(3, "0");
  return new Date(ms).toISOString().replace("Z", `${microseconds}Z`);
}

interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

export function fieldsOf(us: number, zone: Zone): Fields {
  const at = new Date(us / 1000);
  return zone === "utc"
    ? {
        year: at.getUTCFullYear(),
        month: at.getUTCMonth(),
        day: at.getUTCDate(),
        weekday: at.getUTCDay(),
        hour: at.getUTCHours(),
        minute: at.getUTCMinutes(),
        second: at.getUTCSeconds(),
      }
    : {
        year: at.getFullYear(),
        month: at.getMonth(),
        day: at.getDate(),
        weekday: at.getDay(),
        hour: at.getHours(),
        minute: at.getMinutes(),
        second: at.getSeconds(),
      };
}

/** `03:12:44` */
export function clockText(us: number, zone: Zone): string {
  const { hour, minute, second } = fieldsOf(us, zone);
  return [hour, minute, second].map(twoDigits).join(":");
}

/** `03:12:44.031` */
export function preciseText(us: number, zone: Zone): string {
  const ms = Math.floor(us / 1000) % 1000;
  return `${clockText(us, zone)}.${String(ms).padStart(3, "0")}`;
}

/** `Sun 29 Nov 2026` */
export function dayText(us: number, zone: Zone): string {
  const { year, month, day, weekday } = fieldsOf(us, zone);
  return `${DAYS[weekday]} ${day} ${MONTHS[month]} ${year}`;
}

/** The clock alone on the day of `nowUs`, else with the day. */
export function shortText(us: number, nowUs: number, zone: Zone): string {
  const day = dayText(us, zone);
  return day === dayText(nowUs, zone)
    ? clockText(us, zone)
    : `${day.slice(0, -5)}, ${clockText(us, zone)}`;
}

/** `2026-11-29T03:12:44`, the value of an input of the kind datetime-local. */
export function inputText(us: number, zone: Zone): string {
  const { year, month, day, hour, minute, second } = fieldsOf(us, zone);
  const date = `${String(year).padStart(4, "0")}-${twoDigits(month + 1)}-${twoDigits(day)}`;
  return `${date}T${[hour, minute, second].map(twoDigits).join(":")}`;
}

/** The other way; undefined for what such an input never has. */
export function parseInputUs(text: string, zone: Zone): number | undefined {
  const ms = Date.parse(zone === "utc" ? `${text}Z` : text);
  return Number.isNaN(ms) ? undefined : ms * 1000;
}

/** `UTC`, `UTC+01:00` */
export function zoneText(us: number, zone: Zone): string {
  const minutes = zone === "utc" ? 0 : -new Date(us / 1000).getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const sign = minutes < 0 ? "−" : "+";
  return `UTC${sign}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

const STEPS: readonly (readonly [ms: number, unit: string])[] = [
  [24 * 3600 * 1000, "d"],
  [3600 * 1000, "h"],
  [60 * 1000, "min"],
];

/** `340 ms`, `3.2 s`, `4 min 10 s`, `2 h 5 min`, `3 d 1 h` */
export function durationText(ms: number): string {
  if (ms < 0) return `−${durationText(-ms)}`;
  if (ms < 10) return `${trimmed(ms, 1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${trimmed(ms / 1000, 1)} s`;
  if (ms < 59_500) return `${Math.round(ms / 1000)} s`;
  const rest = Math.round(ms / 1000) * 1000;
  const [unitMs, unit] = STEPS.find(([stepMs]) => rest >= stepMs) ?? [60_000, "min"];
  const [smallMs, small] = STEPS[STEPS.findIndex(([, name]) => name === unit) + 1] ?? [1000, "s"];
  const whole = Math.floor(rest / unitMs);
  const parts = Math.floor((rest - whole * unitMs) / smallMs);
  return parts === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${parts} ${small}`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
