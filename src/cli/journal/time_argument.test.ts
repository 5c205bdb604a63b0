import { expect, test } from "bun:test";
import { rfc3339Text } from "../../base/rfc3339.ts";
import { parseTime } from "./time_argument.ts";

const NOW_US = Date.UTC(2026, 10, 29, 10, 15, 30) * 1000 + 250;

function parsed(text: string): string {
  const time = parseTime(text, NOW_US);
  return time.ok ? rfc3339Text(time.value) : "refused";
}

/** The same moment, in this machine's zone. */
function local(...fields: [number, number, number, number, number, number]): string {
  return rfc3339Text(new Date(...fields).getTime() * 1000);
}

test.each<[string, string]>([
  ["2026-11-29T10:00:00Z", "2026-11-29T10:00:00.000000Z"],
  ["2026-11-29T10:00:00.1234567+01:30", "2026-11-29T08:30:00.123457Z"],
  ["2026-02-28T23:30:00-01:00", "2026-03-01T00:30:00.000000Z"],
  ["2026-11-29T10:00:00", local(2026, 10, 29, 10, 0, 0)],
  ["2026/11/29 10:00:00.5", local(2026, 10, 29, 10, 0, 0).replace(".000000", ".500000")],
  ["2026-11-29", local(2026, 10, 29, 0, 0, 0)],
  ["1795947300.25", "2026-11-29T10:15:00.250000Z"],
  ["now", "2026-11-29T10:15:30.000250Z"],
  ["-30s", "2026-11-29T10:15:00.000250Z"],
  ["-1h30min", "2026-11-29T08:45:30.000250Z"],
  ["-1.5d", "2026-11-27T22:15:30.000250Z"],
])("parseTime() reads %p", (text, expected) => {
  expect(parsed(text)).toBe(expected);
});

test("parseTime() takes a time of the day for the last such time", () => {
  const now = new Date(NOW_US / 1000);
  const clock = (at: Date) =>
    [at.getHours(), at.getMinutes()].map((each) => String(each).padStart(2, "0")).join(":");
  for (const hours of [-3, 3]) {
    const at = new Date(now.getTime() + hours * 3_600_000);
    const time = parseTime(clock(at), NOW_US);
    const agoMs = time.ok ? now.getTime() - time.value / 1000 : -1;
    expect(agoMs).toBeGreaterThanOrEqual(0);
    expect(agoMs).toBeLessThan(25 * 3_600_000);
  }
});

test.each([
  "",
  "yesterday",
  "2026-13-01",
  "2026-02-30T10:00:00Z",
  "24:00",
  "10:60",
  "-10",
  "-5weeks",
  "-99999999d",
  "2026-11-29T10:00:00X",
])("parseTime() refuses %p", (text) => {
  expect(parsed(text)).toBe("refused");
});
