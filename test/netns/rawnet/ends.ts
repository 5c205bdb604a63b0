/** Many TCP connections between two namespaces, and what is left of them. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { within } from "../../support/until.ts";
import type { Namespaces } from "../namespaces.ts";
import type { EndCounts } from "./ends_process.ts";

const PROGRAM = new URL("ends_process.ts", import.meta.url).pathname;
const READY_TIMEOUT_MS = 60_000;

/** The program of one side. */
export class Ends {
  readonly #process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines: AsyncIterator<string>;

  private constructor(machine: Namespaces, words: readonly string[]) {
    this.#process = machine.spawn([process.execPath, PROGRAM, ...words]);
    const output = Readable.fromWeb(this.#process.stdout as never);
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  static async serve(machine: Namespaces, address: string, port: number): Promise<Ends> {
    return Ends.#ready(new Ends(machine, ["serve", address, String(port)]));
  }

  static async connect(
    machine: Namespaces,
    address: string,
    port: number,
    count: number,
  ): Promise<Ends> {
    return Ends.#ready(new Ends(machine, ["connect", address, String(port), String(count)]));
  }

  static async #ready(ends: Ends): Promise<Ends> {
    await ends.#line();
    return ends;
  }

  counts(): Promise<EndCounts> {
    return this.#ask("counts");
  }

  /** Bytes go back and forth on every connection from now on. */
  chat(): Promise<EndCounts> {
    return this.#ask("chat");
  }

  async #ask(line: string): Promise<EndCounts> {
    this.#process.stdin.write(`${line}\n`);
    this.#process.stdin.flush();
    return JSON.parse(await this.#line()) as EndCounts;
  }

  async #line(): Promise<string> {
    const next = await within("a side answers", READY_TIMEOUT_MS, this.#lines.next());
    if (next.done) {
      throw new Error(`a side ended: ${await new Response(this.#process.stderr).text()}`);
    }
    return next.value;
  }
}

/** Two machines with a wire: "10.88.0.1" and "fd88::1" serve, "10.88.0.2" and "fd88::2" connect. */
export const SERVER = { ipv4: "10.88.0.1", ipv6: "fd88::1" } as const;
export const CLIENT = { ipv4: "10.88.0.2", ipv6: "fd88::2" } as const;
export const INTERFACE = "eth0";

/** Established connections as the kernel of `machine` lists them, "LOCAL PEER" a line, addresses as ss writes them. */
export async function established(machine: Namespaces): Promise<readonly string[]> {
  const text = await machine.must(["ss", "-tnH", "state", "established"]);
  return text
    .split("\n")
    .map((line) => line.trim().split(/\s+/).slice(2))
    .filter((words) => words.length >= 2)
    .map(([local, peer]) => `${local} ${peer}`);
}
