/** A client program on a host as a test sees it: open files, locks, reads and writes through one node. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { within } from "../../support/until.ts";
import type { Host } from "../host.ts";
import { SHARE } from "../samba.ts";
import type { Reply, Request } from "./client_protocol.ts";
import { LOCK_FLAGS } from "./messages.ts";

export const ACCESS = { read: 0x120089, write: 0x120116, readWrite: 0x12019f } as const;
export const SHARING = { none: 0, read: 1, all: 7 } as const;
const OPEN_IF = 3;
const ANSWER_TIMEOUT_MS = 60_000;
const PROGRAM = new URL("client_process.ts", import.meta.url).pathname;

export class SmbClient {
  readonly #host: Host;
  readonly #process: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines: AsyncIterator<string>;
  #pid = 0;

  private constructor(host: Host, address: string) {
    this.#host = host;
    this.#process = host.namespaces.spawn([process.execPath, PROGRAM, address, SHARE]);
    const output = Readable.fromWeb(this.#process.stdout as never);
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  /** The connection is over, or the program. */
  get ended(): boolean {
    return this.#process.exitCode !== null;
  }

  /** Connected to the smbd at `address`. */
  static async connect(host: Host, address: string): Promise<SmbClient> {
    const client = new SmbClient(host, address);
    client.#pid = Number((await client.#reply()).value);
    return client;
  }

  async create(
    name: string,
    access: number,
    share: number,
  ): Promise<{ readonly status: number; readonly file: number }> {
    const reply = await this.ask({ call: "create", name, access, share, disposition: OPEN_IF });
    return { status: reply.status, file: Number(reply.value) };
  }
  /** Exclusive, or refused at once. */
  lock(file: number, offset: number, length: number): Promise<number> {
    return this.#lock(file, offset, length, LOCK_FLAGS.exclusive | LOCK_FLAGS.failImmediately);
  }
  unlock(file: number, offset: number, length: number): Promise<number> {
    return this.#lock(file, offset, length, LOCK_FLAGS.unlock);
  }
  async write(file: number, offset: number, text: string): Promise<number> {
    return (await this.ask({ call: "write", file, offset, text })).status;
  }
  async flush(file: number): Promise<number> {
    return (await this.ask({ call: "flush", file })).status;
  }
  async close(file: number): Promise<number> {
    return (await this.ask({ call: "close", file })).status;
  }
  async read(file: number, offset: number, length: number): Promise<string> {
    return String((await this.ask({ call: "read", file, offset, length })).value);
  }

  /** Throws when the connection broke. */
  ask(request: Request): Promise<Reply> {
    this.#process.stdin.write(`${JSON.stringify(request)}\n`);
    this.#process.stdin.flush();
    return this.#reply();
  }

  /** The client is gone without a word. */
  async kill(): Promise<void> {
    await this.#host.namespaces.signal(this.#pid, "KILL");
    await this.#process.exited;
  }
  async end(): Promise<void> {
    this.#process.stdin.end();
    await this.#process.exited;
  }

  async #lock(file: number, offset: number, length: number, flags: number): Promise<number> {
    return (await this.ask({ call: "lock", file, offset, length, flags })).status;
  }

  async #reply(): Promise<Reply> {
    const next = await within("the SMB client answers", ANSWER_TIMEOUT_MS, this.#lines.next());
    if (next.done !== true) return JSON.parse(next.value) as Reply;
    throw new Error(`the SMB client ended: ${await new Response(this.#process.stderr).text()}`);
  }
}
