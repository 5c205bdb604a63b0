/**
 * `ctdb_local_daemons DIR COMMAND …`: clusters on loopback (local/local_cluster.ts) with the command line of the script
 * that the original's tests have for them. `start` returns when the nodes are up together; addresses are free ones.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { bytesText } from "../base/byte_text.ts";
import { parseWhole } from "../base/c_number.ts";
import { err, ok, type Result } from "../base/result.ts";
import { connectClient } from "../client/ctdb_client.ts";
import { parseNodes } from "../config/nodes.ts";
import { problemText } from "../config/problems.ts";
import { NODES_MAX } from "../local/cluster_description.ts";
import { LocalCluster, type SetupOptions } from "../local/local_cluster.ts";
import type { Connect } from "../local/node_health.ts";
import { nodesOfSpecification } from "../local/node_specification.ts";
import { runOnNodes } from "../local/on_nodes.ts";
import { originalPublicAddresses, v6NodeAddresses } from "../local/original_setup.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { parseShortOptions, type ShortOption } from "./getopt.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import type { Role } from "./role.ts";

const HELP = `usage: ctdb_local_daemons <directory> <command> [ <options>... ]

Commands:
  setup                 make a cluster's directory; see setup -h
  start <nodes>         start daemons, return when they are up
  stop <nodes>          shut daemons down
  onnode <nodes> <command>...
                        run a shell command in the environment of nodes
  print-socket <nodes>  print the paths of unix sockets
  print-log <nodes>     print logs, their lines sorted
  tail-log <nodes>      follow logs

<nodes> is "all", a node number, a range or a list of these.
`;

const SETUP_HELP = `usage: ctdb_local_daemons <directory> setup [ <options>... ]

  -C <item>     comment out this item of ctdb.conf; may be repeated
  -F            disable failover
  -N <file>     nodes file (default: free addresses of the loopback interface)
  -n <num>      number of nodes (default: 3)
  -P <file>     public addresses file (default: two for each node)
  -R            a command for the cluster lock (default: a file)
  -r <time>     as -R, with a recheck interval of <time> seconds
  -S <library>  refused: our daemons call the C library where a preloaded one is not seen
  -6            IPv6 addresses
`;

const RECHECK_SEC_MAX = 86_400;
const WRONG_USE = 1;

export const role: Role = {
  async run(args) {
    const [directory, command, ...rest] = args;
    if (directory === "--help" || directory === "-h") return print(HELP);
    if (directory === undefined || command === undefined) return complain(HELP.trimEnd());
    const loop = new EventLoop();
    const network = new LoopNetwork(loop);
    const connect: Connect = (socketPath, timeoutMs) =>
      connectClient(network, loop, socketPath, { timeoutMs });
    return command === "setup"
      ? await setup(directory, rest, connect)
      : await runCommand(directory, command, rest, connect);
  },
};

// --- setup ----------------------------------------------------------------------------------------

async function setup(
  directory: string,
  args: readonly string[],
  connect: Connect,
): Promise<number> {
  const parsed = parseShortOptions(args, "C:FN:n:P:Rr:S:6h");
  const help = parsed.ok && parsed.value.options.some(({ letter }) => letter === "h");
  if (help) return print(SETUP_HELP);
  if (!parsed.ok || parsed.value.operands.length > 0) {
    const what = parsed.ok ? `unexpected argument "${parsed.value.operands[0]}"` : parsed.error;
    return complain(`${what}\n${SETUP_HELP.trimEnd()}`);
  }
  const options = setupOptions(parsed.value.options);
  if (!options.ok) return complain(`Cannot set up "${directory}": ${options.error}`);
  const cluster = await LocalCluster.setup(directory, options.value, connect);
  if (!cluster.ok) return complain(cluster.error);
  const without = cluster.value.description.publicAddresses?.findIndex((own) => own.length === 0);
  if (without !== undefined && without >= 0) print(`Node ${without} will have no public IPs.`);
  return 0;
}

function setupOptions(options: readonly ShortOption[]): Result<SetupOptions> {
  const given = new Map(options.map(({ letter, value }) => [letter, value]));
  const has = (letter: string) => given.has(letter);
  if (has("S")) return err("-S: our daemons do not see a preloaded library");
  const recheck = has("r") ? parseWhole(given.get("r") ?? "", RECHECK_SEC_MAX) : undefined;
  if (has("r") && recheck === undefined) {
    return err(`-r: expected seconds up to ${RECHECK_SEC_MAX}, got "${given.get("r")}"`);
  }
  const addresses = nodeAddresses(given.get("N"), given.get("n"), has("6"));
  if (!addresses.ok) return addresses;
  const { count, chosen } = addresses.value;
  const publicAddresses = publicLines(given.get("P"), count, has("6"));
  if (!publicAddresses.ok) return publicAddresses;
  const commentedOut = options.filter(({ letter }) => letter === "C").map(({ value }) => value);
  return ok({
    nodes: count,
    lock: has("R") || has("r") ? "command" : "file",
    executableDirectory: ownExecutable().directory,
    ...(chosen === undefined ? {} : { addresses: chosen }),
    extras: {
      failoverDisabled: has("F"),
      commentedOut,
      publicAddresses: publicAddresses.value,
      ...(recheck === undefined ? {} : { lockRecheckSec: recheck }),
    },
  });
}

interface NodeAddresses {
  readonly count: number;
  /** undefined: any that are free. */
  readonly chosen: readonly string[] | undefined;
}

