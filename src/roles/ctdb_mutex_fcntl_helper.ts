/**
 * ctdb_mutex_fcntl_helper FILE [RECHECK [PING_TIMEOUT]]: holds the cluster lock as a byte-range
 * lock on byte 0 of a file in a cluster file system (docs/recovery.md, "Cluster lock").
 *
 * The lock belongs to this process, which does no other work on the file: what can block is done
 * by a child (the same role with --check), whose end or silence ends us, and so frees the lock.
 */
import * as fs from "node:fs";
import type { SystemError } from "../base/errors.ts";
import { LockFileWatch } from "../lock/fcntl_helper_watch.ts";
import { lockPlace, lockPlaceText } from "../lock/lock_place.ts";
import { systemErrorFrom } from "../platform/libc/libc.ts";
import { RangeLockWaits, tryRangeLock, unlockRange } from "../platform/libc/range_lock.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import { pathForCall } from "../platform/node/path.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { inheritedEnvironment, withRuntimeSettings } from "./environment.ts";
import { ImageProcesses } from "./image_processes.ts";
import { tellHeld } from "./mutex_proof.ts";
import { selfCommand } from "./own_process.ts";
import { watchParent } from "./parent_watch.ts";
import type { Role } from "./role.ts";

const NAME = "ctdb_mutex_fcntl_helper";
const USAGE = `Usage: ${NAME} <file> [recheck_interval [ping_timeout]]

Takes the cluster lock: a lock on the first byte of <file>. Writes 0 when it has it, 1 when somebody else
holds it, 3 on an error. Then it holds the lock until it is terminated, its parent ends, or
the file is not what it was.

  recheck_interval  seconds between looks at the file (default 5; 0: never)
  ping_timeout      seconds that such a look may take (default 0: any time)
`;

const LOCK_BYTE = 0;
/** Locked and freed by each check: proof that the file system still does locks. */
const TEST_BYTE = 1;
const LOCK_WAIT_MS = 1000;
const PING_MS = 1000;

export const role: Role = {
  async run(args) {
    if (args[0] === "--help") {
      printOut(USAGE);
      return 0;
    }
    if (args[0] === "--place") return tellPlace(args[1] ?? "");
    if (args[0] === "--check") return await check(args.slice(1));
    return await holdLock(args);
  },
};

async function holdLock(args: readonly string[]): Promise<number> {
  const [file, ...numbers] = args;
  const valid = numbers.length <= 2 && numbers.every((text) => /^[0-9]{1,9}$/.test(text));
  if (file === undefined || !valid) {
    printErr(USAGE);
    return 1;
  }
  const recheckSec = Number(numbers[0] ?? 5);
  const pingTimeoutSec = Number(numbers[1] ?? 0);
  const parent = process.ppid;
  const locked = takeLock(file);
  if (locked.inode === undefined) {
    printOut(locked.answer);
    return 0;
  }
  await untilEnd(file, locked.inode, { parent, recheckSec, pingTimeoutSec });
  // Ending is what frees the lock.
  process.exit(0);
}

type Taken = { readonly inode: bigint } | { readonly inode: undefined; readonly answer: "1" | "3" };

function takeLock(file: string): Taken {
  try {
    const descriptor = fs.openSync(
      pathForCall(file),
      fs.constants.O_RDWR | fs.constants.O_CREAT,
      0o600,
    );
    const outcome = tryRangeLock(descriptor, file, "write", LOCK_BYTE, 1);
    if (outcome === "granted") {
      // Ending alone would not do while a child that is just being started still has the descriptor.
      process.once("SIGTERM", () => {
        unlockRange(descriptor, file, LOCK_BYTE, 1);
        process.exit(0);
      });
      return { inode: fs.fstatSync(descriptor, { bigint: true }).ino };
    }
    if (outcome === "busy") return { answer: "1", inode: undefined };
    complain(outcome);
  } catch (error) {
    complain(systemErrorFrom(error, "open", file));
  }
  return { answer: "3", inode: undefined };
}

