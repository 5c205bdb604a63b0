/**
 * Keeps a listener from taking the last descriptors of the process.
 *
 * The runtime accepts by itself, in one go as many connections as there are; without descriptors it tries
 * again at once, for ever. So after each connection we look whether there is room for one more, and if not we take
 * the listening socket out of the runtime's epoll set until there is. Its number stands for something else meanwhile,
 * which ends the round of accepts that is under way.
 *
 * Invariants:
 * 1. While the gate is shut the socket listens on: connections wait in the system, none is refused.
 * 2. At most one connection has a descriptor of the reserve: the one that was accepted when others had taken the
 *    last before it.
 * 3. When others take even the reserve, the gate is shut within a second, without a new descriptor.
 * 4. Without its entry in /proc the gate stays open, as if it were not there.
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { bytesText } from "../../base/byte_text.ts";
import { nativeMemory, openLibc } from "../libc/libc.ts";
import { closeDescriptor } from "../libc/pipe.ts";
import type { AcceptNotices } from "../types/network.ts";

const CHECK_OPEN_MS = 1000;
const CHECK_SHUT_MS = 100;
const RLIMIT_NOFILE = 7;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;
/** struct epoll_event is packed on x86 only. */
const EVENT_DATA_AT = process.arch === "x64" ? 4 : 8;

const libc = openLibc({
  getrlimit: { args: ["i32", "ptr"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  dup3: { args: ["i32", "i32", "i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
});

/** How many descriptors this process may have open. */
export function descriptorLimit(): number {
  const limits = nativeMemory(16);
  if (libc.getrlimit(RLIMIT_NOFILE, limits.address) !== 0) return Number.MAX_SAFE_INTEGER;
  return Number(limits.view.getBigUint64(0, true));
}

/** A socket's place in the epoll set of the runtime's loop. */
interface EpollEntry {
  readonly epoll: number;
  readonly events: number;
  readonly data: bigint;
}

export interface AcceptGateOptions {
  readonly limit: () => number;
  /** So many of `limit` are for others. */
  readonly reserve: (limit: number) => number;
  readonly notices: AcceptNotices | undefined;
}

export class AcceptGate {
  readonly #descriptor: number;
  readonly #options: AcceptGateOptions;
  readonly #entry: EpollEntry | undefined;
  #shut = false;
  /** The listening socket while its own number stands for something else. */
  #kept: number | undefined;
  #check: ReturnType<typeof setTimeout> | undefined;

  constructor(descriptor: number, options: AcceptGateOptions) {
    this.#descriptor = descriptor;
    this.#options = options;
    this.#entry = entryOf(descriptor);
    this.#planCheck();
  }

  /** The runtime has accepted a connection. */
  accepted(): void {
    if (!this.#shut && !this.#hasRoom()) this.#close();
  }

  /** The listener is closed. */
  end(): void {
    clearTimeout(this.#check);
    if (this.#kept !== undefined) closeDescriptor(this.#kept);
    this.#kept = undefined;
  }

  #planCheck(): void {
    const check = setTimeout(
      () => {
        const room = this.#hasRoom();
        if (this.#shut && room) this.#open();
        else if (!this.#shut && !room) this.#close();
        this.#planCheck();
      },
      this.#shut ? CHECK_SHUT_MS : CHECK_OPEN_MS,
    );
    check.unref();
    this.#check = check;
  }

  #close(): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    if (libc.epoll_ctl(entry.epoll, EPOLL_CTL_DEL, this.#descriptor, null) !== 0) return;
    this.#shut = true;
    const kept = libc.fcntl(this.#descriptor, F_DUPFD_CLOEXEC, 0);
    if (kept >= 0) {
      this.#kept = kept;
      libc.dup3(entry.epoll, this.#descriptor, O_CLOEXEC);
    }
    clearTimeout(this.#check);
    this.#planCheck();
    this.#options.notices?.paused(this.#options.limit());
  }

  #open(): void {
    const entry = this.#entry;
    if (entry === undefined) return;
    if (this.#kept !== undefined) {
      libc.dup3(this.#kept, this.#descriptor, O_CLOEXEC);
      closeDescriptor(this.#kept);
      this.#kept = undefined;
    }
    const event = nativeMemory(16);
    event.view.setUint32(0, entry.events, true);
    event.view.setBigUint64(EVENT_DATA_AT, entry.data, true);
    libc.epoll_ctl(entry.epoll, EPOLL_CTL_ADD, this.#descriptor, event.address);
    this.#shut = false;
    this.#options.notices?.resumed();
  }

  /** A new descriptor gets the lowest number that is free. */
  #hasRoom(): boolean {
    const { limit, reserve } = this.#options;
    const next = libc.fcntl(this.#descriptor, F_DUPFD_CLOEXEC, 0);
    if (next < 0) return false;
    closeDescriptor(next);
    const max = limit();
    return next < max - reserve(max);
  }
}

/** Where the runtime has put the socket; undefined when the system does not tell. */
function entryOf(descriptor: number): EpollEntry | undefined {
  const line = new RegExp(
    `^tfd:\\s*${descriptor} events:\\s*([0-9a-f]+) data:\\s*([0-9a-f]+)`,
    "m",
  );
  try {
    for (const name of readdirSync("/proc/self/fd")) {
      if (!isEpoll(name)) continue;
      const found = line.exec(bytesText(readFileSync(`/proc/self/fdinfo/${name}`)));
      if (found === null) continue;
      const [, events = "", data = ""] = found;
      return {
        epoll: Number(name),
        events: Number.parseInt(events, 16),
        data: BigInt(`0x${data}`),
      };
    }
  } catch {
    // No /proc, or not a descriptor left to read it.
  }
  return undefined;
}

function isEpoll(name: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${name}`) === "anon_inode:[eventpoll]";
  } catch {
    // The descriptor of the listing itself.
    return false;
  }
}
