/** A ctdb-admind of a test, beside a node of a real cluster: of the executable, or under Deno. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Subprocess, spawn } from "bun";
import { denoCommand, denoEnvironment } from "../../support/deno_cluster.ts";
import { DIST } from "../../support/executables.ts";
import type { TestCluster } from "../../support/local_cluster.ts";
import { until } from "../../support/until.ts";

export const READER = "reader-token-0123456789";
export const ACTOR = "actor-token-0123456789";
export type Runtime = "bun" | "deno";

const START_MS_MAX = 30_000;

export interface AdmindOptions {
  readonly runtime: Runtime;
  /** Lines of [admin]. */
  readonly admin?: readonly string[];
}

export class Admind implements AsyncDisposable {
  readonly socket: string;
  readonly #child: Subprocess<"ignore", "inherit", "inherit">;

  get pid(): number {
    return this.#child.pid;
  }

  private constructor(cluster: TestCluster, pnn: number, { runtime, admin = [] }: AdmindOptions) {
    const base = cluster.base(pnn);
    this.socket = `${base}/run/admind.socket`;
    const lines = ["[admin]", `token file = ${base}/tokens`, ...admin];
    writeFileSync(`${base}/ctdb-appliance.conf`, lines.map((line) => `${line}\n`).join(""));
    writeFileSync(`${base}/tokens`, `${READER} read\n${ACTOR} act\n`, { mode: 0o600 });
    const argv = runtime === "deno" ? denoCommand("ctdb-admind") : [join(DIST, "ctdb-admind")];
    const env = cluster.environment(pnn);
    this.#child = spawn([...argv], {
      env: runtime === "deno" ? denoEnvironment(env) : env,
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
    });
  }

  /** Answers when this returns. */
  static async start(cluster: TestCluster, pnn: number, options: AdmindOptions): Promise<Admind> {
    const admind = new Admind(cluster, pnn, options);
    await until("ctdb-admind answers", START_MS_MAX, async () => {
      const status = await admind.status("/readyz").catch(() => 0);
      return status === 200 ? true : undefined;
    });
    return admind;
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`http://node${path}`, { ...init, unix: this.socket } as RequestInit);
  }

  async status(path: string, init: RequestInit = {}): Promise<number> {
    const response = await this.ask(path, init);
    await response.arrayBuffer();
    return response.status;
  }

  async json(path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
    const response = await this.ask(path, init);
    if (response.status !== 200)
      throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }

  act(name: string, body: object): Promise<Record<string, unknown>> {
    return this.json(`/api/v1/actions/${name}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  }

  /** In kilobytes. */
  residentMemory(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "latin1");
    return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.exited;
  }
}

export interface StreamedEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Events of a stream as they come; the stream ends with the loop. */
export async function* eventsOf(response: Response): AsyncGenerator<StreamedEvent> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
      const block = text.slice(0, at);
      text = text.slice(at + 2);
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) };
    }
  }
}
