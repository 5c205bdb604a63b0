/**
 * ctdb: the management tool. Gives the tool of cli/ this process: its arguments, output and platform.
 *
 * Most commands ask one question over one socket: only what that takes is loaded with this file. Everything
 * else comes on demand (docs/platform.md, "The executable", has what loading costs).
 */
import { compileAsUsual, connectQuickly } from "#program";
import { err, ok, type Result } from "../base/result.ts";
import type { ToolHost } from "../cli/host.ts";
import { runTool } from "../cli/tool.ts";
import { RuntimeTimers } from "../platform/node/runtime_timers.ts";
import type { ConnectCallback } from "../platform/types/network.ts";
import type { Timer } from "../platform/types/time.ts";
import type { TdbOpener } from "../tdb/types.ts";
import { BufferedOutput, printErr } from "./buffered_output.ts";
import { ownEnvironment } from "./own_process.ts";
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

const files = () => import("./ctdb_files.ts");

/** For whoever runs commands: `output` gets what they print. */
export function toolHost(output: Pick<BufferedOutput, "out" | "err">): ToolHost {
  const timers = new RuntimeTimers();
  return {
    version: TOOL_VERSION,
    environment: ownEnvironment(),
    pid: process.pid,
    clock,
    timers,
    network: {
      connectUnix: (path, connected) => connectQuickly(path, connected, connectInOwnLoop),
    },
    tdbs: () => openTdbs(timers),
    run: runToEnd,
    runHelper: async (name, args, output) =>
      (await import("./ctdb_helpers.ts")).runHelper(name, args, output),
    rawNetwork: openRawNetwork,
    tryTcpPort: async (port) => (await import("./ctdb_ports.ts")).tryTcpPort(port),
    random: { u32: () => crypto.getRandomValues(new Uint32Array(1))[0] as number },
    machine: openMachine,
    readText: async (path) => (await files()).readText(path),
    readInput: async () => (await files()).readInput(),
    writeFile: async (path, bytes) => (await files()).writeFile(path, bytes),
    changeFile: async (path, change) =>
      (await import("../platform/node/change_file.ts")).changeTextFile(path, change),
    openFile: async (path, use) => {
      compileAsUsual();
      return (await files()).openFile(path, use);
    },
    folders: async () => (await import("./ctdb_folders.ts")).folders,
    terminal: async () => (await import("./ctdb_terminal.ts")).terminal,
    hasAddress: canBind,
    out: (text) => output.out(text),
    err: (text) => output.err(text),
  };
}

/** SystemClock would load the C library, for microseconds that no command shows. */
const clock: ToolHost["clock"] = {
  monotonicMs: () => performance.now(),
  wallTime() {
    const ms = Date.now();
    return { sec: Math.floor(ms / 1000), usec: (ms % 1000) * 1000 };
  },
};

async function openTdbs(timers: RuntimeTimers): Promise<TdbOpener> {
  compileAsUsual();
  const [{ FileTdbOpener }, { SystemSharedFiles }] = await Promise.all([
    import("../tdb/opener.ts"),
    import("../platform/libc/shared_file.ts"),
  ]);
  const files = new SystemSharedFiles();
  return new FileTdbOpener({ files, internalFiles: files, timers, clock, mutexesWork: true });
}

async function runToEnd(
  argv: readonly string[],
  errors: "shown" | "dropped" = "shown",
): Promise<Result<string, string>> {
  const [program, ...args] = argv;
  if (program === undefined) return err("ENOENT");
  const [{ EventLoop }, { SystemProcesses }, { inheritedEnvironment }] = await Promise.all([
    import("../platform/loop/event_loop.ts"),
    import("../platform/node/processes.ts"),
    import("./environment.ts"),
  ]);
  return await new Promise((resolve) => {
    const lines: string[] = [];
    const child = new SystemProcesses(new EventLoop()).spawn({
      argv: [program, ...args],
      env: inheritedEnvironment(),
      onOutputLine: (line, from) => {
        if (from === "stdout") lines.push(`${line}\n`);
        else if (errors === "shown") printErr(`${line}\n`);
      },
      onExit: () => resolve(ok(lines.join(""))),
    });
    if (!child.ok) resolve(err(child.error.code));
  });
}

async function openMachine(): ReturnType<ToolHost["machine"]> {
  compileAsUsual();
  return (await import("./ctdb_machine.ts")).systemMachine();
}

/** For `ctdb tickle`: what sends segments of other people's connections. */
async function openRawNetwork(): ReturnType<ToolHost["rawNetwork"]> {
  const [{ EventLoop }, { LoopRawNetwork }] = await Promise.all([
    import("../platform/loop/event_loop.ts"),
    import("../platform/loop/raw_network.ts"),
  ]);
  return ok(new LoopRawNetwork(new EventLoop()));
}

async function ownLoop() {
  const [{ EventLoop }, { LoopNetwork }] = await Promise.all([
    import("../platform/loop/event_loop.ts"),
    import("../platform/loop/network.ts"),
  ]);
  return new LoopNetwork(new EventLoop());
}

/** What the runtime cannot connect to, or only says that it could not. */
function connectInOwnLoop(path: string, connected: ConnectCallback): Timer {
  let cancelled = false;
  let connecting: Timer | undefined;
  void ownLoop().then((network) => {
    if (!cancelled) connecting = network.connectUnix(path, connected);
  });
  return {
    cancel() {
      cancelled = true;
      connecting?.cancel();
    },
  };
}

async function canBind(address: string): Promise<boolean> {
  const network = await ownLoop();
  const nothing = { onData() {}, onDrain() {}, onClose() {} };
  const server = network.listenTcp(address, 0, () => nothing);
  if (server.ok) server.value.close();
  return server.ok;
}
