/**
 * ctdb_lock_helper PID FD RECORD|DB PATH FLAGS [KEY]: waits for the lock of a record's chain, or of a whole
 * TDB, writes one byte to FD (0: it holds the lock, 1: it failed), and holds it until it is terminated or
 * the process PID is gone. Our own daemon needs no such process; others start it (docs/tdb.md, "Waiting for
 * locks").
 *
 * Invariants:
 * 1. It may block: nothing else happens in it. While it waits, a signal simply ends it, which frees what it
 *    had.
 * 2. It reads and writes no records.
 */
import { SystemSharedFiles } from "../platform/libc/shared_file.ts";
import { EventLoop } from "../platform/loop/event_loop.ts";
import type { LockType, SharedFile, TryLock } from "../platform/types/shared_files.ts";
import { HEADER_BYTES, LOCK } from "../tdb/format/format.ts";
import { judgeHeader } from "../tdb/format/header.ts";
import { type LockPrimitives, LockProtocol } from "../tdb/locks/lock_protocol.ts";
import { lockTargetOf } from "../tdb/locks/lock_target.ts";
import { TDB_FLAGS } from "../tdb/types.ts";
import { printErr, printOut, writeAll } from "./buffered_output.ts";
import type { Role } from "./role.ts";

const NAME = "ctdb_lock_helper";
const USAGE = `Usage: ${NAME} PID FD RECORD PATH FLAGS KEY
       ${NAME} PID FD DB PATH FLAGS

Holds a lock for the process PID; one byte to the descriptor FD says when.
`;
const LOCKED = 0;
const FAILED = 1;
const WAIT_SLICE_MS = 60_000;
const PARENT_CHECK_MS = 5000;

interface Request {
  readonly path: string;
  readonly flags: number;
  /** undefined: the whole file. */
  readonly key: Uint8Array | undefined;
}

export const role: Role = {
  async run(args) {
    if (args[0] === "--help") {
      printOut(USAGE);
      return 0;
    }
    const [pidText = "", descriptorText = ""] = args;
    const request = parseRequest(args);
    if (typeof request === "string") {
      if (request !== "") printErr(`locking: ${request}\n`);
      printErr(USAGE);
      return 1;
    }
    const unlock = lock(request);
    const descriptor = Number.parseInt(descriptorText, 10) || 0;
    const tell = (byte: number) =>
      writeAll(descriptor, Uint8Array.of(byte), `descriptor ${descriptor}`);
    if (unlock === undefined) {
      tell(FAILED);
      return 1;
    }
    // It listens first: who hears of the lock may end us at once.
    const end = untilEnd(Number.parseInt(pidText, 10));
    tell(LOCKED);
    await end;
    unlock();
    process.exit(0);
  },
};

/** What is asked for, or why that is unclear; "" for nothing beyond the usage. */
function parseRequest(args: readonly string[]): Request | string {
  const [, , type, path = "", flagsText = "", keyText = ""] = args;
  if (type === undefined) return "";
  if (type !== "RECORD" && type !== "DB") return `Invalid lock-type '${type}'`;
  const expected = type === "RECORD" ? 6 : 5;
  // The original counts its own name.
  if (args.length !== expected) return `Invalid number of arguments (${args.length + 1})`;
  const flags = Number(flagsText) || 0;
  return { path, flags, key: type === "RECORD" ? keyBytes(keyText) : undefined };
}

/** Hexadecimal; NULL is the empty key. */
function keyBytes(text: string): Uint8Array {
  const pairs = text === "NULL" ? [] : (text.match(/../g) ?? []);
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16) || 0);
}

/** Waits for the lock; how to free it, or undefined when it cannot be had, which was said. */
function lock({ path, flags, key }: Request): (() => void) | undefined {
  const complain = (reason: string) => {
    printErr(`locking: ${reason}\n`);
    return undefined;
  };
  const files = new SystemSharedFiles();
  const opened = files.open(path, { create: false, mode: 0 });
  if (!opened.ok) {
    return complain(`Error opening database ${path}: ${opened.error.message}`);
  }
  const file = opened.value;
  const target = lockTargetOf(file, files.pageSize);
  if (typeof target === "string") return complain(`Error opening database ${path}: ${target}`);
  if (target.mutexes !== undefined && (flags & TDB_FLAGS.MUTEX_LOCKING) === 0) {
    return complain(`Error opening database ${path}: it has mutexes, its flags say it has none`);
  }
  if ((flags & TDB_FLAGS.CLEAR_IF_FIRST) !== 0) {
    // As a user of the file: nobody empties it while we are here.
    const active = file.waitLockRange("read", LOCK.active, 1, WAIT_SLICE_MS);
    if (active !== "granted") return complain(`Error opening database ${path}: it is being opened`);
  }
  const locks = new LockProtocol(file, waitingPrimitives(file), target);
  const chain = key === undefined ? 0 : chainOf(file, key, target.hashSize);
  const taken = key === undefined ? locks.lockAll("write") : locks.lockList(chain, "write");
  if (taken === "granted") {
    return () => (key === undefined ? locks.unlockAll() : locks.unlockList(chain));
  }
  const what = key === undefined ? "db" : "record";
  return complain(`Error getting ${what} lock (${taken === "busy" ? taken : taken.message})`);
}

function chainOf(file: SharedFile, key: Uint8Array, hashSize: number): number {
  const header = new Uint8Array(file.view(HEADER_BYTES), 0, HEADER_BYTES);
  const facts = judgeHeader(header, file.size());
  return facts.ok ? facts.value.hash(key) % hashSize : 0;
}

/** As long as it takes. */
function waitingPrimitives(file: SharedFile): LockPrimitives {
  return {
    range: (mode: LockType, start, length) =>
      untilNotBusy(() => file.waitLockRange(mode, start, length, WAIT_SLICE_MS)),
    tryRange: (mode, start, length) => file.tryLockRange(mode, start, length),
    mutex: (offset) => untilNotBusy(() => file.waitLockMutex(offset, WAIT_SLICE_MS)),
  };
}

function untilNotBusy<T extends TryLock | "owner_died">(attempt: () => T): T {
  for (;;) {
    const outcome = attempt();
    if (outcome !== "busy") return outcome;
  }
}

/** Resolves at SIGTERM, or when the process that we hold the lock for is gone. */
function untilEnd(pid: number): Promise<void> {
  return new Promise((resolve) => {
    if (pid === 1) return resolve();
    process.once("SIGTERM", () => resolve());
    new EventLoop().every(PARENT_CHECK_MS, () => {
      if (!isRunning(pid)) resolve();
    });
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code !== "ESRCH";
  }
}
