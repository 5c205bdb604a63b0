/**
 * Listening, connecting and interfaces over Bun's native sockets.
 *
 * Invariants:
 * 1. A unix socket has its mode from the moment it exists (umask around the bind).
 * 2. Nothing that lies at a path is removed to make room: EADDRINUSE is the caller's to solve. Closing
 *    a unix listener removes its own path.
 * 3. Closing a listener leaves the accepted streams alone.
 *
 * Must not: resolve names.
 */
import { isUtf8 } from "../../base/byte_text.ts";
import { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Acceptor, ConnectCallback, Network, StreamServer, Timer } from "../types.ts";
import { networkInterfaces } from "./interfaces.ts";
import { ERRNO, systemError, systemErrorFrom } from "./libc.ts";
import { peerCredentials, setNodeLinkOptions, socketAddress } from "./socket_address.ts";
import { descriptorOf, type NativeSocket, SocketStream } from "./socket_stream.ts";
import { connectTcp, type TcpTarget } from "./tcp_connect.ts";

export class BunNetwork implements Network {
  listenUnix(path: string, mode: number, accept: Acceptor): Result<StreamServer, SystemError> {
    if (!isUtf8(path)) return err(notText("bind", path));
    const before = process.umask(0o777 & ~mode);
    try {
      const listener = Bun.listen<SocketStream>({
        unix: path,
        socket: acceptingHandlers((socket) => {
          const peer = peerCredentials(descriptorOf(socket));
          return serve(
            new SocketStream(socket, { name: path, peer, remoteAddress: undefined }),
            accept,
          );
        }),
      });
      return ok({ close: () => listener.stop(false) });
    } catch (error) {
      return err(systemErrorFrom(error, "bind", path));
    } finally {
      process.umask(before);
    }
  }

  listenTcp(address: string, port: number, accept: Acceptor): Result<StreamServer, SystemError> {
    const name = `${address}:${port}`;
    if (socketAddress(address, port) === undefined)
      return err(systemError(ERRNO.EINVAL, "bind", name));
    try {
      const listener = Bun.listen<SocketStream>({
        hostname: address,
        port,
        socket: acceptingHandlers((socket) => {
          setNodeLinkOptions(descriptorOf(socket));
          const { remoteAddress } = socket;
          return serve(new SocketStream(socket, { name, peer: undefined, remoteAddress }), accept);
        }),
      });
      return ok({ close: () => listener.stop(false) });
    } catch (error) {
      return err(systemErrorFrom(error, "bind", name));
    }
  }

  connectUnix(path: string, connected: ConnectCallback): Timer {
    return connectUnix(path, connected);
  }

  connectTcp(to: TcpTarget, connected: ConnectCallback): Timer {
    return connectTcp(to, connected);
  }

  interfaces(): ReturnType<Network["interfaces"]> {
    return networkInterfaces();
  }
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

function connectUnix(path: string, connected: ConnectCallback): Timer {
  let cancelled = false;
  const failed = (error: SystemError) => {
    if (!cancelled) connected(err(error));
  };
  const cancel = () => {
    cancelled = true;
  };
  if (!isUtf8(path)) {
    setImmediate(() => failed(notText("connect", path)));
    return { cancel };
  }
  const connecting = Bun.connect<SocketStream>({
    unix: path,
    socket: {
      data: (socket, chunk) => socket.data.received(chunk),
      drain: (socket) => socket.data?.drained(),
      end: (socket) => socket.data?.ended(undefined),
      error: (socket, error) => socket.data?.ended(error),
      close: (socket, error) => socket.data?.ended(error),
      open(socket) {
        if (cancelled) {
          socket.terminate();
          return;
        }
        const peer = peerCredentials(descriptorOf(socket));
        const stream = new SocketStream(socket, { name: path, peer, remoteAddress: undefined });
        socket.data = stream;
        // Bun may open inside the call to connect: the callback must not run there. No data is read
        // before somebody serves the stream.
        socket.pause();
        setImmediate(() => {
          const handlers = cancelled ? undefined : connected(ok(stream));
          if (handlers === undefined) {
            stream.close();
            return;
          }
          stream.serve(handlers);
          stream.resume();
        });
      },
    },
  });
  connecting.catch((error: unknown) => failed(systemErrorFrom(error, "connect", path)));
  return { cancel };
}
