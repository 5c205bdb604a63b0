/**
 * ctdb_mutex_ceph_rados_helper CLUSTER USER POOL OBJECT [DURATION] [-n NAMESPACE] [-R]: holds the cluster lock as a lock
 * on an object of Ceph, the same as the original's: the two exclude each other.
 *
 * 1. librados blocks, so a child (the same role with --hold) does its calls; this process never waits for them, and
 *    ends when the child does, or has not renewed the lock in time.
 * 2. The child gives the lock up when a renewal took too long to be trusted, or came too late: before it renews again.
 */

import { parseWhole } from "../base/c_number.ts";
import { EBUSY, EEXIST, errnoText } from "../base/errno.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { BootClock, SystemClock } from "../platform/node/clock.ts";
import { SystemProcesses } from "../platform/node/processes.ts";
import { RadosCluster, type RadosLockNames, type RadosPlace } from "../platform/rados/rados.ts";
import type { ChildProcess } from "../platform/types/processes.ts";
import type { Timer } from "../platform/types/time.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { inheritedEnvironment, withRuntimeSettings } from "./environment.ts";
import { parseShortOptions } from "./getopt.ts";
import { tellHeld } from "./mutex_proof.ts";
import { selfCommand } from "./own_process.ts";
import { watchParent } from "./parent_watch.ts";
import type { Role } from "./role.ts";

const NAME = "ctdb_mutex_ceph_rados_helper";
const USAGE = `Usage: ${NAME} <Ceph Cluster> <Ceph user> <RADOS pool> <RADOS object> [lock duration secs] [-n RADOS namespace] [-R]

Takes the cluster lock: a lock on an object of Ceph. Writes 0 when it has it, 1 when somebody else holds it, 3 on
an error. Then it holds the lock until it is terminated, its parent ends, or it could not be renewed.

  lock duration  seconds (default 10); without a renewal others can have it then; 0: never
  -n             namespace of the object
  -R             does not show in the cluster's list of services
`;

const LOCK_NAME = "ctdb_reclock_mutex";
const LOCK_DESCRIPTION = "CTDB cluster lock";
const DURATION_SEC = 10;
const DURATION_SEC_MAX = 86_400;
/** The child's answer, and its parent's. */
const HELD = "0".charCodeAt(0);
/** The child says so after each renewal. */
const RENEWED = ".";
/** Of the lock's time: what a renewal may take, and what is left when the lock is given up. */
const MARGIN = 1 / 4;
const RELEASE_TIMEOUT_MS = 2000;

interface Command {
  readonly place: RadosPlace;
  readonly names: RadosLockNames;
  readonly registers: boolean;
}

export const role: Role = {
  async run(args) {
    if (args[0] === "--help") {
      printOut(USAGE);
      return 0;
    }
    const [words, isChild] = args[0] === "--hold" ? [args.slice(1), true] : [args, false];
    const command = parse(words);
    if (command === "usage") {
      printErr(USAGE);
      return 1;
    }
    if (command === "duration") {
      printOut("3");
      return complain(`expected seconds up to ${DURATION_SEC_MAX} as lock duration`);
    }
    return await (isChild ? hold(command) : guard(command, words));
  },
};

function parse(args: readonly string[]): Command | "usage" | "duration" {
  const parsed = parseShortOptions(args, "n:R");
  if (!parsed.ok) return "usage";
  const { operands, options } = parsed.value;
  const [cluster, user, pool, object, duration, more] = operands;
  if (cluster === undefined || user === undefined || pool === undefined) return "usage";
  if (object === undefined || more !== undefined) return "usage";
  const durationSec =
    duration === undefined ? DURATION_SEC : parseWhole(duration, DURATION_SEC_MAX);
  if (durationSec === undefined) return "duration";
  const namespace = options.find(({ letter }) => letter === "n")?.value;
  return {
    place: { cluster, user, pool, object, namespace },
    names: { name: LOCK_NAME, cookie: LOCK_NAME, description: LOCK_DESCRIPTION, durationSec },
    registers: !options.some(({ letter }) => letter === "R"),
  };
}

// --- the process that its parent knows ----------------------------------------------------------------