/** In a process of its own, as following links may hang in the file system. The file need not be there yet. */
function tellPlace(file: string): number {
  const slash = file.lastIndexOf("/");
  try {
    const directory = fs.realpathSync(pathForCall(file.slice(0, slash) || "/"));
    const path = `${directory}/${file.slice(slash + 1)}`;
    const mountinfo = fs.readFileSync("/proc/self/mountinfo", "latin1");
    printOut(`${lockPlaceText(file, lockPlace(path, mountinfo))}\n`);
    return 0;
  } catch (error) {
    const { message } = systemErrorFrom(error, "look at", file);
    printOut(`The cluster lock "${file}" cannot be looked at: ${message}. Is a mount missing?\n`);
    return 1;
  }
}

function complain(error: SystemError): void {
  printErr(`${NAME}: Unable to lock: ${error.message}\n`);
}

interface Watching {
  readonly parent: number;
  readonly recheckSec: number;
  readonly pingTimeoutSec: number;
}

/** Resolves when the lock is to be given up. */
function untilEnd(file: string, inode: bigint, watching: Watching): Promise<void> {
  const { parent, recheckSec, pingTimeoutSec } = watching;
  const timers = new EventLoop();
  const processes = new ImageProcesses(timers);
  return new Promise((resolve) => {
    let watch: LockFileWatch | undefined;
    const end = (reason: string) => {
      printErr(`${NAME}: ${reason}\n`);
      watch?.stop();
      resolve();
    };
    tellHeld(timers, { leftMs: () => undefined, parentGone: () => end("parent gone") });
    if (parent === 1) return end("parent == 1");
    watchParent(timers, () => end("parent gone"), parent);
    if (recheckSec === 0) return;
    const pinged = pingTimeoutSec > 0 ? "1" : "0";
    watch = new LockFileWatch({
      processes,
      timers,
      environment: withRuntimeSettings(inheritedEnvironment()),
      argv: selfCommand(NAME, [
        "--check",
        ...[file, String(inode), String(recheckSec), pinged, String(process.pid)],
      ]),
      pingTimeoutMs: pingTimeoutSec * 1000,
      onErrorLine: (line) => printErr(`${line}\n`),
      onTrouble: end,
    });
  });
}

/** The child: looks at the file until something is wrong with it; may hang in the file system. */
async function check(args: readonly string[]): Promise<number> {
  const [file = "", inodeText = "", recheckText = "", pinged = "", parentText = ""] = args;
  const parent = Number(parentText);
  const timers = new EventLoop();
  const waits = new RangeLockWaits();
  // Not while the loop hangs in the file system: that silence is the message.
  if (pinged === "1") timers.every(PING_MS, () => printOut("."));
  return await new Promise((resolve) => {
    const endWithParent = () => {
      if (process.ppid !== parent) process.exit(0);
    };
    watchParent(timers, () => process.exit(0), parent);
    timers.every(Number(recheckText) * 1000, () => {
      const problem = fileProblem(file, BigInt(inodeText), waits, endWithParent);
      if (problem === undefined) return;
      printErr(`${NAME}: lock lost - lock file "${file}" ${problem}\n`);
      resolve(0);
      process.exit(0);
    });
  });
}

function fileProblem(
  file: string,
  inode: bigint,
  waits: RangeLockWaits,
  whileWaiting: () => void,
): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(pathForCall(file), fs.constants.O_RDWR);
    if (fs.fstatSync(descriptor, { bigint: true }).ino !== inode) return "inode changed";
    for (;;) {
      const outcome = waits.lock(descriptor, file, "write", TEST_BYTE, 1, LOCK_WAIT_MS);
      if (outcome === "granted") return undefined;
      if (outcome !== "busy") return `test lock error (${outcome.message})`;
      whileWaiting();
    }
  } catch (error) {
    return `check failed (${systemErrorFrom(error, "open", file).message})`;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}
