import { expect, test } from "bun:test";
import { parseRfc3339, rfc3339Text } from "./rfc3339.ts";

test("parseRfc3339() reads what rfc3339Text() writes", () => {
  for (const us of [0, 1, 1_795_947_300_000_250, 1_795_947_300_999_999]) {
    expect(parseRfc3339(rfc3339Text(us))).toBe(us);
  }
  expect(rfc3339Text(1_795_947_300_000_009)).toBe("2026-11-29T10:15:00.000009Z");
});

test("parseRfc3339() reads zones and any number of digits, and refuses what is no time", () => {
  expect(parseRfc3339("2026-11-29T10:15:00.5Z")).toBe(1_795_947_300_500_000);
  expect(parseRfc3339("2026-11-29T11:45:00.1234567+01:30")).toBe(1_795_947_300_123_456);
  expect(parseRfc3339("yesterday")).toBeNaN();
});

test("rfc3339Text() of what no date is gives the first", () => {
  expect(rfc3339Text(1e300)).toBe("1970-01-01T00:00:00.000000Z");
});
