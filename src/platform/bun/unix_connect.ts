/**
 * Connecting to a unix socket, apart from the rest of the network: a tool that asks a daemon one question needs
 * no listeners and no C library, whose loading takes longer than the question.
 *
 * Invariant: the callback never runs inside the call, and is told of the stream before anything is read.
 */
import { isUtf8 } from "../../base/byte_text.ts";
import { SystemError } from "../../base/errors.ts";
import { err, ok } from "../../base/result.ts";
import { systemErrorFrom } from "../node/thrown_error.ts";
import type { ConnectCallback, Stream } from "../types/network.ts";
import type { Timer } from "../types/time.ts";
import { descriptorOf, guarded, SocketStream } from "./socket_stream.ts";

/** `peerOf` asks the kernel who is at the other end, for who wants to know. */
export function connectUnix(
  path: string,
  connected: ConnectCallback,
  peerOf?: (descriptor: number) => Stream["peer"],
): Timer {
  let cancelled = false;
  const failed = (error: SystemError) => {
    if (!cancelled) connected(err(error));
  };
  const opened = (stream: SocketStream) => {
    const handlers = cancelled ? undefined : connected(ok(stream));
    if (handlers === undefined) stream.close();
    else stream.serve(handlers);
  };
  const cancel = () => {
    cancelled = true;
  };
  if (!isUtf8(path)) {
    // The runtime takes the path of a socket as text only.
    const error = new SystemError("EILSEQ", "connect (expected a path in UTF-8)", path);
    setImmediate(() => failed(error));
    return { cancel };
  }
  let inCall = true;
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
        const peer = peerOf?.(descriptorOf(socket));
        const stream = new SocketStream(socket, { name: path, peer, remoteAddress: undefined });
        socket.data = stream;
        // Either way before the loop looks at the socket again.
        if (inCall) queueMicrotask(() => guarded(() => opened(stream)));
        else guarded(() => opened(stream));
      },
    },
  });
  inCall = false;
  connecting.catch((error: unknown) => failed(systemErrorFrom(error, "connect", path)));
  return { cancel };
}
