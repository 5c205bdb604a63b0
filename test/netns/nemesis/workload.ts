/**
 * A client on each host, and the journals of what they asked and what was acknowledged: a file of each client, which it
 * writes itself, outside of what its host loses. So nobody who reads late holds it up.
 */
import { closeSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesText } from "../../../src/base/byte_text.ts";
import { PROJECT } from "../../support/source_tree.ts";
import type { Host } from "../host.ts";
import { threadStates } from "./thread_states.ts";
import type { Operation, Step } from "./workload_steps.ts";

const BUN = join(PROJECT, "node_modules/.bin/bun");
const PROGRAM = join(import.meta.dir, "workload_process.ts");
const READ_MS = 20;
const READ_BYTES_MAX = 1 << 20;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export class Workload {
  readonly operations: Operation[] = [];
  readonly #directory: string;
  readonly #clients = new Map<number, Bun.Subprocess<"pipe", "pipe", "pipe">>();
  /** What they said on standard error: it should be nothing. */
  complaints = "";

  /** `directory`: of the journals. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  start(node: number, host: Host): void {
    const journal = join(this.#directory, `acknowledged.${node}.txt`);
    writeFileSync(journal, "");
    const client = host.namespaces.spawn([BUN, "run", PROGRAM, journal]);
    this.#clients.set(node, client);
    void this.#follow(node, client, journal);
    void (async () => {
      for await (const chunk of client.stderr) this.complaints += `${node}: ${bytesText(chunk)}`;
    })();
  }

  isRunning(node: number): boolean {
    return this.#clients.has(node);
  }

  /** Operations that have not ended, of clients that live. */
  open(): readonly Operation[] {
    return this.operations.filter(({ endMs }) => endMs === Number.POSITIVE_INFINITY);
  }

  /** nsenter stops itself when the program in it is stopped, and would not see its end. */
  goOn(node: number): void {
    this.#clients.get(node)?.kill("SIGCONT");
  }

  /** What each thread of the clients does now, for whoever looks for why one does not go on. */
  states(): string {
    return [...this.#clients]
      .map(([node, { pid }]) => `client of node ${node}\n${threadStates(pid)}`)
      .join("\n");
  }

  async end(): Promise<void> {
    const clients = [...this.#clients.values()];
    for (const client of clients) client.kill("SIGKILL");
    await Promise.all(clients.map((client) => client.exited));
  }

  async #follow(
    node: number,
    client: Bun.Subprocess<"pipe", "pipe", "pipe">,
    journal: string,
  ): Promise<void> {
    const open = new Map<number, Mutable<Operation>>();
    const descriptor = openSync(journal, "r");
    const buffer = new Uint8Array(READ_BYTES_MAX);
    let rest = "";
    for (let isOver = false; !isOver; ) {
      isOver = client.exitCode !== null || client.signalCode !== null;
      const bytes = buffer.subarray(0, readSync(descriptor, buffer));
      const lines = (rest + bytesText(bytes)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#learn(node, JSON.parse(line) as Step, open);
      if (!isOver) await Bun.sleep(READ_MS);
    }
    closeSync(descriptor);
    // A client that was killed gets no answer any more.
    for (const operation of open.values()) operation.endMs = Date.now();
    this.#clients.delete(node);
  }

  #learn(node: number, step: Step, open: Map<number, Mutable<Operation>>): void {
    if (step.step === "begin") {
      const { database, key, atMs } = step;
      const operation: Mutable<Operation> = {
        ...{ node, database, key, beginMs: atMs, endMs: Number.POSITIVE_INFINITY },
        ...{ how: undefined, value: undefined },
      };
      open.set(step.id, operation);
      this.operations.push(operation);
      return;
    }
    const operation = open.get(step.id);
    if (operation === undefined) return;
    open.delete(step.id);
    operation.endMs = step.atMs;
    operation.how = step.how;
    operation.value = step.value;
  }
}
