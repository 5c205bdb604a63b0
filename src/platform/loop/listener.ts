/**
 * A listening socket in the event loop.
 *
 * Invariants:
 * 1. Accepting leaves some descriptors to others: without more than those the socket listens on, connections wait
 *    in the system, none is refused.
 * 2. A bounded number is accepted in one look, so that a flood of connections starves nobody.
 */
import { READY } from "../libc/epoll.ts";
import { DESCRIPTOR_FUNCTIONS, LIMIT_FUNCTIONS, LISTEN_FUNCTIONS } from "../libc/functions.ts";
import { ERRNO, errno, nativeMemory, openLibc } from "../libc/libc.ts";
import { SOCK_ACCEPTED } from "../libc/socket_types.ts";
import type { AcceptNotices, StreamServer } from "../types/network.ts";
import type { Timer } from "../types/time.ts";
import type { DescriptorOwner, EventLoop } from "./event_loop.ts";

const ACCEPTED_AT_ONCE_MAX = 16;
/** How often a listener that has stopped looks whether there is room. */
const CHECK_MS = 100;
const RLIMIT_NOFILE = 7;
/** The connection waits on: trying again at once would try for ever. */
const SYSTEM_IS_FULL: ReadonlySet<number> = new Set([
  ERRNO.EMFILE,
  ERRNO.ENFILE,
  ERRNO.ENOMEM,
  ERRNO.ENOBUFS,
]);
const F_DUPFD_CLOEXEC = 1030;

/** How many descriptors this process may have open. */
export function descriptorLimit(): number {
  const limits = nativeMemory(16);
  if (openLibc(LIMIT_FUNCTIONS).getrlimit(RLIMIT_NOFILE, limits.address) !== 0) {
    return Number.MAX_SAFE_INTEGER;
  }
  return Number(limits.view.getBigUint64(0, true));
}

export interface ListenerOptions {
  /** How many descriptors may be open. */
  readonly limit: () => number;
  /** So many of `limit` are for others. */
  readonly reserve: (limit: number) => number;
  readonly notices: AcceptNotices | undefined;
  /** The new descriptor is the callee's; `address` is where the peer's sockaddr lies, during the call. */
  accepted(descriptor: number, address: number): void;
  /** What else goes with the listener, for example its path. */
  closed?(): void;
}

export class Listener implements StreamServer, DescriptorOwner {
  readonly #loop: EventLoop;
  readonly #descriptor: number;
  readonly #options: ListenerOptions;
  readonly #libc = openLibc(LISTEN_FUNCTIONS);
  readonly #descriptors = openLibc(DESCRIPTOR_FUNCTIONS);
  readonly #address = nativeMemory(128);
  readonly #addressLength = nativeMemory(4);
  #over = false;
  /** Set while there is no room. */
  #check: Timer | undefined;

  constructor(loop: EventLoop, descriptor: number, options: ListenerOptions) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#options = options;
    loop.watch(descriptor, READY.READ, this);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#check?.cancel();
    this.#loop.forget(this.#descriptor);
    this.#descriptors.close(this.#descriptor);
    this.#options.closed?.();
  }

  onReady(): void {
    for (let i = 0; i < ACCEPTED_AT_ONCE_MAX && !this.#over; i++) {
      if (!this.#hasRoom()) {
        this.#pause();
        return;
      }
      this.#addressLength.words[0] = this.#address.bytes.length;
      const descriptor = this.#libc.accept4(
        this.#descriptor,
        this.#address.address,
        this.#addressLength.address,
        SOCK_ACCEPTED,
      );
      if (descriptor === -1) {
        // Otherwise none waits any more, or the one that waited has gone.
        if (SYSTEM_IS_FULL.has(errno())) this.#pause();
        return;
      }
      this.#options.accepted(descriptor, this.#address.address);
    }
  }

  #pause(): void {
    this.#loop.change(this.#descriptor, 0);
    this.#check = this.#loop.every(CHECK_MS, () => {
      if (!this.#hasRoom()) return;
      this.#check?.cancel();
      this.#loop.change(this.#descriptor, READY.READ);
      this.#options.notices?.resumed();
    });
    this.#options.notices?.paused(this.#options.limit());
  }

  /** A new descriptor gets the lowest number that is free. */
  #hasRoom(): boolean {
    const { limit, reserve } = this.#options;
    const next = this.#descriptors.fcntl(this.#descriptor, F_DUPFD_CLOEXEC, 0);
    if (next < 0) return false;
    this.#descriptors.close(next);
    const max = limit();
    return next < max - reserve(max);
  }
}
