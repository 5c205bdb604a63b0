/**
 * Listening, connecting and interfaces, over the event loop.
 *
 * Invariants:
 * 1. A unix socket has its mode from the moment it exists (umask around the bind).
 * 2. Nothing that lies at a path is removed to make room: EADDRINUSE is the caller's to solve. Closing
 *    a unix listener removes its own path.
 * 3. Closing a listener leaves the accepted streams alone.
 * 4. Accepting never takes the last descriptors (listener.ts).
 *
 * Must not: resolve names.
 */
import { unlinkSync } from "node:fs";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { LISTEN_FUNCTIONS, SOCKET_FUNCTIONS } from "../libc/functions.ts";
import { networkInterfaces } from "../libc/interfaces.ts";
import { ERRNO, errno, nativeMemory, openLibc, systemError } from "../libc/libc.ts";
import { interfaceExists } from "../libc/link_interface.ts";
import { closeDescriptor } from "../libc/pipe.ts";
import {
  addressOfPeer,
  peerCredentials,
  type SocketAddress,
  setNodeLinkOptions,
  socketAddress,
  unixAddress,
} from "../libc/socket_address.ts";
import { AF_UNIX } from "../libc/socket_types.ts";
import { pathForCall } from "../node/path.ts";
import type {
  AcceptNotices,
  Acceptor,
  ConnectCallback,
  Network,
  StreamServer,
} from "../types/network.ts";
import type { Timer } from "../types/time.ts";
import {
  connectTcp,
  connectUnix,
  openStreamSocket,
  type TcpTarget,
  tooLong,
} from "./connection.ts";
import type { EventLoop } from "./event_loop.ts";
import { descriptorLimit, Listener } from "./listener.ts";
import { SocketStream, type StreamFacts } from "./stream.ts";

/** Descriptors that local clients leave to the node's own files, its children and its links. */
const CLIENTS_RESERVE_MAX = 64;
const CLIENTS_RESERVE_PART = 4;
/** What links of nodes and the node's own children leave to files. */
const NODE_RESERVE_MAX = 16;
const NODE_RESERVE_PART = 16;
/** The kernel cuts it to what the machine allows. */
const BACKLOG = 4096;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;

const RESERVES = {
  clients: (limit: number) =>
    Math.min(CLIENTS_RESERVE_MAX, Math.floor(limit / CLIENTS_RESERVE_PART)),
  node: (limit: number) => Math.min(NODE_RESERVE_MAX, Math.floor(limit / NODE_RESERVE_PART)),
};

export class LoopNetwork implements Network {
  readonly #loop: EventLoop;
  readonly #limit: () => number;

  /** `limit`: how many descriptors may be open. */
  constructor(loop: EventLoop, limit: () => number = descriptorLimit) {
    this.#loop = loop;
    this.#limit = limit;
  }

  listenUnix(
    path: string,
    mode: number,
    accept: Acceptor,
    notices?: AcceptNotices,
    acceptedFor: "clients" | "node" = "clients",
  ): Result<StreamServer, SystemError> {
    const address = unixAddress(path);
    if (address === undefined) return err(tooLong("bind", path));
    const before = process.umask(0o777 & ~mode);
    const opened = openListening(address, path);
    process.umask(before);
    if (!opened.ok) return opened;
    const listener = new Listener(this.#loop, opened.value, {
      limit: this.#limit,
      reserve: RESERVES[acceptedFor],
      notices,
      accepted: (descriptor) => {
        const peer = peerCredentials(descriptor);
        this.#serve(descriptor, { name: path, peer, remoteAddress: undefined }, accept);
      },
      closed: () => removePath(path),
    });
    return ok(listener);
  }

  listenTcp(
    address: string,
    port: number,
    accept: Acceptor,
    notices?: AcceptNotices,
  ): Result<StreamServer, SystemError> {
    const name = `${address}:${port}`;
    const local = socketAddress(address, port);
    if (local === undefined) return err(systemError(ERRNO.EINVAL, "bind", name));
    const opened = openListening(local, name);
    if (!opened.ok) return opened;
    const listener = new Listener(this.#loop, opened.value, {
      limit: this.#limit,
      reserve: RESERVES.node,
      notices,
      accepted: (descriptor, peerAddress) => {
        setNodeLinkOptions(descriptor);
        const remoteAddress = addressOfPeer(local.family, peerAddress);
        this.#serve(descriptor, { name, peer: undefined, remoteAddress }, accept);
      },
    });
    return ok(listener);
  }

  connectUnix(path: string, connected: ConnectCallback): Timer {
    return connectUnix(this.#loop, path, connected);
  }

  connectTcp(to: TcpTarget, connected: ConnectCallback): Timer {
    return connectTcp(this.#loop, to, connected);
  }

  interfaces(): ReturnType<Network["interfaces"]> {
    return networkInterfaces();
  }

  hasInterface(name: string): boolean {
    return interfaceExists(name);
  }

  #serve(descriptor: number, facts: StreamFacts, accept: Acceptor): void {
    const stream = new SocketStream(this.#loop, descriptor, facts);
    stream.serve(accept(stream));
  }
}

function openListening(address: SocketAddress, name: string): Result<number, SystemError> {
  const { family, memory } = address;
  const opened = openStreamSocket(family, name);
  if (!opened.ok) return opened;
  const descriptor = opened.value;
  const { bind, listen } = openLibc(LISTEN_FUNCTIONS);
  const failed = (call: string): Result<number, SystemError> => {
    const number = errno();
    closeDescriptor(descriptor);
    return err(systemError(number, call, name));
  };
  if (family !== AF_UNIX) reuseAddress(descriptor);
  if (bind(descriptor, memory.address, memory.bytes.length) !== 0) return failed("bind");
  if (listen(descriptor, BACKLOG) !== 0) return failed("listen");
  return opened;
}

function reuseAddress(descriptor: number): void {
  const one = nativeMemory(4);
  one.words[0] = 1;
  openLibc(SOCKET_FUNCTIONS).setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, one.address, 4);
}

function removePath(path: string): void {
  try {
    unlinkSync(pathForCall(path));
  } catch {
    // Somebody else has removed it.
  }
}
