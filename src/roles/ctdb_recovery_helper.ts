/**
 * ctdb_recovery_helper STATUS-FD SOCKET GENERATION: one recovery, then it ends. Any recovery
 * daemon may start it, and ours may start another's: docs/recovery.md, "Sequence".
 */
import { collectGarbage } from "#runtime";
import type { Logger } from "../base/log.ts";
import { parseU64 } from "../base/u64.ts";
import { connectClient } from "../client/ctdb_client.ts";
import { JournalReporter } from "../client/journal_reporter.ts";
import { ScratchFile } from "../platform/libc/scratch_file.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { LoopNetwork } from "../platform/loop/network.ts";
import { SystemClock, SystemRandom } from "../platform/node/clock.ts";
import type { Timers } from "../platform/types/time.ts";
import { runRecovery } from "../recovery/run_recovery.ts";
import { printErr, printOut, writeAll } from "./buffered_output.ts";
import { TELLS_REASON_VARIABLE } from "./environment.ts";
import { fenced } from "./leader_fence.ts";
import { ownEnvironment } from "./own_process.ts";
import { watchParent } from "./parent_watch.ts";
import type { Role } from "./role.ts";
import { failRole, openRoleLog } from "./role_log.ts";

const USAGE = `Usage: ctdb_recovery_helper STATUS-FD SOCKET GENERATION

Recovers the databases of the cluster as the node whose ctdbd listens at SOCKET. Started by the recovery
daemon of the leader. On success a 32-bit 0 is written to STATUS-FD; on failure nothing, and
the exit status is 1.
`;

const CONNECT_TIMEOUT_MS = 10_000;
const GARBAGE_CHECK_MS = 50;
const GARBAGE_BYTES = 64 * 1024 * 1024;

export const role: Role = { run };

async function run(args: readonly string[]): Promise<number> {
  if (args[0] === "--help") {
    printOut(USAGE);
    return 0;
  }
  const [descriptorText = "", socket = "", generationText = ""] = args;
  const descriptor = Number(descriptorText);
  const generation = parseU64(generationText);
  const valid = /^[0-9]+$/.test(descriptorText) && generation?.hi === 0;
  if (args.length !== 3 || !valid) {
    printErr(USAGE);
    return 1;
  }
  const environment = ownEnvironment();
  const logger = openRoleLog({
    location: environment["CTDB_LOGGING"] ?? "file:",
    level: "NOTICE",
    application: "ctdb-recovery",
    environment,
  });
  if (!logger.ok) {
    printErr(`recovery: unable to log: ${logger.error}\n`);
    return 1;
  }
  const log = logger.value;
  const timers = new EventLoop();
  // A coordinator that nobody waits for must not go on while another one is started.
  watchParent(timers, () => process.exit(1));
  keepSmall(timers);
  const options = { timeoutMs: CONNECT_TIMEOUT_MS };
  const connected = await connectClient(new LoopNetwork(timers), timers, socket, options);
  if (!connected.ok) failRole(log, `recovery: ${connected.error.reason}`);
  const client = fenced(connected.value, timers, environment, (reason) => {
    // Nobody is to be blamed for it: it ends like one that was cancelled.
    if (environment[TELLS_REASON_VARIABLE] !== undefined) printErr(`${reason}\n`);
    failRole(log, `database recovery given up: ${reason}`);
  });
  const clock = new SystemClock();
  const journal = new JournalReporter(client, "recovery_helper", clock, timers);
  const scratch = scratchMemory(environment, log);
  const host = { client, clock, timers, random: new SystemRandom(), log, journal, scratch };
  const debug = await client.control("GET_DEBUG", undefined);
  if (debug.ok) log.level.set(debug.value.data);
  const outcome = await runRecovery(host, { generation: generation.lo });
  // Before the end is known: what happened in it comes before what follows from it.
  journal.flush();
  client.close();
  if (!outcome.ok) {
    // The last line that is printed: who started us tells it on.
    if (environment[TELLS_REASON_VARIABLE] !== undefined) printErr(`${outcome.error.reason}\n`);
    failRole(log, `database recovery failed: ${outcome.error.reason}`);
  }
  const { records, databases, durationMs } = outcome.value;
  log.info(
    `recovered ${records} records in ${databases} databases in ${Math.round(durationMs)} ms`,
  );
  writeAll(descriptor, new Uint8Array(4), `descriptor ${descriptor}`);
  process.exit(0);
}

/** In the directory in which the original's helper has its files, on whose disk persistent databases lie too. */
function scratchMemory(
  environment: Readonly<Record<string, string | undefined>>,
  log: Logger,
): ScratchFile | undefined {
  const directory = environment["CTDB_DBDIR_STATE"];
  if (directory === undefined || directory === "") return undefined;
  const file = ScratchFile.open(directory);
  if (file.ok) return file.value;
  log.warning(`Records of large databases will be kept in memory: ${file.error.message}`);
  return undefined;
}

/**
 * Nearly all that becomes garbage here are pieces of the streams outside of the heap, which the
 * collector does not see as urgent; the heap itself is small and collected in a few milliseconds.
 */
function keepSmall(timers: Timers): void {
  let settledBytes = process.memoryUsage.rss();
  timers.every(GARBAGE_CHECK_MS, () => {
    if (process.memoryUsage.rss() < settledBytes + GARBAGE_BYTES) return;
    collectGarbage();
    settledBytes = process.memoryUsage.rss();
  });
}
