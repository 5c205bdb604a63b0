/**
 * A byte stream over one of Bun's native sockets.
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
import { freeNow } from "../../base/free_now.ts";
import { systemErrorFrom } from "../node/thrown_error.ts";
import type { Stream, StreamHandlers } from "../types/network.ts";

export type NativeSocket = Bun.Socket<SocketStream>;

/** Bun sets `fd` on its sockets; its types do not say so. −1 after the end. */
export function descriptorOf(socket: NativeSocket): number {
  return "fd" in socket && typeof socket.fd === "number" ? socket.fd : -1;
}

const ignoringHandlers: StreamHandlers = { onData() {}, onDrain() {}, onClose() {} };

/** How a stream ended: `cause` is what the socket said, undefined for an orderly end. */
type End = { readonly cause: unknown };

export class SocketStream implements Stream {
  readonly peer: Stream["peer"];
  readonly remoteAddress: string | undefined;
  /** For errors: path or address. */
  readonly #name: string;
  readonly #socket: NativeSocket;
  #handlers: StreamHandlers | undefined;
  /** The end came before anybody served the stream. */
  #unseenEnd: End | undefined;
  #inCall = false;
  #ended = false;

  constructor(
    socket: NativeSocket,
    facts: { name: string; peer: Stream["peer"]; remoteAddress: string | undefined },
  ) {
    this.#socket = socket;
    this.#name = facts.name;
    this.peer = facts.peer;
    this.remoteAddress = facts.remoteAddress;
  }

  serve(handlers: StreamHandlers): void {
    if (this.#handlers !== undefined) return;
    this.#handlers = handlers;
    const end = this.#unseenEnd;
    if (end !== undefined) setImmediate(() => this.#tellEnd(end));
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
    // As guarded(), without a closure for each chunk.
    try {
      this.#handlers?.onData(chunk);
    } catch (error) {
      throwFromTheLoop(error);
    }
    freeNow(chunk);
  }

  /** The native socket can take more. */
  drained(): void {
    guarded(() => this.#handlers?.onDrain());
  }

  /** The native socket ended or failed. */
  ended(cause: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.end();
    if (this.#handlers === undefined) this.#unseenEnd = { cause };
    else if (this.#inCall) setImmediate(() => this.#tellEnd({ cause }));
    else this.#tellEnd({ cause });
  }

  #tellEnd({ cause }: End): void {
    const handlers = this.#handlers;
    this.#handlers = ignoringHandlers;
    const reason: SystemError | undefined =
      cause === undefined || cause === null
        ? undefined
        : systemErrorFrom(cause, "recv", this.#name);
    guarded(() => handlers?.onClose(reason));
  }
}

/** Runs what a native socket calls; what it throws ends the process. */
export function guarded(action: () => void): void {
  try {
    action();
  } catch (error) {
    throwFromTheLoop(error);
  }
}

function throwFromTheLoop(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
