import { expect, test } from "bun:test";
import {
  clockText,
  dayText,
  durationText,
  inputText,
  isoTime,
  parseInputUs,
  parseTimeUs,
  preciseText,
  shortText,
  zoneText,
} from "./time.ts";

const US = parseTimeUs("2026-11-29T03:12:44.031007Z") ?? 0;

test("parseTimeUs() keeps microseconds, and isoTime() is its way back", () => {
  expect(US % 1_000_000).toBe(31_007);
  expect(isoTime(US)).toBe("2026-11-29T03:12:44.031007Z");
  expect(parseTimeUs("2026-11-29T04:12:44+01:00")).toBe(US - 31_007);
  expect(parseTimeUs("2026-11-29T03:12:44.5Z")).toBe(US - 31_007 + 500_000);
});

test("parseTimeUs() refuses what is no such time", () => {
  for (const text of ["", "now", "2026-11-29", "2026-13-29T00:00:00Z", "2026-11-29T03:12:44"]) {
    expect([text, parseTimeUs(text)]).toEqual([text, undefined]);
  }
});

test("times in words are those of the zone", () => {
  expect(clockText(US, "utc")).toBe("03:12:44");
  expect(preciseText(US, "utc")).toBe("03:12:44.031");
  expect(dayText(US, "utc")).toBe("Sun 29 Nov 2026");
  expect(shortText(US, US, "utc")).toBe("03:12:44");
  expect(shortText(US, US + 86_400_000_000, "utc")).toBe("Sun 29 Nov, 03:12:44");
  expect(zoneText(US, "utc")).toBe("UTC");
});

test("the value of the input of a time comes back as it was", () => {
  for (const zone of ["utc", "local"] as const) {
    const whole = US - 31_007;
    expect(parseInputUs(inputText(whole, zone), zone)).toBe(whole);
  }
  expect(inputText(US, "utc")).toBe("2026-11-29T03:12:44");
  expect(parseInputUs("nonsense", "utc")).toBeUndefined();
});

test("durationText() has at most two parts, and never rounds into the next unit wrongly", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 ms"],
    [1.26, "1.3 ms"],
    [340.4, "340 ms"],
    [999.4, "999 ms"],
    [999.9, "1 s"],
    [3240, "3.2 s"],
    [59_400, "59 s"],
    [59_700, "1 min"],
    [250_000, "4 min 10 s"],
    [3_599_900, "1 h"],
    [7_500_000, "2 h 5 min"],
    [90_000_000, "1 d 1 h"],
    [-1500, "−1.5 s"],
  ];
  expect(cases.map(([ms]) => durationText(ms))).toEqual(cases.map(([, text]) => text));
});
