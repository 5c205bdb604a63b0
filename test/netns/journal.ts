/**
 * Clients that write through several nodes into one file, and the journal of what was acknowledged to them.
 * Each write is made under one byte-range lock that all contend for, so that lock records move all the time.
 */
import { appendFileSync, readFileSync } from "node:fs";
import { ACCESS, SHARING, type SmbClient } from "./smb2/client.ts";
import { STATUS } from "./smb2/connection.ts";

const LINE_BYTES = 32;
/** Where the lines of a writer begin; the byte that all lock lies before. */
const REGION_BYTES = 1024 * 1024;
const LOCK_AT = 0;

export class Journal {
  readonly #path: string;

  /** `path`: on the client host, outside of what is tested. */
  constructor(path: string) {
    this.#path = path;
    appendFileSync(path, "");
  }

  acknowledged(offset: number, line: string): void {
    appendFileSync(this.#path, `${offset} ${line}\n`);
  }

  /** Lines that the file does not hold when read through `reader`. */
  async missing(reader: SmbClient, name: string): Promise<readonly string[]> {
    const { status, file } = await reader.create(name, ACCESS.read, SHARING.all);
    if (status !== STATUS.ok) throw new Error(`cannot open ${name}: 0x${status.toString(16)}`);
    const missing: string[] = [];
    for (const entry of readFileSync(this.#path, "utf8").split("\n").slice(0, -1)) {
      const [offset, line] = entry.split(" ") as [string, string];
      if ((await reader.read(file, Number(offset), LINE_BYTES)) !== line) missing.push(entry);
    }
    await reader.close(file);
    return missing;
  }
}

/** Writes line after line until it is told to stop, or its connection breaks. */
export class Writer {
  readonly #client: SmbClient;
  readonly #journal: Journal;
  readonly #number: number;
  readonly #running: Promise<void>;
  #stopped = false;
  /** Acknowledged writes. */
  count = 0;
  /** Why it ended before it was told to. */
  broken: unknown;

  constructor(client: SmbClient, journal: Journal, number: number, file: number) {
    this.#client = client;
    this.#journal = journal;
    this.#number = number;
    this.#running = this.#run(file).catch((error: unknown) => {
      this.broken = error;
    });
  }

  static async open(
    client: SmbClient,
    journal: Journal,
    number: number,
    name: string,
  ): Promise<Writer> {
    const { status, file } = await client.create(name, ACCESS.readWrite, SHARING.all);
    if (status !== STATUS.ok) throw new Error(`cannot open ${name}: 0x${status.toString(16)}`);
    return new Writer(client, journal, number, file);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(file: number): Promise<void> {
    const client = this.#client;
    while (!this.#stopped) {
      const locked = await client.lock(file, LOCK_AT, 1);
      if (locked === STATUS.lockNotGranted) continue;
      demand("lock", locked);
      const offset = (this.#number + 1) * REGION_BYTES + this.count * LINE_BYTES;
      const line = `writer${this.#number}/${this.count}`.padEnd(LINE_BYTES, ".");
      demand("write", await client.write(file, offset, line));
      demand("flush", await client.flush(file));
      this.#journal.acknowledged(offset, line);
      this.count += 1;
      demand("unlock", await client.unlock(file, LOCK_AT, 1));
    }
  }
}

function demand(what: string, status: number): void {
  if (status !== STATUS.ok) throw new Error(`${what} failed: status 0x${status.toString(16)}`);
}
