/**
 * ping_pong [-rwmc] FILE LOCKS, ping_pong -l FILE: tests whether a cluster file system keeps byte-range
 * locks, and data under them, coherent between nodes. The same command runs on each node; the rate, and
 * the step by which the data grows from one round to the next, tell (docs/operations.md, "ping_pong").
 *
 * Options, texts and exit status are those of Samba's program, whose descriptions on the net apply.
 */
import * as fs from "node:fs";
import { pause } from "#program";
import {
  errorText,
  lockForWriting,
  lockHolder,
  mapShared,
  unlock,
} from "../platform/libc/posix_lock.ts";
import { pathForCall } from "../platform/node/path.ts";
import { printErr, printOut } from "./buffered_output.ts";
import { parseShortOptions } from "./getopt.ts";
import type { Role } from "./role.ts";

const NAME = "ping_pong";
const USAGE = `Usage: ping_pong [-rwmc] FILE LOCKS
       ping_pong -l FILE

Run it with the same FILE on several nodes, LOCKS being their number plus one.

  -r  read the byte under each lock, and show by how much it grows in a round
  -w  write it, one more than was read
  -m  through a shared mapping instead of reads and writes
  -c  look whether somebody else holds a lock that is ours
  -l  only lock the whole file, until a key is pressed or because it is locked
`;

const REPORT_MS = 1000;

export const role: Role = {
  async run(args) {
    if (args.length === 1 && args[0] === "--help") {
      printOut(USAGE);
      return 0;
    }
    return run(args);
  },
};

function run(args: readonly string[]): number {
  const parsed = parseShortOptions(args, "rwmcl");
  if (!parsed.ok) {
    printErr(`${NAME}: ${parsed.error}\nUnknown option '?'\n`);
    return 1;
  }
  const letters = new Set(parsed.value.options.map(({ letter }) => letter));
  const [path, countText] = parsed.value.operands;
  if (path === undefined) return usage();
  let descriptor: number;
  try {
    descriptor = fs.openSync(pathForCall(path), fs.constants.O_CREAT | fs.constants.O_RDWR, 0o600);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    printErr(`${NAME}: cannot open "${path}": ${reason}\n`);
    return 1;
  }
  if (letters.has("l")) return testLocks(descriptor);
  if (countText === undefined) return usage();
  const count = Number.parseInt(countText, 10);
  if (!(count > 0)) {
    printOut("num_locks should be > 0\n");
    return 1;
  }
  return new PingPong(descriptor, count, letters).run();
}

function usage(): number {
  printOut(USAGE);
  return 1;
}

/** True when nobody else holds the range; otherwise it was said who does. */
function checkLock(descriptor: number, start: number, length: number): boolean {
  const holder = lockHolder(descriptor, start, length);
  if (holder === undefined) return true;
  if (typeof holder === "number") {
    printOut(`error calling fcntl F_GETLCK: ${errorText(holder)}\n`);
  } else {
    const { pid, type } = holder;
    const where = `pid='${pid}', type='${type}', start='${holder.start}', len='${holder.length}'`;
    printOut(`check_lock failed: lock held: ${where}\n`);
  }
  return false;
}

/** Holds the whole file until a key is pressed; a second run elsewhere must find it locked. */
function testLocks(descriptor: number): number {
  if (lockForWriting(descriptor, 0, 0, false) !== 0) {
    printOut("file already locked, calling check_lock to tell us who has it locked:\n");
    checkLock(descriptor, 0, 0);
    printOut("Working POSIX byte range locks\n");
    return 0;
  }
  printOut("Holding lock, press any key to continue...\n");
  printOut("You should run the same command on another node now.\n");
  waitForKey();
  printOut("Good bye.\n");
  return 0;
}

function waitForKey(): void {
  const byte = new Uint8Array(1);
  for (;;) {
    try {
      fs.readSync(0, byte, 0, 1, null);
      return;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "EAGAIN") return;
      pause(10);
    }
  }
}