function nodeAddresses(
  file: string | undefined,
  number: string | undefined,
  isV6: boolean,
): Result<NodeAddresses> {
  const count = number === undefined ? undefined : parseWhole(number, NODES_MAX);
  if (number !== undefined && (count === undefined || count === 0)) {
    return err(`-n: expected a number from 1 to ${NODES_MAX}, got "${number}"`);
  }
  if (file !== undefined) {
    const lines = readLines(file);
    if (!lines.ok) return lines;
    const nodes = parseNodes(lines.value.join("\n"), file);
    if (!nodes.ok) return err(nodes.error.map(problemText).join("\n"));
    if (nodes.value.some(({ deleted }) => deleted)) {
      return err(`-N: expected no deleted nodes in "${file}"`);
    }
    const chosen = nodes.value.slice(0, count).map(({ address }) => address);
    if (chosen.length === (count ?? chosen.length)) return ok({ count: chosen.length, chosen });
    return err(`-N: expected ${count} nodes in "${file}", got ${chosen.length}`);
  }
  if (!isV6) return ok({ count: count ?? 3, chosen: undefined });
  const chosen = v6NodeAddresses(count ?? 3);
  return chosen.ok ? ok({ count: count ?? 3, chosen: chosen.value }) : chosen;
}

function publicLines(
  file: string | undefined,
  count: number,
  isV6: boolean,
): Result<readonly (readonly string[])[]> {
  if (file === undefined) {
    return ok(originalPublicAddresses(count, count > 2 ? process.pid % count : undefined, isV6));
  }
  const lines = readLines(file);
  return lines.ok ? ok(Array.from({ length: count }, () => lines.value)) : lines;
}

function readLines(path: string): Result<readonly string[]> {
  const read = new SystemFiles().readText(path);
  if (!read.ok) return err(read.error.message);
  return ok(read.value.split("\n").filter((line) => line.trim() !== ""));
}

// --- the other commands -----------------------------------------------------------------------------

async function runCommand(
  directory: string,
  command: string,
  [nodes, ...rest]: readonly string[],
  connect: Connect,
): Promise<number> {
  const commands = ["start", "stop", "onnode", "print-socket", "print-log", "tail-log"];
  if (!commands.includes(command)) return complain(HELP.trimEnd());
  const expectsMore = command === "onnode";
  if (nodes === undefined || nodes === "-h" || rest.length > 0 !== expectsMore) {
    const more = expectsMore ? " <command>..." : "";
    return complain(`usage: ctdb_local_daemons <directory> ${command} <nodes>${more}`);
  }
  const opened = LocalCluster.open(directory, connect);
  if (!opened.ok) return complain(opened.error);
  const cluster = opened.value;
  const pnns = nodesOfSpecification(nodes, cluster.pnns);
  if (!pnns.ok) return complain(`ctdb_local_daemons ${command}: ${pnns.error}`);
  const logs = pnns.value.map((pnn) => cluster.directory.log(pnn));
  switch (command) {
    case "start":
      return verdict(await cluster.start(pnns.value));
    case "stop":
      return verdict(await cluster.stop(pnns.value));
    case "onnode":
      return await onNodes(cluster, pnns.value, rest.join(" "));
    case "print-socket":
      return print(pnns.value.map((pnn) => `${cluster.directory.socket(pnn)}\n`).join(""));
    case "print-log":
      return printLogs(logs);
    default:
      return await follow(logs);
  }
}

async function onNodes(
  cluster: LocalCluster,
  pnns: readonly number[],
  command: string,
): Promise<number> {
  return await runOnNodes(cluster, pnns, {
    argv: ["sh", "-c", command],
    inherited: ownEnvironment(),
    says: { out: print, err: complain },
    announce: ({ address }) => printErr(`\n>> NODE: ${address} <<\n`),
  });
}

function printLogs(logs: readonly string[]): number {
  const missing = logs.find((path) => !existsSync(path));
  if (missing !== undefined) return complain(`Cannot print the log "${missing}": it is not there`);
  const lines = logs.flatMap((path) => bytesText(readFileSync(path)).split("\n").slice(0, -1));
  printOut(
    lines
      .sort()
      .map((line) => `${line}\n`)
      .join(""),
  );
  return 0;
}

function follow(logs: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn("tail", ["-F", ...logs], { stdio: "inherit" });
    child.on("error", (error) => resolve(complain(`Cannot run tail: ${error.message}`)));
    child.on("exit", (code) => resolve(code ?? 1));
    for (const signal of ["SIGTERM", "SIGINT"] as const)
      process.on(signal, () => child.kill(signal));
  });
}

function verdict(outcome: Result<void>): number {
  return outcome.ok ? 0 : complain(outcome.error);
}

function complain(reason: string): number {
  printErr(`${reason}\n`);
  return WRONG_USE;
}

function print(text: string): number {
  printOut(text.endsWith("\n") ? text : `${text}\n`);
  return 0;
}
