/** Times in requests: RFC 3339, seconds since 1970, or "-10min". Answers: base/rfc3339.ts. */
import { err, ok, type Result } from "../../base/result.ts";
import { parseRfc3339 } from "../../base/rfc3339.ts";
import type { Clock } from "../../platform/types/time.ts";

/** What a parameter may be, for the schema; `parseTime` looks closer. */
export const TIME_PATTERN =
  /^(-\d{1,9}(s|min|h|d)|\d{1,12}(\.\d{1,6})?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d))$/;

const UNIT_US: Readonly<Record<string, number>> = {
  s: 1_000_000,
  min: 60_000_000,
  h: 3_600_000_000,
  d: 86_400_000_000,
};

export function microsecondsOf(clock: Pick<Clock, "wallTime">): number {
  const { sec, usec } = clock.wallTime();
  return sec * 1_000_000 + usec;
}

/** Microseconds since 1970. */
export function parseTime(text: string, nowUs: number): Result<number> {
  const relative = /^-(\d{1,9})(s|min|h|d)$/.exec(text);
  if (relative !== null) {
    return ok(Math.max(0, nowUs - Number(relative[1]) * (UNIT_US[relative[2] ?? ""] ?? 0)));
  }
  if (/^\d{1,12}(\.\d{1,6})?$/.test(text)) return ok(Math.round(Number(text) * 1_000_000));
  const us = TIME_PATTERN.test(text) ? parseRfc3339(text) : Number.NaN;
  if (!Number.isNaN(us)) return ok(Math.max(0, us));
  return err(
    `expected a time as 2026-11-29T03:00:00Z, as seconds since 1970, or as -10min, got "${text}"`,
  );
}
