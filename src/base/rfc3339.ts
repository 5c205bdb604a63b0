/** Times of documents: RFC 3339 in UTC with microseconds. */

const MICROSECONDS = 1_000_000;
const EPOCH = "1970-01-01T00:00:00.000000Z";

/** `us`: microseconds since 1970. What no date is becomes the first. */
export function rfc3339Text(us: number): string {
  const seconds = Math.floor(us / MICROSECONDS);
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return EPOCH;
  const micros = String(Math.floor(us - seconds * MICROSECONDS)).padStart(6, "0");
  return `${date.toISOString().slice(0, 19)}.${micros}Z`;
}

/** Microseconds since 1970, with any zone; NaN: it is none. */
export function parseRfc3339(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  const wholeMs = Date.parse(text.replace(/\.\d+/, ""));
  return wholeMs * 1000 + Number(fraction.slice(0, 6).padEnd(6, "0"));
}
