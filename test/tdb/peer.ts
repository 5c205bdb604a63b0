/** libtdb in a process of its own, driven by commands. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { PEER, PYTHON } from "./support.ts";

export class LibtdbPeer {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: ((line: string) => void)[] = [];
  readonly #lines: Interface;

  constructor(path: string, flags: number, hashSize = 7) {
    this.#child = spawn(PYTHON, [PEER, "serve", path, String(flags), String(hashSize)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#lines = createInterface(this.#child.stdout);
    this.#lines.on("line", (line) => this.#answers.shift()?.(line));
    this.#child.on("exit", () => {
      for (const answer of this.#answers.splice(0)) answer("error: the peer has ended");
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Sends a command; the answer is its line. */
  ask(command: string, ...parameters: readonly Uint8Array[]): Promise<string> {
    const words = parameters.map((bytes) => Buffer.from(bytes).toString("hex"));
    this.#child.stdin.write(`${[command, ...words].join(" ")}\n`);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  async must(command: string, ...parameters: readonly Uint8Array[]): Promise<void> {
    const answer = await this.ask(command, ...parameters);
    if (answer !== "ok") throw new Error(`${command}: ${answer}`);
  }

  async fetch(key: Uint8Array): Promise<Uint8Array | undefined> {
    const answer = await this.ask("fetch", key);
    if (answer === "none") return undefined;
    if (!answer.startsWith("value ")) throw new Error(`fetch: ${answer}`);
    return new Uint8Array(Buffer.from(answer.slice("value ".length), "hex"));
  }

  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    await this.ask("close");
    await ended;
  }
}
