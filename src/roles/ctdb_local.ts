/**
 * `ctdb-local DIR COMMAND …`: makes and runs a cluster on loopback, for trying the product, for tests and
 * benchmarks. The cluster lives in DIR and goes on running when the command ends.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { isUtf8 } from "../base/byte_text.ts";
import { parseWhole } from "../base/c_number.ts";
import { connectClient } from "../client/ctdb_client.ts";
import { TUNABLE_VALUE_MAX } from "../config/tunables.ts";
import { type LockKind, NODES_MAX } from "../local/cluster_description.ts";
import { LocalCluster, type SetupOptions, statusLine } from "../local/local_cluster.ts";
import type { Connect } from "../local/node_health.ts";
import { runOnNodes } from "../local/on_nodes.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { realPath } from "../platform/node/path.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { type Role, VERSION } from "./role.ts";

const HELP = `Usage: ctdb-local DIR COMMAND [ARGUMENTS]

Makes and runs a CTDB cluster on loopback addresses; everything of it is in DIR.

  setup [-n NODES] [--lock none|file|command] [--stock PNN[,PNN]]
        [--log-level LEVEL] [--tunable NAME=VALUE] [--stock-ctdbd PATH]
                        makes the directory (3 nodes, no cluster lock); an earlier
                        cluster in it is replaced when none of its nodes runs
  start [PNN]           starts all nodes, or one; returns when they run
  stop [PNN]            shuts down all nodes, or one
  kill PNN              kills the ctdbd of a node (SIGKILL)
  onnode PNN|all CMD…   runs a command with the environment of a node
  print-socket PNN      path of a node's socket
  print-log PNN         what a node has logged
  status                what runs, without waiting for anything

--stock nodes run Debian's ctdbd (/usr/sbin/ctdbd) or that of --stock-ctdbd, the others
ours, which then announce its Samba version: nodes of different ones do not stay together.
`;

const USAGE_STATUS = 2;

class UsageError extends Error {}

export const role: Role = {
  async run(args) {
    const loop = new EventLoop();
    const network = new LoopNetwork(loop);
    const connect: Connect = (socketPath, timeoutMs) =>
      connectClient(network, loop, socketPath, { timeoutMs });
    return await run(args, connect);
  },
};

async function run(args: readonly string[], connect: Connect): Promise<number> {
  const [directory, command, ...rest] = args;
  if (directory === "--help" || directory === "-h") return print(HELP);
  if (directory === "--version") return print(`ctdb-local ${VERSION}\n`);
  if (directory === undefined || command === undefined) {
    printErr(HELP);
    return USAGE_STATUS;
  }
  try {
    const from = directory.startsWith("/") ? [] : [realPath("/proc/self/cwd")];
    expectText([...from, directory, ...(command === "onnode" ? [] : rest)]);
    return await runCommand(directory, command, rest, connect);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    printErr(`ctdb-local ${command}: ${error.message}\n`);
    return USAGE_STATUS;
  }
}

async function runCommand(
  directory: string,
  command: string,
  args: readonly string[],
  connect: Connect,
): Promise<number> {
  if (command === "setup") return await setup(directory, args, connect);
  const opened = LocalCluster.open(directory, connect);
  if (!opened.ok) return complain(opened.error);
  const cluster = opened.value;
  switch (command) {
    case "start":
      return verdict(await cluster.start(oneOrAll(cluster, args)));
    case "stop":
      return verdict(await cluster.stop(oneOrAll(cluster, args)));
    case "kill":
      return verdict(await cluster.kill(one(cluster, args)));
    case "onnode":
      return await onNode(cluster, args);
    case "print-socket":
      return print(`${cluster.directory.socket(one(cluster, args))}\n`);
    case "print-log":
      return await printLog(cluster.directory.log(one(cluster, args)));
    case "status": {
      const lines = (await cluster.status()).map((status) => `${statusLine(status)}\n`);
      return print(lines.join(""));
    }
    default:
      printErr(`Unknown command "${command}"\n\n${HELP}`);
      return USAGE_STATUS;
  }
}

// --- commands ----------------------------------------------------------------------------------

async function setup(
  directory: string,
  args: readonly string[],
  connect: Connect,
): Promise<number> {
  const cluster = await LocalCluster.setup(directory, setupOptions(args), connect);
  if (!cluster.ok) return complain(cluster.error);
  const { nodes } = cluster.value.description;
  return print(nodes.map(({ pnn, address }) => `node ${pnn} ${address}\n`).join(""));
}

function setupOptions(args: readonly string[]): SetupOptions {
  const { values, positionals } = parseSetup(args);
  if (positionals.length > 0) throw new UsageError(`unexpected argument "${positionals[0]}"`);
  const stock =
    values.stock === undefined
      ? []
      : values.stock.split(",").map((text) => number(text, NODES_MAX));
  return {
    nodes: number(values.nodes ?? "3", NODES_MAX),
    lock: lockKind(values.lock ?? "none"),
    stock,
    executableDirectory: ownExecutable().directory,
    tunables: Object.fromEntries((values.tunable ?? []).map(tunable)),
    ...(values["log-level"] === undefined ? {} : { logLevel: values["log-level"] }),
    ...(values["stock-ctdbd"] === undefined ? {} : { stockCtdbd: values["stock-ctdbd"] }),
  };
}

function parseSetup(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        nodes: { type: "string", short: "n" },
        lock: { type: "string" },
        stock: { type: "string" },
        "log-level": { type: "string" },
        "stock-ctdbd": { type: "string" },
        tunable: { type: "string", multiple: true },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function tunable(text: string): [string, number] {
  const [name = "", value = "", more] = text.split("=");
  if (name === "" || more !== undefined) {
    throw new UsageError(`--tunable: expected NAME=VALUE, got "${text}"`);
  }
  return [name, number(value, TUNABLE_VALUE_MAX)];
}

function lockKind(text: string): LockKind {
  if (text === "none" || text === "file" || text === "command") return text;
  throw new UsageError(`--lock: expected none, file or command, got "${text}"`);
}

async function onNode(cluster: LocalCluster, args: readonly string[]): Promise<number> {
  const [which, program, ...rest] = args;
  if (which === undefined || program === undefined) {
    throw new UsageError("expected PNN or all, and a command");
  }
  const pnns = which === "all" ? cluster.pnns : [known(cluster, which)];
  const inherited = ownEnvironment();
  const says = { out: print, err: complain };
  return await runOnNodes(cluster, pnns, { argv: [program, ...rest], inherited, says });
}

async function printLog(path: string): Promise<number> {
  if (!existsSync(path)) return complain(`Cannot print the log "${path}": it does not exist yet`);
  // As it is: names in a log may be any bytes.
  printOut(await readFile(path));
  return 0;
}

// --- arguments and output ----------------------------------------------------------------------

/** Sockets below DIR and the description of the cluster are text; the command of onnode may be anything. */
function expectText(args: readonly string[]): void {
  const odd = args.find((text) => !isUtf8(text));
  if (odd !== undefined) throw new UsageError(`expected text in UTF-8, got "${odd}"`);
}

function number(text: string, max: number): number {
  const value = parseWhole(text, max);
  if (value === undefined) {
    throw new UsageError(`expected a number from 0 to ${max}, got "${text}"`);
  }
  return value;
}

function known(cluster: LocalCluster, text: string): number {
  return number(text, cluster.pnns.length - 1);
}

function one(cluster: LocalCluster, args: readonly string[]): number {
  const [pnn, more] = args;
  if (pnn === undefined || more !== undefined) throw new UsageError("expected one PNN");
  return known(cluster, pnn);
}

function oneOrAll(cluster: LocalCluster, args: readonly string[]): readonly number[] {
  return args.length === 0 || args[0] === "all" ? cluster.pnns : [one(cluster, args)];
}

function verdict(
  outcome: { readonly ok: true } | { readonly ok: false; readonly error: string },
): number {
  return outcome.ok ? 0 : complain(outcome.error);
}

function complain(reason: string): number {
  printErr(`${reason}\n`);
  return 1;
}

function print(text: string): number {
  printOut(text.endsWith("\n") ? text : `${text}\n`);
  return 0;
}
