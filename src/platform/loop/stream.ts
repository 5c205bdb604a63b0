/**
 * A byte stream over a connected socket, in the event loop.
 *
 * Invariants:
 * 1. No handler runs inside write(), pause(), resume() or close(), nor after close().
 * 2. onClose comes once, after everything that had arrived: end of stream and error are the same end here (no
 *    half-open streams). A paused stream learns of the end only when nothing more can come, and is then read to its
 *    end.
 * 3. Nothing is buffered: `write` takes what the kernel takes.
 * 4. The descriptor is ours and closed exactly once.
 */
import type { SystemError } from "../../base/errors.ts";
import { READY } from "../libc/epoll.ts";
import { STREAM_FUNCTIONS } from "../libc/functions.ts";
import { ERRNO, errno, openLibc, systemError } from "../libc/libc.ts";
import { closeDescriptor } from "../libc/pipe.ts";
import type { Stream, StreamHandlers } from "../types/network.ts";
import type { DescriptorOwner, EventLoop } from "./event_loop.ts";
import { RECEIVE_BYTES_MAX, receiveBuffer } from "./receive_buffer.ts";

/** MSG_DONTWAIT, and for sending MSG_NOSIGNAL. */
const RECEIVE_FLAGS = 0x40;
const SEND_FLAGS = 0x4040;

const libc = openLibc(STREAM_FUNCTIONS);

export interface StreamFacts {
  /** For errors: path or address. */
  readonly name: string;
  readonly peer: Stream["peer"];
  readonly remoteAddress: string | undefined;
}

export class SocketStream implements Stream, DescriptorOwner {
  readonly peer: Stream["peer"];
  readonly remoteAddress: string | undefined;
  readonly #name: string;
  readonly #loop: EventLoop;
  readonly #descriptor: number;
  readonly #buffer = receiveBuffer();
  #handlers: StreamHandlers | undefined;
  #paused = false;
  /** `write` took less than it was given. */
  #full = false;
  #over = false;

  constructor(loop: EventLoop, descriptor: number, facts: StreamFacts) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#name = facts.name;
    this.peer = facts.peer;
    this.remoteAddress = facts.remoteAddress;
  }

  /** From now on the stream is read. It may have been paused, or closed, before. */
  serve(handlers: StreamHandlers): void {
    if (this.#over) return;
    this.#handlers = handlers;
    this.#loop.watch(this.#descriptor, this.#interest, this);
  }

  write(bytes: Uint8Array): number {
    if (this.#over || bytes.length === 0) return 0;
    const taken = libc.send(this.#descriptor, bytes, bytes.length, SEND_FLAGS);
    if (taken === bytes.length) return taken;
    // After an error the loop has the end of the stream for us.
    this.#full = true;
    this.#update();
    return Math.max(taken, 0);
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#update();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#update();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#handlers !== undefined) this.#loop.forget(this.#descriptor);
    this.#handlers = undefined;
    closeDescriptor(this.#descriptor);
  }

  onReady(events: number): void {
    if ((events & READY.WRITE) !== 0 && this.#full) {
      this.#full = false;
      this.#update();
      this.#handlers?.onDrain();
      if (this.#over) return;
    }
    const hungUp = (events & (READY.HANGUP | READY.ERROR)) !== 0;
    if (hungUp || (!this.#paused && (events & READY.READ) !== 0)) this.#read();
  }

  get #interest(): number {
    return (this.#paused ? 0 : READY.READ) | (this.#full ? READY.WRITE : 0);
  }

  #update(): void {
    if (this.#handlers !== undefined) this.#loop.change(this.#descriptor, this.#interest);
  }

  #read(): void {
    const { address, views } = this.#buffer;
    const count = libc.recv(this.#descriptor, address, RECEIVE_BYTES_MAX, RECEIVE_FLAGS);
    if (count > 0) {
      this.#handlers?.onData(views.of(count));
      return;
    }
    if (count === 0) {
      this.#end(undefined);
      return;
    }
    const number = errno();
    if (number === ERRNO.EAGAIN || number === ERRNO.EINTR) return;
    this.#end(systemError(number, "recv", this.#name));
  }

  #end(reason: SystemError | undefined): void {
    const handlers = this.#handlers;
    this.close();
    handlers?.onClose(reason);
  }
}
