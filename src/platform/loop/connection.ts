/**
 * Outgoing connections: unix sockets by path, TCP from a given local address.
 *
 * Invariants:
 * 1. The callback comes once and never inside the call that asked for the connection, or not at all after `cancel`.
 * 2. No descriptor stays behind on any path; closing it stops the kernel's attempts.
 *
 * Must not: resolve names.
 */
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { READY } from "../libc/epoll.ts";
import { LISTEN_FUNCTIONS, SOCKET_FUNCTIONS } from "../libc/functions.ts";
import { ERRNO, errno, openLibc, systemError } from "../libc/libc.ts";
import { closeDescriptor } from "../libc/pipe.ts";
import {
  peerCredentials,
  pendingError,
  type SocketAddress,
  setNodeLinkOptions,
  socketAddress,
  unixAddress,
} from "../libc/socket_address.ts";
import { AF_UNIX, SOCK_STREAM } from "../libc/socket_types.ts";
import type { ConnectCallback } from "../types/network.ts";
import type { Timer } from "../types/time.ts";
import type { DescriptorOwner, EventLoop } from "./event_loop.ts";
import { SocketStream, type StreamFacts } from "./stream.ts";

/** Between attempts while the listener of a path has as many connections waiting as it keeps. */
const BACKLOG_RETRY_MS = 20;
/** A listener that takes nobody for so long is not there for us. */
const BACKLOG_RETRIES_MAX = 500;

export interface TcpTarget {
  readonly address: string;
  readonly port: number;
  readonly localAddress?: string;
  readonly timeoutMs: number;
}

/** Descriptor of a new socket. */
export function openStreamSocket(family: number, name: string): Result<number, SystemError> {
  const { socket } = openLibc(SOCKET_FUNCTIONS);
  const descriptor = socket(family, SOCK_STREAM, 0);
  return descriptor === -1 ? err(systemError(errno(), "socket", name)) : ok(descriptor);
}

type Begun = "connected" | "under_way" | "backlog_full" | SystemError;

/** What a connection is made of. */
interface Attempt {
  readonly name: string;
  /** A new socket each time. */
  open(): Result<number, SystemError>;
  readonly address: SocketAddress;
  factsOf(descriptor: number): StreamFacts;
}

class Connection implements Timer, DescriptorOwner {
  readonly #loop: EventLoop;
  readonly #attempt: Attempt;
  readonly #connected: ConnectCallback;
  #descriptor = -1;
  #watched = false;
  #retries = 0;
  #wait: Timer | undefined;
  #timeout: Timer | undefined;
  #over = false;

  constructor(
    loop: EventLoop,
    attempt: Attempt,
    timeoutMs: number | undefined,
    connected: ConnectCallback,
  ) {
    this.#loop = loop;
    this.#attempt = attempt;
    this.#connected = connected;
    if (timeoutMs !== undefined) {
      this.#timeout = loop.after(timeoutMs, () => this.#failWith(ERRNO.ETIMEDOUT));
    }
    this.#begin();
  }

