/** Text forms that the commands share: times, padding, machine-readable rows. */

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
] as const;

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** Seconds since 1970 in local time, as ctime() prints them, without the newline. */
export function calendarTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
  const day = String(date.getDate()).padStart(2);
  return `${DAYS[date.getDay()]} ${MONTHS[date.getMonth()]} ${day} ${clock} ${date.getFullYear()}`;
}

/** Seconds since 1970 as `YYYY/MM/DD HH:MM:SS` in local time. */
export function dateAndTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = [date.getMonth() + 1, date.getDate()].map(twoDigits).join("/");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
  return `${date.getFullYear()}/${day} ${clock}`;
}

/** `(DDD HH:MM:SS)` of a duration in whole seconds. */
export function elapsedTime(seconds: number): string {
  const minutes = Math.trunc(seconds / 60);
  const hours = Math.trunc(minutes / 60);
  const days = String(Math.trunc(hours / 24)).padStart(3, "0");
  return `(${days} ${[hours % 24, minutes % 60, seconds % 60].map(twoDigits).join(":")})`;
}

export function sixDecimals(value: number): string {
  return value.toFixed(6);
}

export function hex8(value: number): string {
  return value.toString(16).padStart(8, "0");
}

/** Separator, field, separator, … separator. */
export function machineRow(separator: string, fields: readonly (string | number)[]): string {
  return `${separator}${fields.join(separator)}${separator}`;
}

/**
 * Text of others for a terminal: what moves the cursor, turns the direction of writing or is no character becomes
 * a question mark.
 */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}
