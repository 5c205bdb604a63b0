/** The reading end of a pipe in the event loop. */
import { READY } from "../libc/epoll.ts";
import { DESCRIPTOR_FUNCTIONS } from "../libc/functions.ts";
import { ERRNO, errno, openLibc } from "../libc/libc.ts";
import { closeDescriptor, setNonBlocking } from "../libc/pipe.ts";
import type { DescriptorOwner, EventLoop } from "./event_loop.ts";
import { receiveBuffer } from "./receive_buffer.ts";

/** A pipe holds 64 KiB unless somebody made it larger: what a busy writer adds meanwhile is not waited for. */
const READS_AT_END_MAX = 64;

export interface DrainedPipe {
  /** Reads what is in the pipe now, then closes it, whoever has its other end. */
  finish(): void;
}

class PipeReader implements DescriptorOwner, DrainedPipe {
  readonly #loop: EventLoop;
  readonly #descriptor: number;
  readonly #onChunk: (chunk: Uint8Array) => void;
  readonly #onEnd: () => void;
  #open = true;

  constructor(
    loop: EventLoop,
    descriptor: number,
    onChunk: (chunk: Uint8Array) => void,
    onEnd: () => void,
  ) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#onChunk = onChunk;
    this.#onEnd = onEnd;
    loop.watch(descriptor, READY.READ, this);
  }

  onReady(): void {
    this.#read();
  }

  finish(): void {
    for (let reads = 0; reads < READS_AT_END_MAX && this.#read(); reads++);
    this.#end();
  }

  /** False when there is nothing, now or ever. */
  #read(): boolean {
    if (!this.#open) return false;
    const { bytes, views } = receiveBuffer();
    const count = openLibc(DESCRIPTOR_FUNCTIONS).read(this.#descriptor, bytes, bytes.length);
    if (count > 0) {
      this.#onChunk(views.of(count));
      return true;
    }
    const number = count === 0 ? 0 : errno();
    if (number === ERRNO.EINTR) return true;
    if (number !== ERRNO.EAGAIN) this.#end();
    return false;
  }

  #end(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#loop.forget(this.#descriptor);
    closeDescriptor(this.#descriptor);
    this.#onEnd();
  }
}

/** Reads until the end, then closes the descriptor. A chunk is valid during the call only. */
export function drainPipe(
  loop: EventLoop,
  descriptor: number,
  onChunk: (chunk: Uint8Array) => void,
  onEnd: () => void,
): DrainedPipe {
  setNonBlocking(descriptor);
  return new PipeReader(loop, descriptor, onChunk, onEnd);
}
