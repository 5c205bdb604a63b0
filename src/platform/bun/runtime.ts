/**
 * Bun's own loop, as ours sees it (platform/types/runtime.ts; docs/platform.md, "The loop").
 *
 * The runtime watches sockets only. It gets one half of a socket pair, and we look up how it has entered that in its epoll
 * set. While it shall watch us, our epoll descriptor stands in that set in the socket's place, with the
 * socket's entry: when our set has something, the runtime reads the socket, finds the byte that always lies there, and
 * its `data` is the wake-up. That costs four short system calls a sleep.
 */
import { drainMicrotasks, heapStats } from "bun:jsc";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { bytesText } from "../../base/byte_text.ts";
import { EPOLL_CONTROL, EVENT_DATA_WORD, READY } from "../libc/epoll.ts";
import { DESCRIPTOR_FUNCTIONS, LOOP_FUNCTIONS, PAIR_FUNCTIONS } from "../libc/functions.ts";
import { errno, nativeMemory, openLibc, systemError } from "../libc/libc.ts";
import { AF_UNIX, SOCK_STREAM } from "../libc/socket_types.ts";
import type {
  CollectGarbage,
  CountObjects,
  MakeRuntimeLoop,
  RuntimeLoop,
} from "../types/runtime.ts";

const ONE_BYTE = new Uint8Array(1);

/** The types of Bun.connect leave out `fd`, for which its own FdSocketOptions are. */
const adoptDescriptor = Bun.connect as unknown as (
  options: Bun.FdSocketOptions<undefined>,
) => Promise<unknown>;

class BunRuntimeLoop implements RuntimeLoop {
  readonly #epoll: number;
  readonly #libc = openLibc(LOOP_FUNCTIONS);
  readonly #write = openLibc(DESCRIPTOR_FUNCTIONS).write;
  readonly descriptor: number;
  /** What we write to, for the runtime to read. */
  readonly #far: number;
  /** The socket's entry in the runtime's set. */
  readonly #event = nativeMemory(16);
  #socket: Bun.Socket<undefined> | undefined;
  #woken: () => void = () => {};

  constructor(epoll: number) {
    this.#epoll = epoll;
    const [near, far] = socketPair();
    this.#far = far;
    void adoptDescriptor({
      fd: near,
      socket: {
        open: (socket) => {
          this.#socket = socket;
        },
        data: () => this.#wake(),
      },
    });
    const entry = entryOf(near);
    this.descriptor = entry.epoll;
    this.#event.view.setUint32(0, READY.READ, true);
    this.#event.view.setBigUint64(4 * EVENT_DATA_WORD, entry.data, true);
    this.#control(EPOLL_CONTROL.DELETE, near);
    this.#socket?.unref();
    this.#write(far, ONE_BYTE, 1);
  }

  sleep(woken: () => void): void {
    this.#woken = woken;
    this.#socket?.ref();
    this.#control(EPOLL_CONTROL.ADD, this.#epoll);
  }

  afterLook(action: () => void): void {
    setImmediate(action);
  }

  drainMicrotasks(): void {
    drainMicrotasks();
  }

  #wake(): void {
    this.#control(EPOLL_CONTROL.DELETE, this.#epoll);
    this.#socket?.unref();
    this.#write(this.#far, ONE_BYTE, 1);
    try {
      this.#woken();
    } catch (error) {
      // What a socket's handler throws vanishes in its error event.
      setImmediate(() => {
        throw error;
      });
    }
  }

  #control(operation: number, descriptor: number): void {
    const { address } = this.#event;
    if (this.#libc.epoll_ctl(this.descriptor, operation, descriptor, address) === 0) return;
    throw systemError(errno(), "epoll_ctl", "the runtime's loop");
  }
}

function socketPair(): readonly [number, number] {
  const pair = nativeMemory(8);
  if (openLibc(PAIR_FUNCTIONS).socketpair(AF_UNIX, SOCK_STREAM, 0, pair.address) !== 0) {
    throw systemError(errno(), "socketpair", "event loop");
  }
  return [pair.words[0] as number, pair.words[1] as number];
}

/** A descriptor's place in the epoll set that the runtime has it in. */
function entryOf(descriptor: number): { readonly epoll: number; readonly data: bigint } {
  const line = new RegExp(`^tfd:\\s*${descriptor} events:.* data:\\s*([0-9a-f]+)`, "m");
  for (const name of readdirSync("/proc/self/fd")) {
    if (!isEpoll(name)) continue;
    const data = line.exec(bytesText(readFileSync(`/proc/self/fdinfo/${name}`)))?.[1];
    if (data !== undefined) return { epoll: Number(name), data: BigInt(`0x${data}`) };
  }
  throw new Error(
    "Cannot find the runtime's loop: no epoll set in /proc/self/fdinfo has its socket",
  );
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

export const collectGarbage: CollectGarbage = () => void Bun.gc(true);

export const countObjects: CountObjects = () => heapStats().objectTypeCounts;
