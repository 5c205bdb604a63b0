import { expect, test } from "bun:test";
import type { Entry } from "./documents.ts";
import { WINDOW_MS_MAX, WINDOW_MS_MIN } from "./limits.ts";
import { parseTimeUs } from "./time.ts";
import {
  marksOf,
  panned,
  positionOf,
  spanMsOf,
  ticksOf,
  windowBefore,
  zoomed,
} from "./timeline.ts";

const NOW = parseTimeUs("2026-11-29T03:00:00Z") ?? 0;
const HOUR_MS = 3_600_000;
const hour = windowBefore(NOW, HOUR_MS);

test("zoomed() keeps the anchor where it is, and stays before now", () => {
  const anchor = NOW - 2_700_000_000;
  const closer = zoomed(hour, 0.5, anchor, NOW);
  expect(spanMsOf(closer)).toBe(HOUR_MS / 2);
  expect(positionOf(anchor, closer)).toBeCloseTo(positionOf(anchor, hour));
  const wider = zoomed(hour, 2, anchor, NOW);
  expect(wider.toUs).toBe(NOW);
  expect(spanMsOf(wider)).toBe(2 * HOUR_MS);
});

test("zoomed() has a narrowest and a widest window", () => {
  expect(spanMsOf(zoomed(hour, 1e-9, NOW, NOW))).toBe(WINDOW_MS_MIN);
  expect(spanMsOf(zoomed(hour, 1e9, NOW, NOW))).toBe(WINDOW_MS_MAX);
});

test("panned() goes back by its share, and forth only to now", () => {
  expect(panned(hour, -0.5, NOW).toUs).toBe(NOW - 1_800_000_000);
  expect(panned(hour, 0.5, NOW)).toEqual(hour);
});

test("ticksOf() has round times, never more than asked for", () => {
  expect(ticksOf(hour, 8, "utc").map(({ text }) => text)).toEqual([
    "02:00",
    "02:10",
    "02:20",
    "02:30",
    "02:40",
    "02:50",
    "03:00",
  ]);
  for (const ms of [2000, 60_000, HOUR_MS, 24 * HOUR_MS, WINDOW_MS_MAX]) {
    for (const countMax of [2, 5, 12]) {
      const ticks = ticksOf(windowBefore(NOW, ms), countMax, "utc");
      expect(ticks.length).toBeGreaterThan(0);
      expect(ticks.length).toBeLessThanOrEqual(countMax + 1);
    }
  }
  const days = ticksOf(windowBefore(NOW, 72 * HOUR_MS), 6, "utc");
  expect(days.filter(({ major }) => major).map(({ text }) => text)).toContain("Sun 29 Nov");
});

const entryAt = (secondsAgo: number, kind: "link_down" | "link_up", id = secondsAgo): Entry => ({
  node: 0,
  id,
  timeUs: NOW - secondsAgo * 1_000_000,
  process: "ctdbd",
  text: "",
  event: kind === "link_up" ? { kind, peer: 1 } : { kind, peer: 1, reason: "" },
});

test("marksOf() makes one mark of what is in one column, as bad as its worst", () => {
  const entries = [
    entryAt(3600, "link_up"),
    entryAt(10, "link_up"),
    entryAt(9, "link_down"),
    entryAt(0, "link_up"),
    entryAt(4000, "link_up"),
  ];
  const marks = marksOf(entries, hour, 10);
  expect(marks.map(({ column, level, entries: { length } }) => [column, level, length])).toEqual([
    [0, "notice", 1],
    [9, "critical", 3],
  ]);
});
