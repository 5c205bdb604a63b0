import { expect, test } from "bun:test";
import { ManualTime } from "../../../test/support/manual_time.ts";
import { RecordedEvents } from "../../../test/support/recorded_events.ts";
import { silentLogger } from "../../base/log.ts";
import { DatabaseWarnings } from "./database_warnings.ts";
import { DATABASE_WARNING_INTERVAL_MS, DATABASE_WARNINGS_MAX } from "./limits.ts";

function setUp() {
  const time = new ManualTime();
  const journal = new RecordedEvents();
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const log = { ...silentLogger, warning: say, error: say };
  return { time, journal, lines, warnings: new DatabaseWarnings(time, log, journal) };
}

test("DatabaseWarnings says each in the log, and writes the same down now and then", () => {
  const { time, journal, lines, warnings } = setUp();
  for (let i = 0; i < 3; i++) warnings.warn("x.tdb", "locked", `waits ${i}`);
  warnings.warn("x.tdb", "vacuum", "slow");
  warnings.warn("y.tdb", "locked", "waits");
  time.nowMs += DATABASE_WARNING_INTERVAL_MS;
  warnings.warn("x.tdb", "locked", "waits on");
  expect(lines).toHaveLength(6);
  expect(journal.of("database_warning").map(({ name, warning }) => [name, warning])).toEqual([
    ["x.tdb", "waits 0"],
    ["x.tdb", "slow"],
    ["y.tdb", "waits"],
    ["x.tdb", "waits on"],
  ]);
});

test("DatabaseWarnings remembers so many problems only", () => {
  const { journal, warnings } = setUp();
  for (let i = 0; i < DATABASE_WARNINGS_MAX; i++) warnings.warn(`${i}`, "size", "big");
  warnings.warn("0", "size", "big");
  expect(journal.events).toHaveLength(DATABASE_WARNINGS_MAX);
  warnings.warn("one more", "size", "big");
  warnings.warn("0", "size", "big");
  expect(journal.events).toHaveLength(DATABASE_WARNINGS_MAX + 2);
});
