import { expect, test } from "bun:test";
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { must } from "../../../test/support/must.ts";
import { withSyslog } from "../../../test/support/syslog_daemon.ts";
import { TemporaryDirectory } from "../../../test/support/temp_dir.ts";
import { until, when } from "../../../test/support/until.ts";
import { SystemClock } from "./clock.ts";
import { createLogger, type LoggerOptions, logHostName, type RoleLogger } from "./logger.ts";

const TEST_MODE = { CTDB_TEST_MODE: "yes", CTDB_BASE: "/x/node.3" };

function loggerFor(location: string, more: Partial<LoggerOptions> = {}): RoleLogger {
  const own = { application: "ctdbd", environment: TEST_MODE, clock: new SystemClock() };
  return must(createLogger({ location, level: "NOTICE", ...own, ...more }));
}

test("createLogger() writes lines of the original's shape to the file, by level", () => {
  using directory = new TemporaryDirectory("log");
  const path = directory.file("log.ctdb");
  const log = loggerFor(`file:${path}`);
  log.error("e");
  log.warning("w");
  log.notice("n");
  log.info("i");
  log.level.set(10);
  log.debug("d");
  log.level.set(0);
  log.warning("not");
  expect(log.level.get()).toBe(0);
  log.flush();
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d node\.3 ctdbd\[(\d+)\]: (.*)$/;
  expect(lines.map((line) => shape.exec(line)?.[2])).toEqual(["e", "w", "n", "d"]);
  expect(shape.exec(lines[0] ?? "")?.[1]).toBe(String(process.pid));
  expect(statSync(path).mode & 0o777).toBe(0o644);
});

test("Logger writes what is said 100 000 times once, and then the count", () => {
  using directory = new TemporaryDirectory("log");
  const path = directory.file("log.ctdb");
  const log = loggerFor(`file:${path}`);
  for (let i = 0; i < 100_000; i++) log.error("Refused to do it for 10.0.0.1");
  log.flush();
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  expect(lines.length).toBe(2);
  expect(lines[1]).toContain("99999 more");
});

test("RoleLogger.reopen() after a rename starts a new file and loses nothing", async () => {
  using directory = new TemporaryDirectory("log");
  const path = directory.file("log.ctdb");
  const log = loggerFor(`file:${path}`);
  log.notice("before, written");
  await until("the first line is written", 10_000, () =>
    when(readFileSync(path, "utf8").includes("before, written")),
  );
  log.notice("before, queued");
  renameSync(path, `${path}.1`);
  expect(log.reopen().ok).toBe(true);
  log.notice("after");
  log.flush();
  expect(readFileSync(`${path}.1`, "utf8")).toMatch(/before, written\n.*before, queued\n$/);
  expect(readFileSync(path, "utf8")).toMatch(/^[^\n]*: after\n$/);
});

test("RoleLogger.reopen() lets go of the old file, whoever has opened it here", () => {
  using directory = new TemporaryDirectory("log");
  const path = directory.file("log.ctdb");
  const log = loggerFor(`file:${path}`);
  const copy = openSync(path, "a");
  renameSync(path, `${path}.1`);
  expect(log.reopen().ok).toBe(true);
  writeSync(copy, "by the copy\n");
  closeSync(copy);
  expect(readFileSync(`${path}.1`, "utf8")).toBe("");
  expect(readFileSync(path, "utf8")).toBe("by the copy\n");
});

test("RoleLogger.reopen() that cannot open says so and stays with the old file", () => {
  const directory = new TemporaryDirectory("log");
  const path = directory.file("log.ctdb");
  const log = loggerFor(`file:${path}`);
  directory.remove();
  const outcome = log.reopen();
  expect(outcome.ok ? "" : outcome.error).toContain(path);
  expect(() => log.notice("x")).not.toThrow();
  log.flush();
});

test("Logger on a full disk neither throws nor waits", () => {
  const log = loggerFor("file:/dev/full");
  for (let i = 0; i < 100; i++) log.notice("x");
  const start = performance.now();
  log.flush();
  for (let i = 0; i < 10; i++) log.notice("x".repeat(1 << 20));
  log.flush();
  expect(performance.now() - start).toBeLessThan(500);
});

