/**
 * Serving HTTP, the same for each runtime: `platform/bun/serve.ts` and `platform/deno/serve.ts` export it, and `#serve`
 * (package.json, "imports") is the one of the runtime that runs.
 */
import type { Result } from "../../base/result.ts";

/** PEM texts. */
export interface ServedTls {
  readonly certificate: string;
  readonly key: string;
  /** Clients need a certificate that this one has signed. */
  readonly clientCa: string | undefined;
}

export type ServedAt =
  /** What is there is replaced; nobody but the owner of the process can connect. */
  | { readonly kind: "unix"; readonly path: string }
  | {
      readonly kind: "tcp";
      readonly address: string;
      readonly port: number;
      readonly tls: ServedTls | undefined;
    };

export interface ServedRequest {
  /** The other side's address; undefined over a unix socket. */
  readonly address: string | undefined;
}

export interface ServeOptions {
  readonly at: ServedAt;
  readonly bodyBytesMax: number;
  /** A connection on which nothing moves for so long is closed; answers that are streams are not. */
  readonly idleSeconds: number;
  handle(request: Request, from: ServedRequest): Promise<Response>;
}

export interface Served {
  /** The port; 0 for a unix socket. */
  readonly port: number;
  /** What is being answered is given up. */
  stop(): void;
}

export type Serve = (options: ServeOptions) => Result<Served>;
