/**
 * Outgoing TCP connections from a given local address.
 *
 * The socket is made, bound and connected through the C library, because then it can be cancelled while
 * it waits: closing it stops the kernel's retries. Bun adopts it at once; its first writable event says that
 * the connection stands, and a refusal arrives as a close event with the reason.
 *
 * Must not: resolve names, or leave a descriptor behind on any path.
 */
import * as fs from "node:fs";
import { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { ERRNO, errno, openLibc, systemError, systemErrorFrom } from "../libc/libc.ts";
import { pendingError, setNodeLinkOptions, socketAddress } from "../libc/socket_address.ts";
import type { ConnectCallback } from "../types/network.ts";
import type { Timer, Timers } from "../types/time.ts";
import { descriptorOf, guarded, type NativeSocket, SocketStream } from "./socket_stream.ts";

const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const libc = openLibc({
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
});

/** The types of Bun.connect leave out `fd`, for which its own FdSocketOptions are. */
const adoptDescriptor = Bun.connect as unknown as (
  options: Bun.FdSocketOptions<SocketStream>,
) => Promise<NativeSocket>;

export interface TcpTarget {
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string;
  readonly timeoutMs: number;
}

export function connectTcp(to: TcpTarget, timers: Timers, connected: ConnectCallback): Timer {
  return new TcpConnection(to, timers, connected);
}

type State = "connecting" | "connected" | "over";

class TcpConnection implements Timer {
  readonly #name: string;
  readonly #connected: ConnectCallback;
  #state: State = "connecting";
  #timeout: Timer | undefined;
  #socket: NativeSocket | undefined;
  #stream: SocketStream | undefined;

  constructor(to: TcpTarget, timers: Timers, connected: ConnectCallback) {
    this.#name = `${to.address}:${to.port}`;
    this.#connected = connected;
    const opened = openSocket(to);
    if (!opened.ok) {
      setImmediate(() => this.#fail(opened.error));
      return;
    }
    this.#timeout = timers.after(to.timeoutMs, () =>
      this.#fail(systemError(ERRNO.ETIMEDOUT, "connect", this.#name)),
    );
    this.#adopt(opened.value);
  }

  cancel(): void {
    if (this.#state !== "connecting") return;
    this.#becomeOver();
  }

  #adopt(descriptor: number): void {
    const adopted = adoptDescriptor({
      fd: descriptor,
      socket: {
        open: (socket) => {
          this.#socket = socket;
          if (this.#state === "over") socket.terminate();
        },
        drain: () => {
          if (this.#stream === undefined) this.#established();
          else this.#stream.drained();
        },
        data: (_socket, chunk) => {
          if (this.#stream === undefined) this.#established();
          this.#stream?.received(chunk);
        },
        end: () => this.#ended(undefined),
        error: (_socket, error) => this.#ended(error),
        close: (_socket, error) => this.#ended(error),
      },
    });
    adopted.catch((error: unknown) => {
      fs.close(descriptor, () => {});
      this.#fail(systemErrorFrom(error, "connect", this.#name));
    });
  }

  #established(): void {
    const socket = this.#socket;
    if (this.#state !== "connecting" || socket === undefined) return;
    const number = pendingError(descriptorOf(socket));
    if (number !== 0) {
      this.#fail(systemError(number, "connect", this.#name));
      return;
    }
    this.#state = "connected";
    this.#timeout?.cancel();
    this.#stream = new SocketStream(socket, {
      name: this.#name,
      peer: undefined,
      remoteAddress: socket.remoteAddress,
    });
    const stream = this.#stream;
    guarded(() => {
      const handlers = this.#connected(ok(stream));
      if (handlers === undefined) stream.close();
      else stream.serve(handlers);
    });
  }

  #ended(error: Error | undefined): void {
    if (this.#stream !== undefined) this.#stream.ended(error);
    else if (error !== undefined) this.#fail(systemErrorFrom(error, "connect", this.#name));
    else this.#fail(new SystemError("ECONNRESET", "connect", this.#name));
  }

  #fail(reason: SystemError): void {
    if (this.#state !== "connecting") return;
    this.#becomeOver();
    guarded(() => this.#connected(err(reason)));
  }

  #becomeOver(): void {
    this.#state = "over";
    this.#timeout?.cancel();
    this.#socket?.terminate();
  }
}

/** A descriptor whose connection is under way. */
function openSocket(to: TcpTarget): Result<number, SystemError> {
  const name = `${to.address}:${to.port}`;
  const remote = socketAddress(to.address, to.port);
  if (remote === undefined) return err(systemError(ERRNO.EINVAL, "connect", name));
  const descriptor = libc.socket(remote.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor === -1) return err(systemError(errno(), "socket", name));
  const failed = (call: string, about: string, number = errno()) => {
    fs.closeSync(descriptor);
    return err(systemError(number, call, about));
  };
  setNodeLinkOptions(descriptor);
  if (to.localAddress !== undefined) {
    const local = socketAddress(to.localAddress, 0);
    if (local === undefined) return failed("bind", to.localAddress, ERRNO.EINVAL);
    if (libc.bind(descriptor, local.memory.address, local.memory.bytes.length) !== 0) {
      return failed("bind", to.localAddress);
    }
  }
  if (libc.connect(descriptor, remote.memory.address, remote.memory.bytes.length) !== 0) {
    const number = errno();
    if (number !== ERRNO.EINPROGRESS && number !== ERRNO.EINTR)
      return failed("connect", name, number);
  }
  return ok(descriptor);
}
