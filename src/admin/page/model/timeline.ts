/**
 * The geometry of the timeline, without a picture: a window of time, where a moment is in it, its ticks, and events that
 * are so near to each other that they are one mark.
 */
import type { Entry } from "./documents.ts";
import { type Level, worst } from "./flags.ts";
import { levelOf } from "./kinds.ts";
import { WINDOW_MS_MAX, WINDOW_MS_MIN } from "./limits.ts";
import { clockText, dayText, fieldsOf, type Zone } from "./time.ts";

export interface TimeWindow {
  readonly fromUs: number;
  readonly toUs: number;
}

export function windowBefore(toUs: number, spanMs: number): TimeWindow {
  return { fromUs: toUs - spanMs * 1000, toUs };
}

export function spanMsOf({ fromUs, toUs }: TimeWindow): number {
  return (toUs - fromUs) / 1000;
}

/** Wider for a factor above one. `anchorUs` stays where it is; the end never goes beyond `nowUs`. */
export function zoomed(
  window: TimeWindow,
  factor: number,
  anchorUs: number,
  nowUs: number,
): TimeWindow {
  const before = spanMsOf(window);
  const spanUs = 1000 * Math.min(Math.max(before * factor, WINDOW_MS_MIN), WINDOW_MS_MAX);
  const share = (anchorUs - window.fromUs) / (window.toUs - window.fromUs);
  const toUs = Math.min(anchorUs + spanUs * (1 - share), nowUs);
  return { fromUs: toUs - spanUs, toUs };
}

/** Later for a positive share of the window; never beyond `nowUs`. */
export function panned(window: TimeWindow, share: number, nowUs: number): TimeWindow {
  const spanUs = window.toUs - window.fromUs;
  const toUs = Math.min(window.toUs + spanUs * share, nowUs);
  return { fromUs: toUs - spanUs, toUs };
}

/** 0 to 1 for what is inside. */
export function positionOf(us: number, { fromUs, toUs }: TimeWindow): number {
  return (us - fromUs) / (toUs - fromUs);
}

export interface Tick {
  readonly us: number;
  readonly text: string;
  /** A day begins. */
  readonly major: boolean;
}

const SECOND = 1;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 24 * HOUR;
const TICK_SECONDS = [
  ...[1, 2, 5, 10, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 30].map((count) => count * MINUTE),
  ...[1, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7, 14, 30, 90].map((count) => count * DAY),
];

/** At most `countMax` ticks at round times of the zone. */
export function ticksOf(window: TimeWindow, countMax: number, zone: Zone): readonly Tick[] {
  const seconds = spanMsOf(window) / 1000;
  const step = TICK_SECONDS.find((each) => seconds / each <= countMax) ?? 365 * DAY;
  const stepUs = step * 1_000_000;
  const shiftUs = zoneShiftUs(window.fromUs, zone);
  const ticks: Tick[] = [];
  const first = Math.ceil((window.fromUs + shiftUs) / stepUs) * stepUs - shiftUs;
  for (let us = first; us <= window.toUs && ticks.length <= countMax; us += stepUs) {
    ticks.push(tickAt(us, step, zone));
  }
  return ticks;
}

/** What local time is ahead, at that time; the round times of a window follow the shift at its begin. */
function zoneShiftUs(us: number, zone: Zone): number {
  return zone === "utc" ? 0 : -new Date(us / 1000).getTimezoneOffset() * 60_000_000;
}

function tickAt(us: number, step: number, zone: Zone): Tick {
  const { hour, minute, second } = fieldsOf(us, zone);
  const major = hour === 0 && minute === 0 && second === 0;
  const clock = clockText(us, zone);
  if (step >= DAY || major) return { us, text: dayText(us, zone).slice(0, -5), major: true };
  return { us, text: step >= MINUTE ? clock.slice(0, 5) : clock, major };
}

export interface Mark {
  /** Column of the picture. */
  readonly column: number;
  readonly level: Level;
  readonly entries: readonly Entry[];
}

/** Events by column: those of one column are one mark. Outside of the window are none. */
export function marksOf(
  entries: readonly Entry[],
  window: TimeWindow,
  columns: number,
): readonly Mark[] {
  const byColumn = new Map<number, Entry[]>();
  for (const entry of entries) {
    const position = positionOf(entry.timeUs, window);
    if (position < 0 || position > 1) continue;
    const column = Math.min(Math.floor(position * columns), columns - 1);
    const together = byColumn.get(column);
    if (together === undefined) byColumn.set(column, [entry]);
    else together.push(entry);
  }
  return [...byColumn]
    .sort(([one], [other]) => one - other)
    .map(([column, together]) => ({
      column,
      level: worst(together.map(levelOf)),
      entries: together,
    }));
}
