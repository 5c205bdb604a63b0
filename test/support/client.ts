/** Client connections for tests, over the real platform. */

import { SystemError } from "../../src/base/errors.ts";
import { err, ok } from "../../src/base/result.ts";
import { connectClient } from "../../src/client/ctdb_client.ts";
import type { Connect } from "../../src/local/node_health.ts";
import type { Network, Stream, StreamHandlers, Timers } from "../../src/platform/types.ts";

export const timers: Timers = {
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  every(intervalMs, action) {
    const timer = setInterval(action, intervalMs);
    return { cancel: () => clearInterval(timer) };
  },
  soon(action) {
    setImmediate(action);
  },
};

const connectUnix: Network["connectUnix"] = (path, connected) => {
  let handlers: StreamHandlers | undefined;
  let cancelled = false;
  const fail = (code: string) => {
    if (!cancelled) connected(err(new SystemError(code, "connect", path)));
  };
  void Bun.connect({
    unix: path,
    socket: {
      open(socket) {
        if (cancelled) return void socket.end();
        const stream: Stream = {
          write: (bytes) => socket.write(bytes),
          pause: () => socket.pause(),
          resume: () => socket.resume(),
          close: () => {
            handlers = undefined;
            socket.end();
          },
          peer: undefined,
          remoteAddress: undefined,
        };
        handlers = connected(ok(stream));
      },
      data: (_, chunk) => handlers?.onData(chunk),
      drain: () => handlers?.onDrain(),
      close: () => handlers?.onClose(undefined),
      error: () => {},
      connectError: () => {},
    },
  }).catch((error: Error & { code?: string }) => fail(error.code ?? "ECONNREFUSED"));
  return {
    cancel() {
      cancelled = true;
    },
  };
};

const network = { connectUnix } as Network;

/** A client of the daemon at `socketPath`. */
export const connect: Connect = (socketPath, timeoutMs) =>
  connectClient(network, timers, socketPath, { timeoutMs });
