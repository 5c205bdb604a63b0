/**
 * Debian's etcd on loopback, on ports that were free, with its data in a directory of the test; plain, or with TLS to clients
 * who have a certificate.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { TemporaryDirectory } from "./temp_dir.ts";
import { until } from "./until.ts";

const ETCD = "/usr/bin/etcd";
const ROOT_PASSWORD = "root";
const START_TIMEOUT_MS = 20_000;

export interface EtcdTls {
  /** Paths. */
  readonly authority: string;
  readonly server: { readonly certificate: string; readonly key: string };
  readonly client: { readonly certificate: string; readonly key: string };
}

/** For `test.skipIf(!etcdInstalled())`: Debian's package etcd-server is here. */
export function etcdInstalled(): boolean {
  return existsSync(ETCD);
}

export class EtcdServer {
  readonly port: number;
  readonly #run: () => Bun.Subprocess;
  #process: Bun.Subprocess;
  readonly #tls: EtcdTls | undefined;
  #wantsLogin = false;

  private constructor(port: number, run: () => Bun.Subprocess, tls: EtcdTls | undefined) {
    this.port = port;
    this.#run = run;
    this.#process = run();
    this.#tls = tls;
  }

  /** Runs and answers. */
  static async start(
    directory: TemporaryDirectory,
    options: { readonly tls?: EtcdTls; readonly more?: readonly string[] } = {},
  ): Promise<EtcdServer> {
    const [client, peer] = await freePorts(2);
    const { tls, more = [] } = options;
    const protocol = tls === undefined ? "http" : "https";
    const [clientUrl, peerUrl] = [`${protocol}://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    const command = [
      ETCD,
      ...["--data-dir", directory.file("etcd"), "--log-level", "error"],
      ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
      ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
      ...["--initial-cluster", `default=${peerUrl}`],
      ...(tls === undefined
        ? []
        : ["--client-cert-auth", "--trusted-ca-file", tls.authority]
            .concat("--cert-file", tls.server.certificate)
            .concat("--key-file", tls.server.key)),
      ...more,
    ];
    const stderr = Bun.file(directory.file("etcd.log"));
    const run = () => Bun.spawn(command, { stdout: "ignore", stderr, stdin: "ignore" });
    const server = new EtcdServer(client as number, run, tls);
    await server.#answers();
    return server;
  }

  async #answers(): Promise<void> {
    await until("etcd answers", START_TIMEOUT_MS, async () => {
      const answer = await this.call("maintenance/status", {}).catch(() => undefined);
      return answer?.["leader"] === undefined ? undefined : true;
    });
  }

  /** Killed, and started again on what it had written. */
  async restart(): Promise<void> {
    await this.stop();
    this.#process = this.#run();
    await this.#answers();
  }

  /** As root, where one has to log in. */
  async call(path: string, request: unknown): Promise<Record<string, unknown>> {
    if (!this.#wantsLogin) return await this.#post(path, request, {});
    const root = { name: "root", password: ROOT_PASSWORD };
    const { token } = await this.#post("auth/authenticate", root, {});
    return await this.#post(path, request, { Authorization: String(token) });
  }

  async #post(
    path: string,
    request: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<Record<string, unknown>> {
    const protocol = this.#tls === undefined ? "http" : "https";
    const answer = await fetch(`${protocol}://127.0.0.1:${this.port}/v3/${path}`, {
      method: "POST",
      headers,
      body: JSON.stringify(request),
      ...(this.#tls === undefined ? {} : { tls: pemTexts(this.#tls) }),
    });
    return (await answer.json()) as Record<string, unknown>;
  }

  /** From now on everybody has to log in; this user may do what a lock needs. */
  async enableLogin(user: string, password: string): Promise<void> {
    for (const [path, request] of [
      ["auth/user/add", { name: "root", password: ROOT_PASSWORD }],
      ["auth/user/grant", { user: "root", role: "root" }],
      ["auth/role/add", { name: "lock" }],
      [
        "auth/role/grant",
        {
          name: "lock",
          perm: {
            permType: "READWRITE",
            key: btoa("_locks/_ctdb/"),
            range_end: btoa("_locks/_ctdb0"),
          },
        },
      ],
      ["auth/user/add", { name: user, password }],
      ["auth/user/grant", { user, role: "lock" }],
      ["auth/enable", {}],
    ] as const) {
      const answer = await this.call(path, request);
      if (answer["error"] !== undefined) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    }
    this.#wantsLogin = true;
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process.kill(signal);
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function pemTexts({ authority, client }: EtcdTls) {
  const text = (path: string) => readFileSync(path, "utf8");
  return { ca: text(authority), cert: text(client.certificate), key: text(client.key) };
}

/** Nobody listens on them now. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => {
            const address = server.address();
            resolve(typeof address === "object" && address !== null ? address.port : 0);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
