/** A worker program as the test sees it: how much was acknowledged to it, and how long it waited at most. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { until, when, within } from "../../support/until.ts";
import type { Host } from "../host.ts";
import type { Acknowledged, WorkKind } from "./worker_protocol.ts";

const STOP_TIMEOUT_MS = 120_000;
const PROGRESS_TIMEOUT_MS = 90_000;
const ERROR_BYTES_SHOWN = 2_000;

/** Of all workers together. */
export class Tally {
  readonly #counts = new Map<WorkKind, number>();
  readonly #longestMs = new Map<WorkKind, number>();

  add({ kind, waitMs }: Acknowledged): void {
    this.#counts.set(kind, this.count(kind) + 1);
    this.#longestMs.set(kind, Math.max(this.longestMs(kind), waitMs));
  }
  count(kind: WorkKind): number {
    return this.#counts.get(kind) ?? 0;
  }
  longestMs(kind: WorkKind): number {
    return this.#longestMs.get(kind) ?? 0;
  }
}

export class Worker {
  readonly name: string;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #output: Promise<void>;
  readonly #errors: Promise<string>;
  count = 0;

  constructor(host: Host, program: string, args: readonly string[], tally: Tally) {
    this.name = `${program} ${args.join(" ")} on ${host.name}`;
    const path = new URL(program, import.meta.url).pathname;
    this.#process = host.namespaces.spawn([process.execPath, path, ...args]);
    this.#errors = new Response(this.#process.stderr).text();
    this.#output = this.#read(tally);
  }

  get ended(): boolean {
    return this.#process.exitCode !== null;
  }

  /** It has done as much again since this was asked. */
  async progresses(more: number): Promise<void> {
    const goal = this.count + more;
    await until(
      `${this.name} is acknowledged ${goal} things`,
      PROGRESS_TIMEOUT_MS,
      () => {
        if (this.ended) throw new Error(`${this.name} has ended`);
        return when(this.count >= goal);
      },
      () => `it was ${this.count}`,
    ).catch(async (error: unknown) => {
      const said = this.ended ? (await this.#errors).slice(-ERROR_BYTES_SHOWN) : "";
      throw new Error(`${String(error)}\n${said}`, { cause: error });
    });
  }

  /** Ends it after what it is at; throws when it had failed. */
  async stop(): Promise<void> {
    this.#process.stdin.end();
    const code = await within(`${this.name} ends`, STOP_TIMEOUT_MS, this.#process.exited);
    await this.#output;
    if (code === 0) return;
    const said = (await this.#errors).slice(-ERROR_BYTES_SHOWN);
    throw new Error(`${this.name} ended with ${code}:\n${said}`);
  }

  async #read(tally: Tally): Promise<void> {
    const input = Readable.fromWeb(this.#process.stdout as never);
    for await (const line of createInterface({ input })) {
      tally.add(JSON.parse(line) as Acknowledged);
      this.count += 1;
    }
  }
}