test("createLogger() names a location that it cannot use", () => {
  for (const location of ["file:/nonexistent/dir/log", "syslog:tcp", "nowhere"]) {
    const own = { application: "a", environment: {}, clock: new SystemClock() };
    const created = createLogger({ location, level: "NOTICE", ...own });
    expect(created.ok ? "" : created.error).toContain(location.replace(/^file:/, ""));
  }
});

test("logHostName() is the node's directory in test mode only", () => {
  expect(logHostName(TEST_MODE)).toBe("node.3");
  expect(logHostName({ ...TEST_MODE, CTDB_BASE: "/x/" })).toBe("unknown");
  expect(logHostName({ CTDB_BASE: "/x/node.3" })).toBe(hostname());
});

test("Logger tells standard error the message alone, and an ending process loses no line", () => {
  const module = JSON.stringify(`${import.meta.dir}/logger.ts`);
  const clock = JSON.stringify(`${import.meta.dir}/clock.ts`);
  const script = `
    const { createLogger } = await import(${module});
    const { SystemClock } = await import(${clock});
    const options = { level: "NOTICE", application: "a", environment: {}, clock: new SystemClock() };
    createLogger({ ...options, location: "file:" }).value.notice("to stderr");
    const log = createLogger({ ...options, location: "file:" + process.argv.at(-1) }).value;
    const word = (i) => i.toString(2).replaceAll("0", "x").replaceAll("1", "y");
    for (let i = 0; i < 1000; i++) log.notice("line " + word(i));
    throw new Error("crash");`;
  using directory = new TemporaryDirectory("log");
  const path = directory.file("log.ctdb");
  const child = Bun.spawnSync([process.execPath, "-e", script, path], { stderr: "pipe" });
  expect(child.exitCode).not.toBe(0);
  expect(child.stderr.toString()).toContain("to stderr\n");
  expect(readFileSync(path, "utf8").split("\n").length).toBe(1001);
});

test("Logger sends to the syslog socket: syslog and syslog:nonblocking", async () => {
  const lines = await withSyslog(
    "unix",
    (syslogAddress) => {
      loggerFor("syslog", { syslogAddress }).error("blocked?");
      loggerFor("syslog:nonblocking", { syslogAddress }).notice("x".repeat(2000));
    },
    2,
  );
  expect(lines[0]).toMatch(/^'<27>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ctdbd\[\d+\]: blocked\?'$/);
  expect(lines[1]).toMatch(/^'<29>ctdbd\[\d+\]: x+'$/);
  expect(lines[1]?.length).toBe(1023 + 2);
});

test("Logger sends to UDP: syslog:udp and syslog:udp-rfc5424", async () => {
  const lines = await withSyslog(
    "udp",
    (syslogAddress) => {
      loggerFor("syslog:udp", { syslogAddress }).warning("one");
      loggerFor("syslog:udp-rfc5424", { syslogAddress }).notice("two");
    },
    2,
  );
  expect(lines[0]).toMatch(/^'<28>ctdbd\[\d+\]: one'$/);
  expect(lines[1]).toMatch(/^'<29>1 \d{4}-[^ ]* node\.3 ctdbd \d+ - - two'$/);
});

test("Logger without a syslog daemon is silent, and finds one that starts or starts again", async () => {
  using directory = new TemporaryDirectory("log");
  const unixPath = directory.file("log");
  const log = loggerFor("syslog", { syslogAddress: { unixPath, udpPort: 9 } });
  expect(() => log.error("nobody")).not.toThrow();
  const first = await withSyslog("unix", () => log.error("first"), 2, { path: unixPath });
  expect(first[0]).toContain(": [Dropped 1 log messages]'");
  expect(first[1]).toContain(": first'");
  unlinkSync(unixPath);
  const second = await withSyslog("unix", () => log.error("second"), 1, { path: unixPath });
  expect(second[0]).toContain(": second'");
});

test("RoleLogger.lastWords() says that nobody has them", () => {
  const syslogAddress = { unixPath: "/nonexistent/log", udpPort: 9 };
  for (const location of ["file:/dev/full", "syslog", "syslog:nonblocking"]) {
    expect([location, loggerFor(location, { syslogAddress }).lastWords("x")]).toEqual([
      location,
      false,
    ]);
  }
});
