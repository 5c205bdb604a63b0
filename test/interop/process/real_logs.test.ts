/** The logs of real processes: who reopens them, and what is in them at the end. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, renameSync } from "node:fs";
import { join } from "node:path";
import { EventLoop } from "../../../src/platform/loop/event_loop.ts";
import { SystemProcesses } from "../../../src/platform/node/processes.ts";
import {
  nodeDirectory,
  REAL_TEST_MS,
  STEP_MS,
  startDaemon,
  withNodeDirectory,
  withRealNode,
  writeConfiguration,
} from "../../daemon/real_node.ts";
import { compiledExecutables } from "../../support/executables.ts";
import { must } from "../../support/must.ts";
import { withTemporaryDirectory } from "../../support/temp_dir.ts";
import { until, when } from "../../support/until.ts";

/** No address of the nodes file. */
const STRANGER = "127.0.0.99";

/** Which files a process has open. */
function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(`${folder}/${name}`)];
    } catch {
      return [];
    }
  });
}

/** They have the renamed file no more, and a new one at its place. */
async function untilReopened(log: string, pids: readonly number[]): Promise<void> {
  await until("the old file is closed and a new one open", STEP_MS, () =>
    when(
      pids.every((pid) => {
        const open = openFiles(pid);
        return open.includes(log) && !open.includes(`${log}.1`);
      }),
    ),
  );
}

test(
  "SIGHUP has ctdbd and its children write to the new log file, and nobody to the old one",
  () =>
    withRealNode({ runsEvents: true }, async (node) => {
      const log = join(node.base, "log.ctdb");
      const pids = await until("recovery and event daemon log", STEP_MS, () => {
        const family = [node.pid, ...node.children()];
        const all = family.length > 2 && family.every((pid) => openFiles(pid).includes(log));
        return all ? family : undefined;
      });
      renameSync(log, `${log}.1`);
      process.kill(node.pid, "SIGHUP");
      await untilReopened(log, pids);
      const before = readFileSync(`${log}.1`, "utf8");
      await node.end();
      await until("its last lines are in the new file", STEP_MS, () =>
        when(readFileSync(log, "utf8").includes(`ctdbd[${node.pid}]`)),
      );
      expect(readFileSync(`${log}.1`, "utf8")).toBe(before);
    }),
  REAL_TEST_MS,
);

test(
  "ctdbd in the background logs to standard error when that is its log",
  () =>
    withTemporaryDirectory(async (output) => {
      const path = join(output, "stderr");
      const options = { location: "file:", limits: `exec 2>"${path}"` };
      let before = "";
      await withRealNode(options, async () => {
        before = readFileSync(path, "utf8");
      });
      await until("it has said that it ends", STEP_MS, () =>
        when(readFileSync(path, "utf8").length > before.length),
      );
      expect(readFileSync(path, "utf8").startsWith(before)).toBe(true);
    }),
  REAL_TEST_MS,
);

test(
  "a start that fails is said once, wherever the log is",
  () =>
    withNodeDirectory(async (base) => {
      await nodeDirectory(base);
      for (const location of ["file:", `file:${base}/log.ctdb`, "syslog"]) {
        writeConfiguration(base, STRANGER, { location });
        const { code, stderr } = await startDaemon(base);
        const times = stderr.split(STRANGER).length - 1;
        expect({ location, code, times }).toEqual({ location, code: 1, times: 1 });
      }
      expect(readFileSync(join(base, "log.ctdb"), "utf8")).toContain(STRANGER);
    }),
  REAL_TEST_MS,
);

test(
  "the recovery helper reopens its log in the middle of its work",
  () =>
    withTemporaryDirectory(async (base) => {
      const log = join(base, "log.ctdb");
      const socket = join(base, "socket");
      // A daemon that never answers keeps the helper waiting.
      using _silent = Bun.listen({ unix: socket, socket: { data() {} } });
      const processes = new SystemProcesses(new EventLoop());
      const helper = must(
        processes.spawn({
          argv: [join(await compiledExecutables(), "ctdb_recovery_helper"), "3", socket, "7"],
          env: { CTDB_LOGGING: `file:${log}` },
          reopensLog: true,
          onStatusPipe() {},
          onExit() {},
        }),
      );
      try {
        await until("it logs", STEP_MS, () => when(openFiles(helper.pid).includes(log)));
        renameSync(log, `${log}.1`);
        processes.reopenLogs();
        await untilReopened(log, [helper.pid]);
      } finally {
        helper.kill("SIGKILL");
      }
    }),
  REAL_TEST_MS,
);
