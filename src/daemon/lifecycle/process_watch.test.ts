import { beforeEach, expect, test } from "bun:test";
import { ManualTime } from "../../../test/support/manual_time.ts";
import type { JournalEvent } from "../../base/journal_event.ts";
import { silentLogger } from "../../base/log.ts";
import { ProcessWatch } from "./process_watch.ts";

let time: ManualTime;
let wallOffsetMs: number;
let usedMs: number;
let events: JournalEvent[];
let warnings: string[];
let watch: ProcessWatch;

beforeEach(() => {
  time = new ManualTime();
  wallOffsetMs = 0;
  usedMs = 0;
  events = [];
  warnings = [];
  const wallTime = () => {
    const ms = time.nowMs + wallOffsetMs;
    return { sec: 1_700_000_000 + Math.floor(ms / 1000), usec: 0 };
  };
  watch = new ProcessWatch({
    timers: time,
    clock: { monotonicMs: () => time.nowMs, wallTime },
    log: { ...silentLogger, warning: (line) => void warnings.push(line) },
    journal: { record: (event) => void events.push(event) },
    processorMs: () => usedMs,
  });
  watch.start();
});

test("ProcessWatch tells a pause, which is no step of the clock", async () => {
  await time.advance(5000);
  expect(events).toEqual([]);
  // Stopped: time passes, and no timer runs.
  time.nowMs += 20_000;
  await time.advance(1000);
  expect(events).toEqual([{ kind: "paused", duration_ms: 19_000 }]);
  await time.advance(5000);
  expect(events.length).toBe(1);
});

test("ProcessWatch takes a long turn for no pause", async () => {
  await time.advance(5000);
  time.nowMs += 20_000;
  watch.tookTurn(20_000);
  await time.advance(5000);
  expect(events).toEqual([]);
});

test("ProcessWatch tells steps of the clock, both ways", async () => {
  await time.advance(1000);
  wallOffsetMs = 3_600_000;
  await time.advance(1000);
  wallOffsetMs = -10_000;
  await time.advance(1000);
  expect(events).toEqual([
    { kind: "clock_set", by_ms: 3_600_000 },
    { kind: "clock_set", by_ms: -3_610_000 },
  ]);
});

test("ProcessWatch warns once a minute of a loop that uses nearly all of a processor", async () => {
  for (let second = 0; second < 120; second++) {
    usedMs += 950;
    await time.advance(1000);
  }
  expect(warnings.length).toBe(2);
  for (const line of warnings) expect(line).toContain("95%");
  for (let second = 0; second < 120; second++) {
    usedMs += 800;
    await time.advance(1000);
  }
  expect(warnings.length).toBe(2);
});

test("ProcessWatch.stop() ends its timer", () => {
  watch.stop();
  expect(time.waiting).toBe(0);
});
