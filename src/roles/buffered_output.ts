/**
 * What roles print: standard output in large pieces, in order with standard error.
 *
 * Invariants:
 * 1. Nothing that was printed is lost without a word: standard output that cannot be written is an
 *    OutputFailure, which ends every role with status 1 (src/main.ts) and is caught nowhere else.
 * 2. Standard error is written as far as it can be: there is nowhere to tell that it cannot.
 *
 * `process.stdout` is not used: it costs 8 ms to make, may still hold text when the process ends, and
 * reports failures too late. Nor is node:fs, unless something fails: it knows the reason in words, and costs
 * 1.3 ms.
 */
import { pause, writeNow } from "#program";
import { textBytes } from "../base/byte_text.ts";
import { nodeFs } from "../platform/node/path.ts";

const STANDARD_OUTPUT = 1;
const STANDARD_ERROR = 2;
/** Output is written when this much has come together, and at the end of a turn. */
const BUFFER_BYTES_MAX = 64 * 1024;
const RETRY_MS = 1;

/** `what` could not be written. */
export class OutputFailure extends Error {
  override readonly name = "OutputFailure";
  /** errno name, for example "ENOSPC". */
  readonly code: string;

  constructor(what: string, code: string, reason: string, options?: ErrorOptions) {
    super(`cannot write ${what}: ${reason}`, options);
    this.code = code;
  }
}

export function printOut(text: string | Uint8Array): void {
  writeAll(STANDARD_OUTPUT, bytesOf(text), "standard output");
}

export function printErr(text: string): void {
  try {
    writeAll(STANDARD_ERROR, textBytes(text), "standard error");
  } catch (error) {
    if (!(error instanceof OutputFailure)) throw error;
    // Nobody listens.
  }
}

/** Collects what a turn prints; standard error follows what was printed before it. */
export class BufferedOutput {
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #planned = false;

  out(text: string | Uint8Array): void {
    // A caller may change its bytes afterwards.
    const bytes = typeof text === "string" ? textBytes(text) : text.slice();
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes >= BUFFER_BYTES_MAX) this.flush();
    else this.#plan();
  }

  err(text: string): void {
    this.flush();
    printErr(text);
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
    printOut(whole);
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

/** A reader that is slow is waited for. `what` the descriptor is, for the message. */
export function writeAll(descriptor: number, bytes: Uint8Array, what: string): void {
  let at = 0;
  while (at < bytes.length) {
    const taken = writeNow(descriptor, bytes.subarray(at));
    if (taken < 0) break;
    at += taken;
  }
  while (at < bytes.length) {
    try {
      at += nodeFs().writeSync(descriptor, bytes, at);
    } catch (error) {
      if (!(error instanceof Error) || !("code" in error)) throw error;
      if (error.code !== "EAGAIN") throw failure(what, error, String(error.code));
      pause(RETRY_MS);
    }
  }
}

/**
 * A runtime says "ENOSPC: no space left on device, write" or "No space left on device (os error 28)"; the C library
 * begins with a capital.
 */
function failure(what: string, error: Error, code: string): OutputFailure {
  const reason = /^(?:[A-Z0-9]+: )?([^,(]+[^,( ])/.exec(error.message)?.[1] ?? code;
  const sentence = reason.charAt(0).toUpperCase() + reason.slice(1);
  return new OutputFailure(what, code, sentence, { cause: error });
}

function bytesOf(text: string | Uint8Array): Uint8Array {
  return typeof text === "string" ? textBytes(text) : text;
}
