import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { sourceFiles } from "../../test/support/source_tree.ts";
import { withSyslog } from "../../test/support/syslog_daemon.ts";
import { TemporaryDirectory } from "../../test/support/temp_dir.ts";
import { CRASH_STATUS } from "./crash.ts";

const HERE = import.meta.dir;

/** Logs, and ends as a role ends by a failed assertion. */
const ROLE = `
const { openRoleLog } = await import(${JSON.stringify(`${HERE}/role_log.ts`)});
const { assert } = await import(${JSON.stringify(`${HERE}/../base/assert.ts`)});
const { writeSync } = await import("node:fs");
const [location, how, lines, unixPath, udpPort] = process.argv.slice(-5);
const log = openRoleLog(
  {
    location,
    level: "NOTICE",
    application: "role",
    environment: {},
    syslogAddress: { unixPath, udpPort: Number(udpPort) },
  },
  { reopenLogs() {} },
).value;
const word = (i) => i.toString(2).replaceAll("0", "x").replaceAll("1", "y");
for (let i = 0; i < Number(lines); i++) log.notice("line " + word(i));
writeSync(1, "now\\n");
const fail = () => assert(false, "the reason");
if (how === "rejection") Promise.resolve().then(fail);
else setTimeout(fail, 0);
setTimeout(() => {}, 10_000);
`;

function startRole(
  location: string,
  how: "exception" | "rejection",
  { lines = 0, unixPath = "", udpPort = 0 } = {},
) {
  const more = [location, how, String(lines), unixPath, String(udpPort)];
  return Bun.spawn([process.execPath, "-e", ROLE, ...more], { stdout: "pipe", stderr: "pipe" });
}

for (const how of ["exception", "rejection"] as const) {
  test(`openRoleLog() has what nobody caught (${how}) in the log, wherever that is`, async () => {
    using directory = new TemporaryDirectory("log");
    const path = directory.file("log");
    const file = startRole(`file:${path}`, how, { lines: 100 });
    expect(await file.exited).toBe(CRASH_STATUS);
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    expect(lines.length).toBe(101);
    expect(lines[100]).toContain("the reason");
    expect(await new Response(file.stderr).text()).toBe("");

    const stderr = startRole("file:", how);
    expect(await stderr.exited).toBe(CRASH_STATUS);
    const text = await new Response(stderr.stderr).text();
    expect(text.trimEnd().split("\n").length).toBe(1);
    expect(text).toContain("the reason");

    for (const location of ["syslog", "syslog:nonblocking", "syslog:udp", "syslog:udp-rfc5424"]) {
      const kind = location.includes("udp") ? "udp" : "unix";
      const told = await withSyslog(
        kind,
        async (daemon) => {
          expect(await startRole(location, how, daemon).exited).toBe(CRASH_STATUS);
        },
        1,
      );
      expect([location, told.length, told[0]?.includes("the reason")]).toEqual([location, 1, true]);
    }
  });
}

test("openRoleLog() has the last words in a log whose daemon was busy, behind what waited", async () => {
  const LINES = 200;
  const told = await withSyslog(
    "unix",
    async (daemon) => {
      const role = startRole("syslog", "exception", { ...daemon, lines: LINES });
      // It has more to say than the daemon's socket takes, and ends now.
      await role.stdout.getReader().read();
      daemon.release();
      expect(await role.exited).toBe(CRASH_STATUS);
    },
    LINES + 1,
    { held: true },
  );
  expect(told.length).toBe(LINES + 1);
  expect(told[LINES]).toContain("the reason");
});

test("openRoleLog() with the non-blocking log of a busy daemon counts what it dropped before the last words", async () => {
  const told = await withSyslog(
    "unix",
    async (daemon) => {
      const role = startRole("syslog:nonblocking", "exception", { ...daemon, lines: 500 });
      await role.stdout.getReader().read();
      daemon.release();
      expect(await role.exited).toBe(CRASH_STATUS);
    },
    1000,
    { held: true, last: "the reason" },
  );
  // The lines that went before the socket was full, and the count of the others.
  expect(told.length).toBeLessThan(500);
  const dropped = told.at(-2) ?? "";
  expect(dropped).toContain(`Dropped ${500 - (told.length - 2)} `);
  expect(told.at(-1)).toContain("the reason");
});

test("every role that logs opens its log with openRoleLog()", () => {
  const direct = sourceFiles(["src"])
    .filter(({ path }) => !path.endsWith(".test.ts") && path !== "src/platform/bun/logger.ts")
    .filter(({ text }) => text.includes("createLogger("))
    .map(({ path }) => path);
  expect(direct).toEqual(["src/roles/role_log.ts"]);
});
