/**
 * ctdb_takeover_helper STATUS-FD SOCKET [PNN,PNN…]: one takeover run, then it ends. Any recovery daemon
 * may start it, and ours may start another's: docs/takeover.md, "The helper".
 */
import { EINVAL, ENOTCONN } from "../base/errno.ts";
import { parseLogLevel } from "../base/log.ts";
import { connectClient } from "../client/ctdb_client.ts";
import { JournalReporter } from "../client/journal_reporter.ts";
import { resolvePaths } from "../config/paths.ts";
import { type HomeNode, parseHomeNodes } from "../failover/allocation/home_nodes.ts";
import { NODES_MAX } from "../failover/allocation/limits.ts";
import { runTakeover } from "../failover/takeover/run_takeover.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemClock } from "../platform/node/clock.ts";
import { SystemFiles } from "../platform/node/file_system.ts";
import type { RoleLogger } from "../platform/node/logger.ts";
import { printErr, printOut, writeAll } from "./buffered_output.ts";
import { TELLS_REASON_VARIABLE } from "./environment.ts";
import { fenced } from "./leader_fence.ts";
import { ownEnvironment, ownExecutable } from "./own_process.ts";
import { watchParent } from "./parent_watch.ts";
import type { Role } from "./role.ts";
import { failRole, openRoleLog } from "./role_log.ts";

const USAGE = `Usage: ctdb_takeover_helper STATUS-FD SOCKET [PNN,PNN...]

Decides which node hosts which public address, as the node whose ctdbd listens at SOCKET, and tells every node
what to release and what to take. Nodes named by their numbers get addresses even if they have some. Started by
the recovery daemon of the leader. The outcome is written to STATUS-FD as a 32-bit number: 0 for success.
`;

const CONNECT_TIMEOUT_MS = 10_000;
/** A log that cannot be written holds up nobody longer than this. */
const LOG_LIMIT_MS = 1000;
const DEBUG_LEVEL = 10;

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  if (args[0] === "--help") {
    printOut(USAGE);
    return 0;
  }
  const [descriptorText = "", socket = "", rebalanceText] = args;
  const valid = args.length >= 2 && args.length <= 3 && /^[0-9]{1,9}$/.test(descriptorText);
  if (!valid) {
    printErr(USAGE);
    return 1;
  }
  const descriptor = Number(descriptorText);
  const rebalance = nodeNumbers(rebalanceText);
  if (rebalance === undefined) {
    printErr(
      `takeover: cannot use the nodes to rebalance "${rebalanceText}": expected numbers with commas between\n`,
    );
    return report(descriptor, EINVAL);
  }
  const environment = ownEnvironment();
  const logger = openRoleLog({
    location: environment["CTDB_LOGGING"] ?? "file:",
    level: parseLogLevel(environment["CTDB_DEBUGLEVEL"] ?? "") ?? "NOTICE",
    application: "ctdb-takeover",
    environment,
    saysAll: true,
  });
  if (!logger.ok) {
    printErr(`takeover: unable to log: ${logger.error}\n`);
    return report(descriptor, EINVAL);
  }
  const log = logger.value;
  const timers = new EventLoop();
  // A coordinator that nobody waits for must not go on while another one is started.
  watchParent(timers, () => process.exit(1));
  const status = await takeOver(socket, rebalance, { timers, log, environment });
  // Before the status: whoever reads that may end us at once, as the original does.
  const limit = new Promise<void>((resolve) => timers.after(LOG_LIMIT_MS, resolve));
  await Promise.race([log.written(), limit]);
  return report(descriptor, status);
}

interface Own {
  readonly timers: EventLoop;
  readonly log: RoleLogger;
  readonly environment: ReturnType<typeof ownEnvironment>;
}

/** What to report; the reason of a failure is in the log. */
async function takeOver(
  socket: string,
  rebalance: readonly number[],
  { timers, log, environment }: Own,
): Promise<number> {
  const options = { timeoutMs: CONNECT_TIMEOUT_MS };
  const connected = await connectClient(new LoopNetwork(timers), timers, socket, options);
  if (!connected.ok) {
    log.error(`takeover: ${connected.error.reason}`);
    return ENOTCONN;
  }
  const client = fenced(connected.value, timers, environment, (reason) => {
    if (environment[TELLS_REASON_VARIABLE] !== undefined) printErr(`${reason}\n`);
    failRole(log, `takeover run given up: ${reason}`);
  });
  const logsDetails = log.level.get() >= DEBUG_LEVEL;
  const clock = new SystemClock();
  const journal = new JournalReporter(client, "takeover_helper", clock, timers);
  const outcome = await runTakeover(
    { client, clock, log, journal, logsDetails },
    {
      rebalance,
      failoverDisabled: environment["CTDB_DISABLE_IP_FAILOVER"] !== undefined,
      homeNodes: () => readHomeNodes(environment, log),
    },
  );
  if (!outcome.ok) {
    log.error(`takeover run failed, ret=${outcome.error.status}`);
    // The last line that is printed: who started us tells it on.
    if (environment[TELLS_REASON_VARIABLE] !== undefined) printErr(`${outcome.error.reason}\n`);
  }
  journal.flush();
  // Writes what is queued: a message may be the last that was sent.
  client.close();
  return outcome.ok ? 0 : outcome.error.status;
}

/** Undefined for what is no list of node numbers; nothing is an empty one. */
function nodeNumbers(text: string | undefined): readonly number[] | undefined {
  const words = (text ?? "").split(",").filter((word) => word !== "");
  if (words.length > NODES_MAX || !words.every((word) => /^[0-9]{1,10}$/.test(word))) {
    return undefined;
  }
  return words.map(Number);
}

function readHomeNodes(
  environment: ReturnType<typeof ownEnvironment>,
  log: RoleLogger,
): readonly HomeNode[] {
  const paths = resolvePaths(environment, ownExecutable().directory);
  if (!paths.ok) {
    log.warning(paths.error);
    return [];
  }
  const path = `${paths.value.etcDirectory}/home_nodes`;
  const files = new SystemFiles();
  const text = files.readText(path);
  if (!text.ok) {
    if (text.error.code !== "ENOENT") log.warning(`Cannot read "${path}": ${text.error.code}`);
    return [];
  }
  const homes = parseHomeNodes(text.value);
  if (homes.ok) return homes.value;
  log.warning(`Cannot use "${path}": ${homes.error}`);
  return [];
}

/** Both the descriptor and the exit status say it. */
function report(descriptor: number, status: number): never {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, status, true);
  writeAll(descriptor, bytes, `descriptor ${descriptor}`);
  process.exit(status & 0xff);
}
