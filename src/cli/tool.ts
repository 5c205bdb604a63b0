/**
 * The `ctdb` tool: from a command line to an exit status.
 *
 * Texts and statuses are those of the original tool, which scripts depend on. It must not know what any
 * command does.
 */
import { errnoOf } from "../base/errno.ts";
import { connectClient } from "../client/ctdb_client.ts";
import { type CommandRow, loadCommand, type OfflineContext } from "./command.ts";
import { commandRow } from "./commands.ts";
import { CommandFailure, WrongArguments } from "./failure.ts";
import type { ToolHost } from "./host.ts";
import { parseUnsigned32 } from "./numbers.ts";
import { parseCommandLine, type ToolOptions } from "./options.ts";
import { Session } from "./session.ts";
import { toolPaths } from "./tool_paths.ts";

const DEFAULT_RUNTIME_SEC = 120;

/** Runs the command line and returns the exit status; all output went to the host. */
export async function runTool(host: ToolHost, args: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(args);
  if (!parsed.ok) return complain(host, parsed.error);
  const line = parsed.value;
  if (line.kind !== "run") {
    const usage = await import("./usage.ts");
    host.out(line.kind === "help" ? usage.helpText() : usage.shortUsage());
    return 0;
  }
  const { options } = line;
  const runtimeSec = maxRuntime(host, options);
  if (runtimeSec === undefined) return complain(host, "Invalid value CTDB_TIMEOUT");
  if (options.json && options.machine) {
    return complain(host, "--json and -Y options are mutually exclusive");
  }
  const [name, ...rest] = line.words;
  if (name === undefined) {
    host.out((await import("./usage.ts")).fullUsage());
    return 1;
  }
  const row = commandRow(name);
  if (row === undefined) return complain(host, `Unknown command '${name}'`);
  if (options.json && row.json !== true) {
    return complain(host, `--json not supported by the ${name} subcommand`);
  }
  if (options.simulate !== undefined && row.simulate !== true) {
    return complain(host, `--simulate not supported by the ${name} subcommand`);
  }
  if (options.write && row.write !== true) {
    return complain(host, `--write not supported by the ${name} subcommand`);
  }
  return withinRuntime(host, runtimeSec, () => guarded({ row, host, options }, rest));
}

function complain(host: ToolHost, message: string): number {
  host.err(`${message}\n`);
  return 1;
}

/** Seconds from -T, else from CTDB_TIMEOUT, else the default; 0 means no limit. */
function maxRuntime(host: ToolHost, options: ToolOptions): number | undefined {
  if (options.maxruntime !== 0) return options.maxruntime;
  const text = host.environment["CTDB_TIMEOUT"];
  if (text === undefined) return DEFAULT_RUNTIME_SEC;
  const seconds = parseUnsigned32(text);
  return seconds.ok ? seconds.value : undefined;
}

async function withinRuntime(
  host: ToolHost,
  seconds: number,
  action: () => Promise<number>,
): Promise<number> {
  if (seconds === 0) return action();
  let expired: (status: number) => void = () => {};
  const limit = new Promise<number>((resolve) => {
    expired = resolve;
  });
  const timer = host.timers.after(seconds * 1000, () => {
    host.err("Maximum runtime exceeded - exiting\n");
    expired(1);
  });
  const status = await Promise.race([action(), limit]);
  timer.cancel();
  return status;
}

/** Runs the command and turns what it throws into messages and the exit status. */
async function guarded(context: OfflineContext, args: readonly string[]): Promise<number> {
  try {
    return exitCode(await runCommand(context, args));
  } catch (error) {
    if (error instanceof WrongArguments) {
      context.host.out((await import("./usage.ts")).commandUsage(context.row));
      return 1;
    }
    if (!(error instanceof CommandFailure)) throw error;
    if (error.message !== "") context.host.err(`${error.message}\n`);
    return exitCode(error.status);
  }
}

/** As the shell sees it; −1 is shown as 1. */
function exitCode(status: number): number {
  return status === -1 ? 1 : status & 0xff;
}

async function runCommand(context: OfflineContext, args: readonly string[]): Promise<number> {
  const { row, host, options } = context;
  if (!row.daemon) {
    if (options.node !== -1) {
      throw new CommandFailure(1, `Cannot specify node for command ${row.name}`);
    }
    const command = await loadCommand(row);
    return command(context, args);
  }
  // The command's code is loaded while the connection is made.
  const loading = loadCommand(row);
  const session = await openSession(host, options);
  try {
    await selectNode(session, row, options.node);
    const command = await loading;
    return await command({ ...context, session }, args);
  } finally {
    await session.client.settled();
    session.client.close();
  }
}

async function selectNode(
  session: Session,
  row: CommandRow & { readonly daemon: true },
  node: number,
): Promise<void> {
  if (node !== -1) await session.selectTarget(node);
  if (!row.remote && session.target !== session.pnn) {
    throw new CommandFailure(1, `Node cannot be specified for command ${row.name}`);
  }
}

async function openSession(host: ToolHost, options: ToolOptions): Promise<Session> {
  const { socket } = toolPaths(host);
  const connected = await connectClient(host.network, host.timers, socket);
  if (connected.ok) {
    return new Session(connected.value, host, { timelimit: options.timelimit, pid: host.pid });
  }
  const { cause } = connected.error;
  if (cause !== undefined) host.err(`connect() failed, errno=${errnoOf(cause)}\n`);
  host.err(`Failed to connect to CTDB daemon (${socket})\n`);
  const { readNodes } = await import("./nodes_file.ts");
  const nodes = await readNodes(host);
  if (nodes !== undefined) {
    for (const node of nodes) {
      if (!node.deleted && (await host.hasAddress(node.address))) throw new CommandFailure(1);
    }
    host.err("Failed to detect PNN of the current node.\n");
  }
  throw new CommandFailure(1, "Is this node part of CTDB cluster?");
}
