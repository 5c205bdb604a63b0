/** Debian's etcd on loopback, on ports that were free, with its data in a directory of the test. */
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import type { TemporaryDirectory } from "./temp_dir.ts";
import { until } from "./until.ts";

const ETCD = "/usr/bin/etcd";
const START_TIMEOUT_MS = 20_000;

/** For `test.skipIf(!etcdInstalled())`: Debian's package etcd-server is here. */
export function etcdInstalled(): boolean {
  return existsSync(ETCD);
}

export class EtcdServer {
  readonly port: number;
  readonly #process: Bun.Subprocess;

  private constructor(port: number, child: Bun.Subprocess) {
    this.port = port;
    this.#process = child;
  }

  /** Runs and answers. */
  static async start(directory: TemporaryDirectory): Promise<EtcdServer> {
    const [client, peer] = await freePorts(2);
    const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    const child = Bun.spawn(
      [
        ETCD,
        ...["--data-dir", directory.file("etcd"), "--log-level", "error"],
        ...["--listen-client-urls", clientUrl, "--advertise-client-urls", clientUrl],
        ...["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
        ...["--initial-cluster", `default=${peerUrl}`],
      ],
      { stdout: "ignore", stderr: Bun.file(directory.file("etcd.log")), stdin: "ignore" },
    );
    const server = new EtcdServer(client as number, child);
    await until("etcd answers", START_TIMEOUT_MS, async () => {
      const answer = await server.call("maintenance/status", {}).catch(() => undefined);
      return answer?.["leader"] === undefined ? undefined : true;
    });
    return server;
  }

  async call(path: string, request: unknown): Promise<Record<string, unknown>> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/v3/${path}`, {
      method: "POST",
      body: JSON.stringify(request),
    });
    return (await answer.json()) as Record<string, unknown>;
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

/** Nobody listens on them now. */
async function freePorts(count: number): Promise<readonly number[]> {
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
