/** Standard output of tools: written in large pieces, in order with standard error. */
import { writeSync } from "node:fs";

export const STANDARD_OUTPUT = 1;
export const STANDARD_ERROR = 2;
/** Output is written when this much has come together, and at the end of a turn. */
const BUFFER_BYTES_MAX = 64 * 1024;
const RETRY_MS = 1;
/** Of a program that SIGPIPE ended, as the shell shows it. */
const BROKEN_PIPE_STATUS = 141;

/** Collects what a turn prints; standard error follows what was printed before it. */
export class BufferedOutput {
  readonly #encoder = new TextEncoder();
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #planned = false;

  out(text: string | Uint8Array): void {
    const bytes = typeof text === "string" ? this.#encoder.encode(text) : text.slice();
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= BUFFER_BYTES_MAX) this.flush();
    else this.#plan();
  }

  err(text: string): void {
    this.flush();
    writeAll(STANDARD_ERROR, this.#encoder.encode(text));
  }

  flush(): void {
    if (this.#bytes === 0) return;
    const whole = new Uint8Array(this.#bytes);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [];
    this.#bytes = 0;
    writeAll(STANDARD_OUTPUT, whole);
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.flush();
    });
  }
}

/** A reader that is slow is waited for; one that is gone ends the process, as SIGPIPE would. */
export function writeAll(descriptor: number, bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") process.exit(BROKEN_PIPE_STATUS);
      if (code !== "EAGAIN") throw error;
      Bun.sleepSync(RETRY_MS);
    }
  }
}