class PingPong {
  readonly #descriptor: number;
  readonly #count: number;
  readonly #reads: boolean;
  readonly #writes: boolean;
  readonly #checks: boolean;
  readonly #mapped: boolean;
  readonly #byte = new Uint8Array(1);

  constructor(descriptor: number, count: number, letters: ReadonlySet<string>) {
    this.#descriptor = descriptor;
    this.#count = count;
    this.#reads = letters.has("r");
    this.#writes = letters.has("w");
    this.#checks = letters.has("c");
    this.#mapped = letters.has("m");
  }

  /** Returns only when something is wrong with the locks, with status 0 as the original does. */
  run(): number {
    const bytes = this.#count + 1;
    try {
      fs.ftruncateSync(this.#descriptor, bytes);
    } catch (error) {
      printOut(`ftruncate failed: ${error instanceof Error ? error.message : String(error)}\n`);
      return 0;
    }
    const map = this.#mapped ? mapShared(this.#descriptor, bytes) : undefined;
    if (typeof map === "number") {
      printOut(`mmap failed: ${errorText(map)}\n`);
      return 0;
    }
    const first = lockForWriting(this.#descriptor, 0, 1, true);
    if (first !== 0) {
      printOut(`initial lock at 0 failed! - ${errorText(first)}\n`);
      return 0;
    }
    this.#goRound(map);
    return 0;
  }

  /** Holds one lock, takes the next, lets the first go: two programs chase each other around the file. */
  #goRound(map: Uint8Array | undefined): void {
    const count = this.#count;
    const seen = new Uint8Array(count + 1);
    let since = performance.now();
    let steps = 0;
    let total = 0;
    let lastIncrement = 0;
    for (let at = 0; ; at = (at + 1) % count) {
      const next = (at + 1) % count;
      const taken = lockForWriting(this.#descriptor, next, 1, true);
      if (taken !== 0) printOut(`lock at ${next} failed! - ${errorText(taken)}\n`);
      if (this.#checks && !checkLock(this.#descriptor, at, 1)) return;
      const before = seen[at] as number;
      let increment = 0;
      if (this.#reads) {
        const now = this.#read(map, at);
        increment = (now - before) & 0xff;
        seen[at] = now;
      }
      if (this.#writes) this.#write(map, at, ((seen[at] as number) + 1) & 0xff);
      const freed = unlock(this.#descriptor, at, 1);
      if (freed !== 0) printOut(`unlock at ${at} failed! - ${errorText(freed)}\n`);
      steps += 1;
      total += 1;
      if (total > count && increment !== lastIncrement) {
        lastIncrement = increment;
        printOut(`data increment = ${increment}\n`);
      }
      const elapsedMs = performance.now() - since;
      if (elapsedMs <= REPORT_MS) continue;
      printOut(`${String(Math.floor((2000 * steps) / elapsedMs)).padStart(8)} locks/sec\r`);
      since = performance.now();
      steps = 0;
    }
  }

  #read(map: Uint8Array | undefined, at: number): number {
    // Others change the mapped byte: read anew after the lock call.
    if (map !== undefined) return Atomics.load(map, at);
    if (this.#transfer(() => fs.readSync(this.#descriptor, this.#byte, 0, 1, at)) !== 1) {
      printOut(`read failed at ${at}\n`);
    }
    return this.#byte[0] as number;
  }

  #write(map: Uint8Array | undefined, at: number, value: number): void {
    if (map !== undefined) {
      Atomics.store(map, at, value);
      return;
    }
    this.#byte[0] = value;
    if (this.#transfer(() => fs.writeSync(this.#descriptor, this.#byte, 0, 1, at)) !== 1) {
      printOut(`write failed at ${at}\n`);
    }
  }

  #transfer(action: () => number): number {
    try {
      return action();
    } catch {
      // Told by the caller in the original's words.
      return -1;
    }
  }
}
