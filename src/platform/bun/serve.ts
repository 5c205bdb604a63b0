/**
 * HTTP by Bun's server (platform/types/http.ts). Bun tells nothing of the other side of a unix socket: who may connect is
 * said by the socket's mode, which it has from its first moment on.
 */
import { chmodSync, rmSync } from "node:fs";
import { err, ok } from "../../base/result.ts";
import { pathForCall } from "../node/path.ts";
import type { Serve, Served, ServedAt, ServeOptions } from "../types/http.ts";

const OWNER_ONLY = 0o700;
const NOT_FOR_OTHERS = 0o077;

export const serve: Serve = (options) => {
  try {
    return ok(begin(options));
  } catch (error) {
    return err((error as Error).message);
  }
};

function begin(options: ServeOptions): Served {
  const { at, handle, bodyBytesMax, idleSeconds } = options;
  const common = {
    maxRequestBodySize: bodyBytesMax,
    development: false,
    fetch: async (request: Request, server: Bun.Server<undefined>) => {
      const response = await handle(request, { address: server.requestIP(request)?.address });
      if (isStream(response)) server.timeout(request, 0);
      return response;
    },
  };
  if (at.kind === "unix") {
    rmSync(pathForCall(at.path), { force: true });
    const server = withoutOthers(() => Bun.serve({ ...common, unix: at.path }));
    chmodSync(pathForCall(at.path), OWNER_ONLY);
    return { port: 0, stop: () => void server.stop(true) };
  }
  const server = Bun.serve({
    ...common,
    hostname: at.address,
    port: at.port,
    idleTimeout: idleSeconds,
    ...tlsOf(at),
  });
  return { port: server.port ?? 0, stop: () => void server.stop(true) };
}

function tlsOf({ tls }: ServedAt & { readonly kind: "tcp" }): object {
  if (tls === undefined) return {};
  const client =
    tls.clientCa === undefined
      ? {}
      : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true };
  return { tls: { cert: tls.certificate, key: tls.key, ...client } };
}

function isStream(response: Response): boolean {
  return response.headers.get("content-type") === "text/event-stream";
}

function withoutOthers<T>(action: () => T): T {
  const before = process.umask(NOT_FOR_OTHERS);
  try {
    return action();
  } finally {
    process.umask(before);
  }
}
