/**
 * Bun's own loop, as ours sees it (platform/types/runtime.ts; docs/platform.md, "The loop").
 *
 * The runtime watches sockets only. A copy of our epoll descriptor that is handed to it as one is readable when
 * our set has something; reading it fails, the "socket" is closed, and that is the wake-up. So each sleep has a copy of
 * its own.
 */
import { drainMicrotasks } from "bun:jsc";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { bytesText } from "../../base/byte_text.ts";
import { DESCRIPTOR_FUNCTIONS } from "../libc/functions.ts";
import { errno, openLibc, systemError } from "../libc/libc.ts";
import type { MakeRuntimeLoop, RuntimeLoop } from "../types/runtime.ts";

const F_DUPFD_CLOEXEC = 1030;

/** The types of Bun.connect leave out `fd`, for which its own FdSocketOptions are. */
const adoptDescriptor = Bun.connect as unknown as (
  options: Bun.FdSocketOptions<undefined>,
) => Promise<unknown>;

class BunRuntimeLoop implements RuntimeLoop {
  readonly #epoll: number;
  readonly #libc = openLibc(DESCRIPTOR_FUNCTIONS);
  #woken: () => void = () => {};
  #searched = false;
  descriptor: number | undefined;

  readonly #handlers = {
    open() {},
    data() {},
    error() {},
    close: () => {
      try {
        this.#woken();
      } catch (error) {
        // What a socket's handler throws vanishes in its error event.
        setImmediate(() => {
          throw error;
        });
      }
    },
  };

  constructor(epoll: number) {
    this.#epoll = epoll;
  }

  sleep(woken: () => void): void {
    this.#woken = woken;
    const copy = this.#libc.fcntl(this.#epoll, F_DUPFD_CLOEXEC, 0);
    if (copy === -1) throw systemError(errno(), "fcntl(F_DUPFD_CLOEXEC)", "event loop");
    void adoptDescriptor({ fd: copy, socket: this.#handlers });
    if (this.#searched) return;
    this.#searched = true;
    this.descriptor = whoWatches(copy);
  }

  afterLook(action: () => void): void {
    setImmediate(action);
  }

  drainMicrotasks(): void {
    drainMicrotasks();
  }
}

/** The epoll set of this process that has the descriptor; undefined when the system does not tell. */
function whoWatches(descriptor: number): number | undefined {
  const entry = new RegExp(`^tfd:\\s*${descriptor} `, "m");
  try {
    return readdirSync("/proc/self/fd")
      .filter((name) => isEpoll(name))
      .map(Number)
      .find((epoll) => entry.test(bytesText(readFileSync(`/proc/self/fdinfo/${epoll}`))));
  } catch {
    // No /proc, or not a descriptor left to read it.
    return undefined;
  }
}

function isEpoll(name: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${name}`) === "anon_inode:[eventpoll]";
  } catch {
    // The descriptor of the listing itself.
    return false;
  }
}

export const makeRuntimeLoop: MakeRuntimeLoop = (epoll) => new BunRuntimeLoop(epoll);
