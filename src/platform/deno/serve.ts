/** HTTP by Deno's server (platform/types/http.ts), which knows no certificates of clients. */
import { chmodSync, rmSync } from "node:fs";
import { err, ok } from "../../base/result.ts";
import { pathForCall } from "../node/path.ts";
import type { Serve, Served, ServeOptions } from "../types/http.ts";

const OWNER_ONLY = 0o700;
const NOT_FOR_OTHERS = 0o077;

export const serve: Serve = (options) => {
  if (options.at.kind === "tcp" && options.at.tls?.clientCa !== undefined) {
    return err("certificates of clients are not supported by this runtime");
  }
  try {
    return ok(begin(options));
  } catch (error) {
    return err((error as Error).message);
  }
};

function begin({ at, handle }: ServeOptions): Served {
  const ending = new AbortController();
  const common = { signal: ending.signal, onListen() {} };
  const stop = () => ending.abort();
  if (at.kind === "unix") {
    rmSync(pathForCall(at.path), { force: true });
    const before = Deno.umask(NOT_FOR_OTHERS);
    try {
      Deno.serve({ ...common, path: at.path }, (request) =>
        handle(request, { address: undefined }),
      );
    } finally {
      Deno.umask(before);
    }
    chmodSync(pathForCall(at.path), OWNER_ONLY);
    return { port: 0, stop };
  }
  const { address: hostname, port, tls } = at;
  const secure = tls === undefined ? {} : { cert: tls.certificate, key: tls.key };
  const server = Deno.serve({ ...common, hostname, port, ...secure }, (request, { remoteAddr }) =>
    handle(request, { address: "hostname" in remoteAddr ? remoteAddr.hostname : undefined }),
  );
  return { port: server.addr.port, stop };
}
