/**
 * Listening, connecting and interfaces over Bun's native sockets.
 *
 * Invariants:
 * 1. A unix socket has its mode from the moment it exists (umask around the bind).
 * 2. Nothing that lies at a path is removed to make room: EADDRINUSE is the caller's to solve. Closing
 *    a unix listener removes its own path.
 * 3. Closing a listener leaves the accepted streams alone.
 * 4. Accepting never takes the last descriptors (accept_gate.ts).
 *
 * Must not: resolve names.
 */
import { isUtf8 } from "../../base/byte_text.ts";
import { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { networkInterfaces } from "../libc/interfaces.ts";
import { ERRNO, systemError, systemErrorFrom } from "../libc/libc.ts";
import { peerCredentials, setNodeLinkOptions, socketAddress } from "../libc/socket_address.ts";
import type {
  AcceptNotices,
  Acceptor,
  ConnectCallback,
  Network,
  StreamServer,
} from "../types/network.ts";
import type { Timer, Timers } from "../types/time.ts";
import { AcceptGate, descriptorLimit } from "./accept_gate.ts";
import { descriptorOf, type NativeSocket, SocketStream } from "./socket_stream.ts";
import { connectTcp, type TcpTarget } from "./tcp_connect.ts";
import { connectUnix } from "./unix_connect.ts";

/** Descriptors that local clients leave to the node's own files, its children and its links. */
const CLIENTS_RESERVE_MAX = 64;
const CLIENTS_RESERVE_PART = 4;
/** What links of nodes and the node's own children leave to files. */
const NODE_RESERVE_MAX = 16;
const NODE_RESERVE_PART = 16;

const RESERVES = {
  clients: (limit: number) =>
    Math.min(CLIENTS_RESERVE_MAX, Math.floor(limit / CLIENTS_RESERVE_PART)),
  node: (limit: number) => Math.min(NODE_RESERVE_MAX, Math.floor(limit / NODE_RESERVE_PART)),
};

export class BunNetwork implements Network {
  readonly #timers: Timers;
  readonly #limit: () => number;

  /** `limit`: how many descriptors may be open. */
  constructor(timers: Timers, limit: () => number = descriptorLimit) {
    this.#timers = timers;
    this.#limit = limit;
  }

  listenUnix(
    path: string,
    mode: number,
    accept: Acceptor,
    notices?: AcceptNotices,
    acceptedFor: "clients" | "node" = "clients",
  ): Result<StreamServer, SystemError> {
    if (!isUtf8(path)) return err(notText("bind", path));
    const before = process.umask(0o777 & ~mode);
    try {
      let gate: AcceptGate | undefined;
      const listener = Bun.listen<SocketStream>({
        unix: path,
        socket: acceptingHandlers((socket) => {
          gate?.accepted();
          const peer = peerCredentials(descriptorOf(socket));
          return serve(
            new SocketStream(socket, { name: path, peer, remoteAddress: undefined }),
            accept,
          );
        }),
      });
      gate = this.#gate(listener, RESERVES[acceptedFor], notices);
      return ok(serverOf(listener, gate));
    } catch (error) {
      return err(systemErrorFrom(error, "bind", path));
    } finally {
      process.umask(before);
    }
  }

  listenTcp(
    address: string,
    port: number,
    accept: Acceptor,
    notices?: AcceptNotices,
  ): Result<StreamServer, SystemError> {
    const name = `${address}:${port}`;
    if (socketAddress(address, port) === undefined)
      return err(systemError(ERRNO.EINVAL, "bind", name));
    try {
      let gate: AcceptGate | undefined;
      const listener = Bun.listen<SocketStream>({
        hostname: address,
        port,
        socket: acceptingHandlers((socket) => {
          gate?.accepted();
          setNodeLinkOptions(descriptorOf(socket));
          const { remoteAddress } = socket;
          return serve(new SocketStream(socket, { name, peer: undefined, remoteAddress }), accept);
        }),
      });
      gate = this.#gate(listener, RESERVES.node, notices);
      return ok(serverOf(listener, gate));
    } catch (error) {
      return err(systemErrorFrom(error, "bind", name));
    }
  }

  #gate(
    listener: NativeListener,
    reserve: (limit: number) => number,
    notices: AcceptNotices | undefined,
  ): AcceptGate {
    return new AcceptGate(listenerDescriptor(listener), { limit: this.#limit, reserve, notices });
  }

  connectUnix(path: string, connected: ConnectCallback): Timer {
    return connectUnix(path, connected, peerCredentials);
  }

  connectTcp(to: TcpTarget, connected: ConnectCallback): Timer {
    return connectTcp(to, this.#timers, connected);
  }

  interfaces(): ReturnType<Network["interfaces"]> {
    return networkInterfaces();
  }
}

type NativeListener = Pick<Bun.UnixSocketListener<SocketStream>, "stop">;

/** Bun sets `fd` on its listeners, of which its types know for TCP only. */
function listenerDescriptor(listener: NativeListener): number {
  return "fd" in listener && typeof listener.fd === "number" ? listener.fd : -1;
}

function serverOf(listener: NativeListener, gate: AcceptGate): StreamServer {
  return {
    close() {
      gate.end();
      listener.stop(false);
    },
  };
}

function serve(stream: SocketStream, accept: Acceptor): SocketStream {
  stream.serve(accept(stream));
  return stream;
}

/** One set of handlers for all sockets of a listener; the stream rides on the socket. */
function acceptingHandlers(
  accepted: (socket: NativeSocket) => SocketStream,
): Bun.SocketHandler<SocketStream> {
  return {
    open(socket) {
      socket.data = accepted(socket);
    },
    data: (socket, chunk) => socket.data.received(chunk),
    drain: (socket) => socket.data.drained(),
    end: (socket) => socket.data.ended(undefined),
    error: (socket, error) => streamFailed(socket, error),
    close: (socket, error) => streamFailed(socket, error),
  };
}

/** An acceptor that threw leaves a socket without stream: that is a bug of ours and must show. */
function streamFailed(socket: NativeSocket, error: Error | undefined): void {
  const stream: SocketStream | undefined = socket.data;
  if (stream !== undefined) {
    stream.ended(error);
    return;
  }
  socket.terminate();
  if (error === undefined) return;
  setImmediate(() => {
    throw error;
  });
}

/** The runtime takes the path of a socket as text only. */
function notText(call: string, path: string): SystemError {
  return new SystemError("EILSEQ", `${call} (expected a path in UTF-8)`, path);
}
