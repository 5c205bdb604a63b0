/** A real ctdbd with event scripts: which events it runs and in which order, and what becomes of its event daemon. */
import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  nodeDirectory,
  REAL_TEST_MS,
  RealNode,
  STEP_MS,
  startDaemon,
  withNodeDirectory,
} from "../daemon/real_node.ts";
import { runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { until, when } from "../support/until.ts";

const SCRIPT = `#!/bin/sh
echo "$*" >>"$CTDB_BASE/ran"
[ "$1" = "monitor" ] && [ -e "$CTDB_BASE/sick" ] && { echo "it is sick"; exit 1; }
[ -e "$CTDB_BASE/fail-$1" ] && exit 1
exit 0
`;
const NOTIFY = `#!/bin/sh
echo "notify $*" >>"$CTDB_BASE/ran"
`;

async function eventDirectory(base: string): Promise<string> {
  const address = await nodeDirectory(base);
  mkdirSync(join(base, "events/legacy"), { recursive: true });
  for (const [name, text] of [
    ["events/legacy/01.told.script", SCRIPT],
    ["notify.sh", NOTIFY],
  ] as const) {
    writeFileSync(join(base, name), text);
    chmodSync(join(base, name), 0o755);
  }
  // Looked at often, so that a test need not wait for it.
  writeFileSync(join(base, "ctdb.tunables"), "MonitorInterval=1\n");
  return address;
}

function eventsOf(base: string): string[] {
  const path = join(base, "ran");
  return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
}

async function untilEvent(base: string, event: string, times = 1): Promise<void> {
  await until(
    `"${event}" has run`,
    STEP_MS,
    () => when(eventsOf(base).filter((one) => one === event).length >= times),
    () => eventsOf(base).join(),
  );
}

async function inNode(base: string, ...command: readonly string[]): Promise<string> {
  const [name = "", ...args] = command;
  const argv = [join(await compiledExecutables(), name), ...args];
  const env = { CTDB_TEST_MODE: "yes", CTDB_BASE: base, PATH: "/usr/bin:/bin" };
  const { stdout } = await runCommand(argv, { env, timeoutMs: STEP_MS });
  return stdout;
}

test(
  "ctdbd runs the events of its life in order, and its event daemon ends with it",
  async () => {
    await withNodeDirectory(async (base) => {
      const address = await eventDirectory(base);
      expect(await startDaemon(base)).toEqual({ code: 0, stdout: "", stderr: "" });
      const node = new RealNode(base, address);
      await untilEvent(base, "notify healthy");
      const events = eventsOf(base).filter((event) => !/^(ipre|notify i|notify se)/.test(event));
      expect(events.slice(0, 7)).toEqual([
        "init",
        "setup",
        "startrecovery",
        "recovered",
        "startup",
        "notify startup",
        "monitor",
      ]);
      expect(await inNode(base, "ctdb", "status")).toContain(" OK (THIS NODE)");
      expect(await inNode(base, "ctdb-event", "status", "legacy", "startup")).toMatch(
        /^01\.told {14}OK {9}0\.\d{3} /,
      );
      writeFileSync(join(base, "sick"), "");
      await untilEvent(base, "notify unhealthy");
      expect(await inNode(base, "ctdb", "status")).toContain("UNHEALTHY (THIS NODE)");
      await until("the log says why", STEP_MS, () =>
        when(/UNHEALTHY because its monitor script 01\.told.*it is sick/.test(readLog(base))),
      );
      await node.end();
      expect(eventsOf(base).at(-1)).toBe("shutdown");
    });
  },
  REAL_TEST_MS,
);

function readLog(base: string): string {
  return readFileSync(join(base, "log.ctdb"), "utf8");
}

test(
  "ctdbd does not start when the init event fails, and tries startup again",
  async () => {
    await withNodeDirectory(async (base) => {
      await eventDirectory(base);
      writeFileSync(join(base, "fail-init"), "");
      const { code } = await startDaemon(base);
      expect([code, eventsOf(base)]).toEqual([1, ["init"]]);
    });
    await withNodeDirectory(async (base) => {
      const address = await eventDirectory(base);
      writeFileSync(join(base, "fail-startup"), "");
      expect((await startDaemon(base)).code).toBe(0);
      const node = new RealNode(base, address);
      await untilEvent(base, "startup", 2);
      expect(eventsOf(base)).not.toContain("monitor");
      await node.end();
    });
  },
  REAL_TEST_MS,
);

test(
  "ctdbd ends when its event daemon is gone, and the event daemon when ctdbd is",
  async () => {
    for (const victim of ["eventd.pid", "ctdbd.pid"]) {
      await withNodeDirectory(async (base) => {
        const address = await eventDirectory(base);
        expect((await startDaemon(base)).code).toBe(0);
        const node = new RealNode(base, address);
        await untilEvent(base, "startup");
        const pid = Number(readFileSync(join(base, "run", victim), "utf8"));
        process.kill(pid, "SIGKILL");
        // That nothing is left is what withNodeDirectory() waits for.
        await until("ctdbd is gone", STEP_MS, () => when(!existsSync(`/proc/${node.pid}`)));
      });
    }
  },
  REAL_TEST_MS,
);

test(
  "ctdbd runs without an event daemon where there is no directory of events",
  async () => {
    await withNodeDirectory(async (base) => {
      const address = await nodeDirectory(base);
      expect((await startDaemon(base)).code).toBe(0);
      const node = new RealNode(base, address);
      expect(existsSync(join(base, "run/eventd.pid"))).toBe(false);
      await node.end();
    });
  },
  REAL_TEST_MS,
);
