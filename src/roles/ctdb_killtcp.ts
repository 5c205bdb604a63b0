/**
 * ctdb_killtcp INTERFACE [SOURCE DESTINATION]: ends TCP connections at their destinations; without one on the command line
 * those of a list on standard input (failover/killtcp/connection_list.ts).
 *
 * Texts and status are those of the original, with one difference: lines that are wrong are told by number, and the
 * others are still ended before the status tells. Like there, the interface is a word only: an end's answer goes
 * out where the routes say, so that all interfaces are looked at.
 */
import { LOG_LEVELS, parseLogLevel } from "../base/log.ts";
import { ConnectionList } from "../failover/killtcp/connection_list.ts";
import { KillConnections, type KillReport } from "../failover/killtcp/kill_connections.ts";
import { PROBLEMS_TOLD_MAX } from "../failover/killtcp/limits.ts";
import type { TcpPath } from "../failover/packets/tickle.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopRawNetwork } from "../platform/loop/raw_network.ts";
import { SystemClock } from "../platform/node/clock.ts";
import { parseConnection, parseEndpoint } from "../wire/structs/connection_text.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { ownEnvironment } from "./own_process.ts";
import type { Role } from "./role.ts";

const NAME = "ctdb_killtcp";
const USAGE = `usage: ${NAME} <interface> [ <srcip:port> <dstip:port> ]\n`;
const FAILURE = 255;

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  const [interfaceName, source, destination] = args;
  if (args[0] === "--help" || (args.length !== 1 && args.length !== 3)) {
    printOut(USAGE);
    return args[0] === "--help" ? 0 : 1;
  }
  if (source !== undefined && destination !== undefined) {
    const path = pathOf(source, destination);
    return path === undefined ? FAILURE : await kill([path], interfaceName as string);
  }
  const list = await readList();
  const status = await kill(list.connections, interfaceName as string);
  if (list.problems === 0 || status !== 0) return status;
  printErr("Unable to parse connections (Invalid argument)\n");
  return FAILURE;
}

function pathOf(source: string, destination: string): TcpPath | undefined {
  const wrong = [source, destination].find((text) => !parseEndpoint(text).ok);
  const path = parseConnection(`${source} ${destination}`);
  if (path.ok) return path.value;
  printErr(wrong === undefined ? `${path.error}\n` : `Bad IP:port '${wrong}'\n`);
  return undefined;
}

async function readList(): Promise<{ connections: readonly TcpPath[]; problems: number }> {
  let problems = 0;
  const list = new ConnectionList((lineNumber, reason) => {
    problems += 1;
    if (problems <= PROBLEMS_TOLD_MAX) printErr(`line ${lineNumber}: ${reason}\n`);
  });
  for await (const chunk of process.stdin) list.push(chunk);
  list.end();
  const more = problems - PROBLEMS_TOLD_MAX;
  if (more > 0) printErr(`${more} more lines are wrong\n`);
  return { connections: list.connections, problems };
}

async function kill(connections: readonly TcpPath[], interfaceName: string): Promise<number> {
  const timers = new EventLoop();
  const host = { timers, clock: new SystemClock(), network: new LoopRawNetwork(timers) };
  return await new Promise((resolve) => {
    const killing = new KillConnections(host, (report) => {
      tell(report);
      resolve(0);
    });
    const started = killing.start(connections);
    if (started.ok) return;
    const { code, message } = started.error;
    printErr(`Failed to open capture socket on iface '${interfaceName}' (${message})\n`);
    printErr(`Failed to kill connections (${code})\n`);
    resolve(FAILURE);
  });
}

function tell(report: KillReport): void {
  const { reset, absent, left, dropped, sendError } = report;
  if (sendError !== undefined) printErr(`Error sending TCP segment: ${sendError.message}\n`);
  const level = parseLogLevel(ownEnvironment()["CTDB_DEBUGLEVEL"] ?? "") ?? "ERROR";
  if (LOG_LEVELS[level] < LOG_LEVELS.INFO) return;
  printErr(
    `${reset} connections reset, ${absent} unknown to their ends, ${left} left; ${dropped} segments missed\n`,
  );
}
