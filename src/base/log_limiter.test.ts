import { expect, test } from "bun:test";
import { CollectedLog } from "../../test/support/collected_log.ts";
import { ManualTime } from "../../test/support/manual_time.ts";
import { shapeOf } from "./log_limiter.ts";

function collected() {
  const time = new ManualTime();
  return { time, log: new CollectedLog(time, time) };
}

test("LogLimiter writes the first line at once and counts the same line until the interval ends", async () => {
  const { time, log } = collected();
  for (let i = 0; i < 5; i++) log.error("it broke");
  expect(log.lines).toEqual(["it broke"]);
  await time.advance(1000);
  expect(log.lines).toEqual(["it broke", "it broke (4 more in 1.0 s)"]);
});

test("LogLimiter doubles the interval of what goes on, up to a minute, and counts exactly", async () => {
  const { time, log } = collected();
  for (let second = 0; second < 600; second++) {
    for (let i = 0; i < 10; i++) log.notice("again");
    await time.advance(1000);
  }
  log.limiter.flush();
  expect(log.occurrences).toBe(6000);
  // The first one; after 1, 2, 4 … 32 s, then 60 s each; what was left at the end.
  expect(log.lines.length).toBe(1 + 6 + 8 + 1);
});

test("LogLimiter forgets a reason that did not come for an interval", async () => {
  const { time, log } = collected();
  for (let i = 0; i < 3; i++) {
    log.notice("now and then");
    await time.advance(1500);
  }
  expect(log.lines).toEqual(["now and then", "now and then", "now and then"]);
  expect(time.waiting).toBe(0);
});

test("LogLimiter writes a few different lines of one reason, then counts them", async () => {
  const { time, log } = collected();
  for (let pid = 100; pid < 800; pid++) log.error(`Refused connection of process ${pid}`);
  expect(log.lines.length).toBe(16);
  await time.advance(1000);
  expect(log.lines.length).toBe(17);
  expect(log.lines[16]).toBe("Refused connection of process 799 (684 more in 1.0 s)");
  log.error("Something else");
  expect(log.lines[17]).toBe("Something else");
});

test("LogLimiter tells levels apart, and writes the count at the level of the line", () => {
  const { log } = collected();
  log.error("x");
  log.notice("x");
  expect(log.lines).toEqual(["x", "x"]);
});

test("LogLimiter keeps a bounded number of reasons and loses no count", async () => {
  const { time, log } = collected();
  const word = (i: number) => i.toString(2).replaceAll("0", "x").replaceAll("1", "y");
  for (let i = 0; i < 5000; i++) log.error(`word ${word(i)}`);
  expect(log.lines.length).toBe(1024 + 16);
  expect(time.waiting).toBe(1025);
  await time.advance(1000);
  expect(log.lines.length).toBe(1024 + 16 + 1);
  expect(log.occurrences).toBe(5000);
  await time.advance(2000);
  expect(time.waiting).toBe(0);
});

test("LogLimiter.flush() tells at once what was counted, once", () => {
  const { log } = collected();
  for (let i = 0; i < 3; i++) log.error("x");
  log.limiter.flush();
  log.limiter.flush();
  expect(log.lines).toEqual(["x", "x (2 more in 0.0 s)"]);
});

test("shapeOf() leaves out numbers, addresses and what stands in quotes", () => {
  expect(shapeOf("Closed connection of client 77: at 0xff8 of 12")).toBe(
    shapeOf("Closed connection of client 3: at 0x1 of 0"),
  );
  expect(shapeOf("from 10.0.0.1:4379")).toBe(shapeOf("from 192.168.77.200:1"));
  expect(shapeOf("from fe80::1")).toBe(shapeOf("from fd00::a2"));
  expect(shapeOf('tunable "one" of 1')).toBe(shapeOf('tunable "two three" of 2'));
  expect(shapeOf("database a")).not.toBe(shapeOf("database b"));
});
