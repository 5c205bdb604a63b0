/**
 * A byte stream over one of the runtime's own sockets (unix_connect.ts says for whom).
 *
 * Invariants:
 * 1. No handler runs inside write(), pause(), resume() or close(), nor after close().
 * 2. onClose comes once: end of stream and error are the same end here (no half-open streams).
 * 3. What a handler throws is a bug of ours: it ends the process instead of vanishing in the socket's
 *    error event.
 *
 * Must not: buffer. `write` takes what the kernel takes.
 */
import type { SystemError } from "../../base/errors.ts";
import { systemErrorFrom } from "../node/thrown_error.ts";
import type { Stream, StreamHandlers } from "../types/network.ts";

export type NativeSocket = Bun.Socket<SocketStream>;

const ignoringHandlers: StreamHandlers = { onData() {}, onDrain() {}, onClose() {} };

export class SocketStream implements Stream {
  /** Nobody asks who a daemon is; asking the kernel would take the C library. */
  readonly peer = undefined;
  readonly remoteAddress = undefined;
  /** For errors. */
  readonly #path: string;
  readonly #socket: NativeSocket;
  #handlers: StreamHandlers = ignoringHandlers;
  #inCall = false;
  #ended = false;

  constructor(socket: NativeSocket, path: string) {
    this.#socket = socket;
    this.#path = path;
  }

  serve(handlers: StreamHandlers): void {
    this.#handlers = handlers;
  }

  write(bytes: Uint8Array): number {
    if (this.#ended || bytes.length === 0) return 0;
    this.#inCall = true;
    const taken = this.#socket.write(bytes);
    this.#inCall = false;
    // −1: the other end is gone; the close event follows.
    return Math.max(taken, 0);
  }

  pause(): void {
    if (!this.#ended) this.#socket.pause();
  }

  resume(): void {
    if (!this.#ended) this.#socket.resume();
  }

  close(): void {
    this.#handlers = ignoringHandlers;
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
  }

  /** The native socket has data. */
  received(chunk: Uint8Array): void {
    guarded(() => this.#handlers.onData(chunk));
  }

  /** The native socket can take more. */
  drained(): void {
    guarded(() => this.#handlers.onDrain());
  }

  /** The native socket ended or failed. */
  ended(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
    const reason: SystemError | undefined =
      cause === undefined || cause === null
        ? undefined
        : systemErrorFrom(cause, "recv", this.#path);
    if (this.#inCall) setImmediate(() => this.#tellEnd(reason));
    else this.#tellEnd(reason);
  }

  #tellEnd(reason: SystemError | undefined): void {
    const handlers = this.#handlers;
    this.#handlers = ignoringHandlers;
    guarded(() => handlers.onClose(reason));
  }
}

/** Runs what a native socket calls; what it throws ends the process. */
export function guarded(action: () => void): void {
  try {
    action();
  } catch (error) {
    setImmediate(() => {
      throw error;
    });
  }
}
