/** The real ctdbd at its start: what it refuses, in one line and with an exit status. */
import { expect, test } from "bun:test";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { until, when } from "../support/until.ts";
import {
  nodeDirectory,
  REAL_TEST_MS,
  STEP_MS,
  startDaemon,
  withNodeDirectory,
  writeConfiguration,
} from "./real_node.ts";

const lines = (text: string) => text.trimEnd().split("\n");

test(
  "ctdbd --check-config tells all that is wrong, and makes nothing",
  () =>
    withNodeDirectory(async (base) => {
      await nodeDirectory(base);
      const files = readdirSync(base, { recursive: true });
      const good = await startDaemon(base, "--check-config");
      expect(good).toEqual({
        code: 0,
        stdout: `The configuration in "${base}" is valid\n`,
        stderr: "",
      });
      writeFileSync(join(base, "nodes"), "10.0.0.300\n");
      writeFileSync(join(base, "ctdb.tunables"), "MonitorIntervl=1\n");
      const wrong = await startDaemon(base, "--check-config");
      expect(lines(wrong.stderr)).toHaveLength(2);
      expect(wrong).toMatchObject({ code: 22, stdout: "" });
      rmSync(join(base, "ctdb.tunables"));
      expect(readdirSync(base, { recursive: true }).sort()).toEqual(files.sort());
    }),
  REAL_TEST_MS,
);

test(
  "ctdbd says in one line what it cannot start with",
  () =>
    withNodeDirectory(async (base) => {
      await nodeDirectory(base);
      writeConfiguration(base, "127.0.0.99");
      const stranger = await startDaemon(base);
      expect(lines(stranger.stderr)).toHaveLength(1);
      expect(stranger.stderr).toContain('"127.0.0.99"');
      expect(stranger.code).toBe(1);

      // In the foreground the log goes there, too.
      const foreground = await startDaemon(base, "-i");
      expect(foreground.stderr.split('"127.0.0.99"')).toHaveLength(2);
      expect(foreground.code).toBe(1);

      await nodeDirectory(base);
      writeFileSync(join(base, "nodes"), "127.0.0.1\n10.0.0.300\nnonsense\n");
      const wrongNodes = await startDaemon(base);
      expect(wrongNodes.stderr).toContain("line 2");
      expect(wrongNodes.stderr).toContain("line 3");
      expect(wrongNodes.code).toBe(1);

      writeConfiguration(base, await nodeDirectory(base), { volatileDirectory: "missing" });
      const missing = await startDaemon(base);
      expect(lines(missing.stderr)).toHaveLength(1);
      expect(missing.stderr).toContain(`${base}/missing`);
      expect(missing.code).toBe(1);
      expect(existsSync(join(base, "run/ctdbd.pid"))).toBe(false);
    }),
  REAL_TEST_MS,
);

test(
  "ctdbd goes into the background when it serves, and a second one refuses",
  () =>
    withNodeDirectory(async (base) => {
      await nodeDirectory(base);
      const started = await startDaemon(base);
      const pid = Number(readFileSync(join(base, "run/ctdbd.pid"), "utf8"));
      try {
        expect([started.code, started.stderr]).toEqual([0, ""]);
        expect(basename(readlinkSync(`/proc/${pid}/exe`))).toBe("ctdbd");
        const second = await startDaemon(base);
        expect(second.stderr).toContain(`pid ${pid}`);
        expect(lines(second.stderr)).toHaveLength(1);
        expect(second.code).toBe(1);
        expect(Number(readFileSync(join(base, "run/ctdbd.pid"), "utf8"))).toBe(pid);
      } finally {
        process.kill(pid, "SIGTERM");
      }
      // Its files are the last that go.
      await until("the pid file is gone", STEP_MS, () =>
        when(!existsSync(join(base, "run/ctdbd.pid"))),
      );
      expect(existsSync(join(base, "run/ctdbd.socket"))).toBe(false);
    }),
  REAL_TEST_MS,
);
