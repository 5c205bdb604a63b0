/** The tool and the programs that it runs in its place, as processes. */
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { type CommandOptions, type CommandResult, runCommand } from "../support/command.ts";
import { compiledExecutables } from "../support/executables.ts";
import { TemporaryDirectory } from "../support/temp_dir.ts";
import { until, when } from "../support/until.ts";

const LIMIT_MS = 20_000;
const [EACCES, EADDRINUSE] = [13, 98];

/** `ctdb event ARGS` with this script as ctdb-event. */
async function event(
  directory: TemporaryDirectory,
  script: string,
  args: readonly string[] = [],
  options: CommandOptions = {},
  mode = 0o755,
): Promise<CommandResult> {
  const path = directory.file("ctdb-event");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, mode);
  const tool = join(await compiledExecutables(), "ctdb");
  const env = {
    PATH: process.env["PATH"] ?? "/bin",
    CTDB_TEST_MODE: "yes",
    CTDB_BASE: directory.path,
    CTDB_TEST_HELPER_BINDIR: directory.path,
    ...options.env,
  };
  return await runCommand([tool, "event", ...args], { ...options, env });
}

test("a helper has the tool's input, output, arguments and environment", async () => {
  using directory = new TemporaryDirectory("helper");
  const script = 'read line; echo "$line $OWN" "$@"; echo error >&2; exit 7';
  const args = ["run", "two words", "\udcff"];
  const options = { input: "input\n", env: { OWN: "own" } };
  expect(await event(directory, script, args, options)).toEqual({
    code: 7,
    stdout: "input own run two words \udcff\n",
    stderr: "error\n",
  });
});

test("how a helper ended is told", async () => {
  using directory = new TemporaryDirectory("helper");
  expect(await event(directory, "kill -9 $$")).toEqual({
    code: 4,
    stdout: "",
    stderr: "event daemon helper terminated with signal 9\n",
  });
  expect(await event(directory, "exit 70")).toEqual({
    code: 6,
    stdout: "",
    stderr: "event daemon helper failed with error 6\n",
  });
  expect(await event(directory, "exit 0", [], {}, 0o644)).toEqual({
    code: EACCES,
    stdout: "",
    stderr: `event daemon helper failed with error ${EACCES}\n`,
  });
});

test("a helper and what it started end with the tool that gave up", async () => {
  using directory = new TemporaryDirectory("helper");
  const script = `sleep 1000 & echo $! >${directory.file("child")}; echo $$ >${directory.file("self")}; wait`;
  const tool = await event(directory, script, ["-T", "1"]);
  expect(tool).toMatchObject({ code: 1, stderr: "Maximum runtime exceeded - exiting\n" });
  const pids = ["child", "self"].map((name) => readFileSync(directory.file(name), "latin1").trim());
  expect(pids.every((pid) => /^[0-9]+$/.test(pid))).toBe(true);
  await until("both have ended", LIMIT_MS, () =>
    when(pids.every((pid) => !existsSync(`/proc/${pid}/exe`) || isZombie(pid))),
  );
});

/** Ended, and not yet waited for by whoever has inherited it. */
function isZombie(pid: string): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}

const QUIET_PORTS = { first: 20_000, count: 10_000 } as const;

/** Below the ports that connections of others get: nobody takes it in the moment in which it is free. */
async function listenOnQuietPort(server: Server): Promise<number> {
  for (;;) {
    const port = QUIET_PORTS.first + Math.floor(Math.random() * QUIET_PORTS.count);
    const listening = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (listening) return port;
  }
}

test("checktcpport sees a service that listens on one address", async () => {
  const server = createServer();
  const port = String(await listenOnQuietPort(server));
  const tool = join(await compiledExecutables(), "ctdb");
  expect(await runCommand([tool, "checktcpport", port])).toEqual({
    code: EADDRINUSE,
    stdout: "",
    stderr: `Failed to bind to TCP port ${port}\n`,
  });
  await new Promise((resolve) => server.close(resolve));
  expect(await runCommand([tool, "checktcpport", port])).toEqual({
    code: 0,
    stdout: "",
    stderr: "",
  });
});
