/**
 * Where ctdb-admind listens: the unix socket beside ctdbd's, always, and a TCP address where one is configured.
 *
 * The runtimes do not tell who is at the other end of a unix socket. The socket is this user's alone, from its first
 * moment on and by its mode: whoever is there is root or could be.
 */
import { serve } from "#serve";
import type { Api } from "../admin/api/app.ts";
import { IDLE_SECONDS, LISTEN_AGAIN_MS, SERVED_BODY_BYTES_MAX } from "../admin/limits.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { AdminConfig } from "../config/admin_options.ts";
import type { FileSystem } from "../platform/types/files.ts";
import type { Served, ServedAt, ServedTls } from "../platform/types/http.ts";
import type { Timers } from "../platform/types/time.ts";

export interface AdmindServersParts {
  readonly api: Api;
  readonly socket: string;
  readonly config: AdminConfig;
  readonly files: FileSystem;
  readonly timers: Timers;
  readonly log: { error(text: string): void; notice(text: string): void };
}

export class AdmindServers {
  readonly #d: AdmindServersParts;
  readonly #served: Served[] = [];
  #closed = false;

  constructor(parts: AdmindServersParts) {
    this.#d = parts;
    const { socket, config } = parts;
    this.#begin("the socket", () => this.#listen({ kind: "unix", path: socket }));
    if (config.listen === undefined) return;
    const { address, port } = config.listen;
    this.#begin(`${address} port ${port}`, () => {
      const tls = this.#tls();
      return tls.ok ? this.#listen({ kind: "tcp", address, port, tls: tls.value }) : tls;
    });
  }

  close(): void {
    this.#closed = true;
    for (const each of this.#served.splice(0)) each.stop();
  }

  /** Again and again: whoever has the address may go, and a missing certificate may come. */
  #begin(what: string, listen: () => Result<Served>, problem = ""): void {
    if (this.#closed) return;
    const served = listen();
    if (served.ok) {
      this.#served.push(served.value);
      this.#d.log.notice(`Serving at ${what}`);
      return;
    }
    if (served.error !== problem) this.#d.log.error(`Cannot serve at ${what}: ${served.error}`);
    this.#d.timers.after(LISTEN_AGAIN_MS, () => this.#begin(what, listen, served.error));
  }

  #listen(at: ServedAt): Result<Served> {
    const { api } = this.#d;
    const certified = at.kind === "tcp" && at.tls?.clientCa !== undefined;
    return serve({
      at,
      bodyBytesMax: SERVED_BODY_BYTES_MAX,
      idleSeconds: IDLE_SECONDS,
      handle: (request, { address }) =>
        api.fetch(
          request,
          at.kind === "unix"
            ? { kind: "unix" }
            : { kind: "tcp", address: address ?? "unknown", certified },
        ),
    });
  }

  #tls(): Result<ServedTls | undefined> {
    const { tlsCertificate, tlsKey, tlsClientCa } = this.#d.config;
    if (tlsCertificate === undefined || tlsKey === undefined) return ok(undefined);
    const texts: (string | undefined)[] = [];
    for (const path of [tlsCertificate, tlsKey, tlsClientCa]) {
      const text = path === undefined ? ok(undefined) : this.#d.files.readText(path);
      if (!text.ok) return err(text.error.message);
      texts.push(text.value);
    }
    const [certificate = "", key = "", clientCa] = texts;
    return ok({ certificate, key, clientCa });
  }
}
