/** ctdb: the management tool. Gives the tool of cli/ this process: its arguments, output and platform. */
import { writeFileSync } from "node:fs";
import { err, ok, type Result } from "../base/result.ts";
import type { ToolHost } from "../cli/host.ts";
import { runTool } from "../cli/tool.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemClock, SystemRandom } from "../platform/node/clock.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { pathForCall } from "../platform/node/path.ts";
import type { Timers } from "../platform/types/time.ts";
import type { TdbOpener } from "../tdb/types.ts";
import { BufferedOutput, printErr } from "./buffered_output.ts";
import { openFile } from "./ctdb_files.ts";
import { inheritedEnvironment } from "./environment.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { type Role, TOOL_VERSION } from "./role.ts";

export const role: Role = {
  async run(args) {
    const output = new BufferedOutput();
    const status = await runTool(toolHost(output), args);
    output.flush();
    // At once: a command that was given up may still have sockets and timers.
    process.exit(status);
  },
};

function toolHost(output: BufferedOutput): ToolHost {
  const loop = new EventLoop();
  const network = new LoopNetwork(loop);
  const clock = new SystemClock();
  return {
    version: TOOL_VERSION,
    environment: ownEnvironment(),
    executableDirectory: ownExecutable().directory,
    pid: process.pid,
    clock,
    timers: loop,
    network,
    files: new SystemFiles(),
    tdbs: () => openTdbs(loop, clock),
    run: (argv) => runToEnd(loop, argv),
    random: new SystemRandom(),
    readInput,
    writeFile: async (path, bytes) => writeFile(path, bytes),
    openFile,
    hasAddress: (address) => canBind(network, address),
    out: (text) => output.out(text),
    err: (text) => output.err(text),
  };
}

/** Loaded on demand: few commands open databases. */
async function openTdbs(timers: Timers, clock: SystemClock): Promise<TdbOpener> {
  const [{ FileTdbOpener }, { SystemSharedFiles }] = await Promise.all([
    import("../tdb/opener.ts"),
    import("../platform/libc/shared_file.ts"),
  ]);
  const files = new SystemSharedFiles();
  return new FileTdbOpener({ files, internalFiles: files, timers, clock, mutexesWork: true });
}

async function runToEnd(loop: EventLoop, argv: readonly string[]): Promise<Result<string, string>> {
  const [program, ...args] = argv;
  if (program === undefined) return err("ENOENT");
  const { SystemProcesses } = await import("../platform/node/processes.ts");
  return await new Promise((resolve) => {
    const lines: string[] = [];
    const child = new SystemProcesses(loop).spawn({
      argv: [program, ...args],
      env: inheritedEnvironment(),
      onOutputLine: (line, from) => {
        if (from === "stdout") lines.push(`${line}\n`);
        else printErr(`${line}\n`);
      },
      onExit: () => resolve(ok(lines.join(""))),
    });
    if (!child.ok) resolve(err(child.error.code));
  });
}

async function readInput(): Promise<Result<Uint8Array>> {
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of process.stdin) chunks.push(chunk);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  return ok(Buffer.concat(chunks));
}

function writeFile(path: string, bytes: Uint8Array): Result<void> {
  try {
    writeFileSync(pathForCall(path), bytes, { mode: 0o600 });
    return ok(undefined);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function canBind(network: LoopNetwork, address: string): boolean {
  const nothing = { onData() {}, onDrain() {}, onClose() {} };
  const server = network.listenTcp(address, 0, () => nothing);
  if (server.ok) server.value.close();
  return server.ok;
}
