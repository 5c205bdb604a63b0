/** The reading end of a pipe in the event loop. */

import { READY } from "../libc/epoll.ts";
import { DESCRIPTOR_FUNCTIONS } from "../libc/functions.ts";
import { ERRNO, errno, openLibc } from "../libc/libc.ts";
import { closeDescriptor, setNonBlocking } from "../libc/pipe.ts";
import type { DescriptorOwner, EventLoop } from "./event_loop.ts";
import { receiveBuffer } from "./receive_buffer.ts";

class PipeReader implements DescriptorOwner {
  readonly #loop: EventLoop;
  readonly #descriptor: number;
  readonly #onChunk: (chunk: Uint8Array) => void;
  readonly #onEnd: () => void;

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
    const { bytes, views } = receiveBuffer();
    const count = openLibc(DESCRIPTOR_FUNCTIONS).read(this.#descriptor, bytes, bytes.length);
    if (count > 0) {
      this.#onChunk(views.of(count));
      return;
    }
    const number = count === 0 ? 0 : errno();
    if (number === ERRNO.EAGAIN || number === ERRNO.EINTR) return;
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
): void {
  setNonBlocking(descriptor);
  new PipeReader(loop, descriptor, onChunk, onEnd);
}