async function guard({ names }: Command, words: readonly string[]): Promise<number> {
  const parent = process.ppid;
  if (parent === 1) return complain("PPID == 1");
  const loop = new EventLoop();
  let answered = false;
  let ending: number | undefined;
  let silence: Timer | undefined;
  let child: ChildProcess | undefined;
  const end = (status: number) => {
    ending ??= status;
    child?.kill("SIGTERM");
    loop.after(RELEASE_TIMEOUT_MS, () => abandon(status));
  };
  const abandon = (status: number): never => {
    child?.kill("SIGKILL");
    process.exit(status);
  };
  const trustedMs = names.durationSec * 1000 * (1 - 2 * MARGIN);
  const clock = new BootClock();
  let heardMs = 0;
  const late = () => abandon(complain("lock lost: it could not be renewed in time"));
  const leftMs = () => {
    if (names.durationSec === 0) return undefined;
    const ms = heardMs + trustedMs - clock.monotonicMs();
    return ms > 0 ? ms : late();
  };
  const heard = () => {
    silence?.cancel();
    heardMs = clock.monotonicMs();
    if (names.durationSec === 0 || ending !== undefined) return;
    silence = loop.after(trustedMs, late);
  };
  const spawned = new SystemProcesses(loop).spawn({
    argv: selfCommand(NAME, ["--hold", ...words]),
    env: withRuntimeSettings(inheritedEnvironment()),
    keepStdinOpen: true,
    onStdout: (chunk) => {
      heard();
      if (answered) return;
      answered = true;
      if (chunk[0] === HELD) tellHeld(loop, { leftMs, parentGone: () => end(0) });
      else printOut(chunk.subarray(0, 1));
    },
    onOutputLine: (line) => printErr(`${line}\n`),
    onExit: ({ code }) => {
      if (!answered && ending === undefined) printOut("3");
      process.exit(ending ?? code ?? 1);
    },
  });
  if (!spawned.ok) {
    printOut("3");
    return complain(`cannot start itself: ${spawned.error.message}`);
  }
  child = spawned.value;
  process.once("SIGTERM", () => end(0));
  process.once("SIGINT", () => end(0));
  watchParent(loop, () => end(0), parent);
  return await new Promise(() => {});
}

// --- the process that waits for Ceph ------------------------------------------------------------------

async function hold({ place, names, registers }: Command): Promise<number> {
  const parent = process.ppid;
  const clock = new SystemClock();
  const connected = RadosCluster.connect(place);
  // Nobody waits for an answer any more.
  if (process.ppid !== parent) return 0;
  if (!connected.ok) {
    printOut("3");
    return complain(connected.error);
  }
  const cluster = connected.value;
  if (registers) {
    const registered = cluster.register("ctdb", NAME);
    if (!registered.ok) complain(`failed to register with ceph-mgr - (${registered.error})`);
  }
  let sentMs = clock.monotonicMs();
  const taken = cluster.lock(names, false);
  if (!taken.ok) {
    cluster.close();
    if (taken.error === EEXIST || taken.error === EBUSY) {
      printOut("1");
      return 0;
    }
    printOut("3");
    return complain(
      `Failed to get lock on RADOS object '${place.object}' - (${errnoText(taken.error)})`,
    );
  }
  const release = (status: number) => {
    const unlocked = cluster.unlock(names);
    if (!unlocked.ok)
      complain(
        `Failed to drop lock on RADOS object '${place.object}' - (${errnoText(unlocked.error)})`,
      );
    cluster.close();
    process.exit(status);
  };
  const durationMs = names.durationSec * 1000;
  const isLate = () => durationMs > 0 && clock.monotonicMs() - sentMs > durationMs * (1 - MARGIN);
  if (process.ppid !== parent) release(0);
  if (durationMs > 0 && clock.monotonicMs() - sentMs > durationMs * MARGIN) {
    printOut("3");
    release(complain("the lock was nearly over before it was told"));
  }
  const loop = new EventLoop();
  process.once("SIGTERM", () => release(0));
  process.once("SIGINT", () => release(0));
  watchParent(loop, () => release(0), parent);
  if (durationMs > 0) {
    loop.every(durationMs * MARGIN, () => {
      if (isLate()) process.exit(complain("lock lost: it was not renewed in time"));
      const renewalMs = clock.monotonicMs();
      const renewed = cluster.lock(names, true);
      if (!renewed.ok) {
        process.exit(complain(`lock lost: Lock renew failed - (${errnoText(renewed.error)})`));
      }
      sentMs = renewalMs;
      if (clock.monotonicMs() - renewalMs > durationMs * MARGIN) {
        process.exit(complain("lock lost: a renewal took too long"));
      }
      printOut(RENEWED);
    });
  }
  printOut("0");
  return await new Promise(() => {});
}

function complain(reason: string): number {
  printErr(`${NAME}: ${reason}\n`);
  return 1;
}