  cancel(): void {
    if (this.#over) return;
    this.#finish();
    this.#close();
  }

  onReady(): void {
    const number = pendingError(this.#descriptor);
    if (number === 0) this.#succeed();
    else this.#failWith(number);
  }

  #begin(): void {
    const opened = this.#attempt.open();
    if (!opened.ok) {
      this.#loop.soon(() => this.#fail(opened.error));
      return;
    }
    this.#descriptor = opened.value;
    const begun = this.#connect();
    if (begun === "under_way") {
      this.#watched = true;
      this.#loop.watch(this.#descriptor, READY.WRITE, this);
    } else if (begun === "connected") {
      this.#loop.soon(() => this.#succeed());
    } else if (begun === "backlog_full" && this.#retries < BACKLOG_RETRIES_MAX) {
      this.#retries += 1;
      this.#close();
      this.#wait = this.#loop.after(BACKLOG_RETRY_MS, () => this.#begin());
    } else if (begun === "backlog_full") {
      this.#loop.soon(() => this.#failWith(ERRNO.EAGAIN));
    } else {
      this.#loop.soon(() => this.#fail(begun));
    }
  }

  #connect(): Begun {
    const { family, memory } = this.#attempt.address;
    const { connect } = openLibc(SOCKET_FUNCTIONS);
    if (connect(this.#descriptor, memory.address, memory.bytes.length) === 0) return "connected";
    const number = errno();
    if (number === ERRNO.EINPROGRESS || number === ERRNO.EINTR) return "under_way";
    if (number === ERRNO.EAGAIN && family === AF_UNIX) return "backlog_full";
    return systemError(number, "connect", this.#attempt.name);
  }

  #succeed(): void {
    if (this.#over) return;
    this.#finish();
    const descriptor = this.#descriptor;
    const stream = new SocketStream(this.#loop, descriptor, this.#attempt.factsOf(descriptor));
    const handlers = this.#connected(ok(stream));
    if (handlers === undefined) stream.close();
    else stream.serve(handlers);
  }

  #failWith(number: number): void {
    this.#fail(systemError(number, "connect", this.#attempt.name));
  }

  #fail(reason: SystemError): void {
    if (this.#over) return;
    this.#finish();
    this.#close();
    this.#connected(err(reason));
  }

  /** The descriptor is not the loop's any more. */
  #finish(): void {
    this.#over = true;
    this.#wait?.cancel();
    this.#timeout?.cancel();
    if (this.#watched) this.#loop.forget(this.#descriptor);
  }

  #close(): void {
    if (this.#descriptor !== -1) closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
  }
}

export function connectUnix(loop: EventLoop, path: string, connected: ConnectCallback): Timer {
  const address = unixAddress(path);
  if (address === undefined) return failSoon(loop, tooLong("connect", path), connected);
  const attempt: Attempt = {
    name: path,
    address,
    open: () => openStreamSocket(AF_UNIX, path),
    factsOf: (descriptor) => ({
      name: path,
      peer: peerCredentials(descriptor),
      remoteAddress: undefined,
    }),
  };
  return new Connection(loop, attempt, undefined, connected);
}

/** TCP_NODELAY and SO_KEEPALIVE are set. */
export function connectTcp(loop: EventLoop, to: TcpTarget, connected: ConnectCallback): Timer {
  const name = `${to.address}:${to.port}`;
  const address = socketAddress(to.address, to.port);
  if (address === undefined) {
    return failSoon(loop, systemError(ERRNO.EINVAL, "connect", name), connected);
  }
  const attempt: Attempt = {
    name,
    address,
    open: () => openBound(address.family, name, to.localAddress),
    factsOf: () => ({ name, peer: undefined, remoteAddress: to.address }),
  };
  return new Connection(loop, attempt, to.timeoutMs, connected);
}

/** A path that does not fit into an address. */
export function tooLong(call: string, path: string): SystemError {
  return systemError(ERRNO.ENAMETOOLONG, call, path);
}

function openBound(
  family: number,
  name: string,
  localAddress: string | undefined,
): Result<number, SystemError> {
  const opened = openStreamSocket(family, name);
  if (!opened.ok) return opened;
  setNodeLinkOptions(opened.value);
  if (localAddress === undefined) return opened;
  const number = bindTo(opened.value, localAddress);
  if (number === 0) return opened;
  closeDescriptor(opened.value);
  return err(systemError(number, "bind", localAddress));
}

/** 0, or the error number. */
function bindTo(descriptor: number, localAddress: string): number {
  const local = socketAddress(localAddress, 0);
  if (local === undefined) return ERRNO.EINVAL;
  const { bind } = openLibc(LISTEN_FUNCTIONS);
  return bind(descriptor, local.memory.address, local.memory.bytes.length) === 0 ? 0 : errno();
}

function failSoon(loop: EventLoop, reason: SystemError, connected: ConnectCallback): Timer {
  let cancelled = false;
  loop.soon(() => {
    if (!cancelled) connected(err(reason));
  });
  return {
    cancel() {
      cancelled = true;
    },
  };
}
