import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../test/support/command.ts";
import { PROJECT, sourceFiles } from "../../test/support/source_tree.ts";
import { type SyslogDaemon, withSyslog } from "../../test/support/syslog_daemon.ts";
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
if (how === "told") process.stdin.once("data", fail);
else if (how === "rejection") Promise.resolve().then(fail);
else setTimeout(fail, 0);
setTimeout(() => {}, 10_000);
`;

/** "told": an exception when something comes on standard input. */
type How = "exception" | "rejection" | "told";

const TIMEOUT_MS = 60_000;

function startRole(location: string, how: How, { lines = 0, unixPath = "", udpPort = 0 } = {}) {
  const more = [location, how, String(lines), unixPath, String(udpPort)];
  return Bun.spawn([process.execPath, "-e", ROLE, ...more], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function endsInFile(how: How): Promise<void> {
  using directory = new TemporaryDirectory("log");
  const path = directory.file("log");
  const role = startRole(`file:${path}`, how, { lines: 100 });
  const code = await role.exited;
  expect(await new Response(role.stderr).text()).toBe("");
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(lines.length).toBe(101);
  expect(lines[100]).toContain("the reason");
  expect(code).toBe(CRASH_STATUS);
}

async function endsOnStandardError(how: How): Promise<void> {
  const role = startRole("file:", how);
  const code = await role.exited;
  const text = await new Response(role.stderr).text();
  expect(text.trimEnd().split("\n")).toEqual([expect.stringContaining("the reason")]);
  expect(code).toBe(CRASH_STATUS);
}

async function endsInSyslog(location: string, how: How): Promise<void> {
  const kind = location.includes("udp") ? "udp" : "unix";
  const end = async (daemon: SyslogDaemon) => {
    const role = startRole(location, how, daemon);
    const code = await role.exited;
    expect([await new Response(role.stderr).text(), code]).toEqual(["", CRASH_STATUS]);
  };
  const told = await withSyslog(kind, end, 1);
  expect([location, told.length, told[0]?.includes("the reason")]).toEqual([location, 1, true]);
}

for (const how of ["exception", "rejection"] as const) {
  test(
    `openRoleLog() has what nobody caught (${how}) in the log, wherever that is`,
    async () => {
      const syslogs = ["syslog", "syslog:nonblocking", "syslog:udp", "syslog:udp-rfc5424"];
      await Promise.all([
        endsInFile(how),
        endsOnStandardError(how),
        ...syslogs.map((location) => endsInSyslog(location, how)),
      ]);
    },
    TIMEOUT_MS,
  );
}

test(
  "openRoleLog() has the last words in a log whose daemon was busy, behind what waited",
  async () => {
    const LINES = 200;
    const told = await withSyslog(
      "unix",
      async (daemon) => {
        const role = startRole("syslog", "told", { ...daemon, lines: LINES });
        // It has more to say than the daemon's socket takes, and ends now.
        await role.stdout.getReader().read();
        daemon.release();
        role.stdin.write("\n");
        role.stdin.flush();
        expect(await role.exited).toBe(CRASH_STATUS);
      },
      LINES + 1,
      { held: true },
    );
    expect(told.length).toBe(LINES + 1);
    expect(told[LINES]).toContain("the reason");
  },
  TIMEOUT_MS,
);

test(
  "openRoleLog() with the non-blocking log of a busy daemon counts what it dropped before the last words",
  async () => {
    const told = await withSyslog(
      "unix",
      async (daemon) => {
        const role = startRole("syslog:nonblocking", "told", { ...daemon, lines: 500 });
        await role.stdout.getReader().read();
        daemon.release();
        role.stdin.write("\n");
        role.stdin.flush();
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
  },
  TIMEOUT_MS,
);

test("a start that failed is on standard error when the log cannot be written", async () => {
  const main = join(PROJECT, "src/main.ts");
  const argv = [process.execPath, "run", main, "ctdb_recovery_helper", "1", "/absent", "5"];
  const env = { CTDB_LOGGING: "file:/dev/full", PATH: "/usr/bin:/bin" };
  const { stdout, stderr, code } = await runCommand(argv, { env });
  expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
  expect(stderr).toStartWith("recovery: ");
  expect(stderr).toContain("/absent");
});

test("every role that logs opens its log with openRoleLog()", () => {
  const direct = sourceFiles(["src"])
    .filter(({ path }) => !path.endsWith(".test.ts") && path !== "src/platform/node/logger.ts")
    .filter(({ text }) => text.includes("createLogger("))
    .map(({ path }) => path);
  expect(direct).toEqual(["src/roles/role_log.ts"]);
});
