/**
 * Connecting to a unix socket with the runtime's own sockets: for programs that ask a daemon a few questions and
 * end. Our loop and the C library under it are better at everything but starting: they take 0.9 ms longer.
 *
 * Invariants:
 * 1. The callback never runs inside the call, and is told of the stream before anything is read.
 * 2. The runtime takes a path as text only, and calls a listener with a full queue a refusal. So what it
 *    does not connect to is tried again by `otherwise`, which knows better, and whose answer counts.
 */
import { isUtf8 } from "../../base/byte_text.ts";
import { ok } from "../../base/result.ts";
import type { ConnectCallback, Network } from "../types/network.ts";
import type { Timer } from "../types/time.ts";
import { guarded, SocketStream } from "./socket_stream.ts";

export function connectUnix(
  path: string,
  connected: ConnectCallback,
  otherwise: Network["connectUnix"],
): Timer {
  if (!isUtf8(path)) return otherwise(path, connected);
  let cancelled = false;
  let inCall = true;
  let second: Timer | undefined;
  const opened = (stream: SocketStream) => {
    const handlers = cancelled ? undefined : connected(ok(stream));
    if (handlers === undefined) stream.close();
    else stream.serve(handlers);
  };
  const connecting = Bun.connect<SocketStream>({
    unix: path,
    socket: {
      data: (socket, chunk) => socket.data.received(chunk),
      drain: (socket) => socket.data?.drained(),
      end: (socket) => socket.data?.ended(undefined),
      error: (socket, error) => socket.data?.ended(error),
      close: (socket, error) => socket.data?.ended(error),
      open(socket) {
        const stream = new SocketStream(socket, path);
        socket.data = stream;
        // Either way before the runtime looks at the socket again.
        if (inCall) queueMicrotask(() => guarded(() => opened(stream)));
        else guarded(() => opened(stream));
      },
    },
  });
  inCall = false;
  connecting.catch(() => {
    if (!cancelled) second = otherwise(path, connected);
  });
  return {
    cancel() {
      cancelled = true;
      second?.cancel();
    },
  };
}
