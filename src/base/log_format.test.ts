import { expect, test } from "bun:test";
import {
  bsdTimestamp,
  fileLogLines,
  isoTimestamp,
  journalDatagrams,
  parseLogLocation,
  plainLogLines,
  syslogDatagram,
} from "./log_format.ts";

const ORIGIN = { host: "node.0", application: "ctdbd", pid: 23882 };
const UTC = { sec: 1795242076, usec: 845, offsetMinutes: 0 };
const INDIA = { ...UTC, offsetMinutes: 330 };
const NEWFOUNDLAND = { ...UTC, offsetMinutes: -210 };

test("isoTimestamp() has microseconds and the offset", () => {
  expect(isoTimestamp(UTC)).toBe("2026-11-21T06:21:16.000845+00:00");
  expect(isoTimestamp(INDIA)).toBe("2026-11-21T11:51:16.000845+05:30");
  expect(isoTimestamp(NEWFOUNDLAND)).toBe("2026-11-21T02:51:16.000845-03:30");
});

test("bsdTimestamp() pads the day with a blank", () => {
  expect(bsdTimestamp(UTC)).toBe("Nov 21 06:21:16");
  expect(bsdTimestamp({ ...UTC, sec: UTC.sec - 20 * 86400 })).toBe("Nov  1 06:21:16");
});

test("fileLogLines() gives the shape of the original, for each line of the message", () => {
  const header = "2026-11-21T06:21:16.000845+00:00 node.0 ctdbd[23882]: ";
  expect(fileLogLines(ORIGIN, UTC, "CTDB starting on node")).toBe(
    `${header}CTDB starting on node\n`,
  );
  expect(fileLogLines(ORIGIN, UTC, "a\nb\n")).toBe(`${header}a\n${header}b\n`);
  expect(plainLogLines("a\nb\n")).toBe("a\nb\n");
});

test("syslogDatagram() has daemon facility, severity and the transport's header", () => {
  const of = (transport: Parameters<typeof syslogDatagram>[0], level: "ERROR" | "INFO" | "DEBUG") =>
    syslogDatagram(transport, ORIGIN, UTC, level, "hello\n");
  expect(of("unix", "ERROR")).toBe("<27>Nov 21 06:21:16 ctdbd[23882]: hello");
  expect(of("nonblocking", "INFO")).toBe("<29>ctdbd[23882]: hello");
  expect(of("udp", "DEBUG")).toBe("<31>ctdbd[23882]: hello");
  expect(of("udp-rfc5424", "ERROR")).toBe(
    "<27>1 2026-11-21T06:21:16.000845+00:00 node.0 ctdbd 23882 - - hello",
  );
});

test("parseLogLocation() knows the forms and names a wrong one", () => {
  expect(parseLogLocation("file:/var/log/x:y")).toEqual({
    ok: true,
    value: { kind: "file", path: "/var/log/x:y" },
  });
  for (const text of ["file:", "file", "file:-"]) {
    expect(parseLogLocation(text)).toEqual({ ok: true, value: { kind: "stderr" } });
  }
  expect(parseLogLocation("syslog")).toEqual({
    ok: true,
    value: { kind: "syslog", transport: "unix" },
  });
  expect(parseLogLocation("syslog:udp-rfc5424")).toEqual({
    ok: true,
    value: { kind: "syslog", transport: "udp-rfc5424" },
  });
  for (const text of ["syslog:tcp", "", "journal", "/var/log/x"]) {
    const parsed = parseLogLocation(text);
    expect(parsed.ok ? "" : parsed.error).toContain(`'${text}'`);
  }
});

test("journalDatagrams() has a datagram for each line, with the level beside the severity", () => {
  const origin = { host: "n", application: "ctdbd", pid: 7 };
  const fields = (severity: number, level: string) =>
    `PRIORITY=${severity}\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=ctdbd\nSYSLOG_PID=7\nCTDB_LEVEL=${level}\n`;
  expect(journalDatagrams(origin, "INFO", "one\nMESSAGE_ID=two\n")).toEqual([
    `${fields(5, "INFO")}MESSAGE=one\n`,
    `${fields(5, "INFO")}MESSAGE=MESSAGE_ID=two\n`,
  ]);
  const [long = ""] = journalDatagrams(origin, "ERROR", "€".repeat(5000));
  expect(long.startsWith(`${fields(3, "ERROR")}MESSAGE=€`)).toBe(true);
  expect(new TextEncoder().encode(long).length).toBeLessThan(8192);
  expect(long.endsWith("€\n")).toBe(true);
});
