/**
 * Lists of TCP connections as tools and scripts write them: a line each, "SOURCE:PORT DESTINATION:PORT", spaces or
 * tabs between, empty lines and lines that begin with "#" left out.
 *
 * Invariants:
 * 1. Input may be cut anywhere, and be of any length: what is kept is one line and the connections.
 * 2. A line that is wrong is told with its number and left out; the others count.
 */
import { bytesText } from "../../base/byte_text.ts";
import { err } from "../../base/result.ts";
import { parseConnection } from "../../wire/structs/connection_text.ts";
import type { TcpPath } from "../packets/tickle.ts";
import { CONNECTIONS_MAX, LINE_BYTES_MAX } from "./limits.ts";

const LINE_END = 0x0a;

export class ConnectionList {
  readonly connections: TcpPath[] = [];
  readonly #onProblem: (lineNumber: number, reason: string) => void;
  readonly #line = new Uint8Array(LINE_BYTES_MAX + 1);
  /** Bytes of the line so far, also those that found no room. */
  #lineBytes = 0;
  #lineNumber = 1;

  constructor(onProblem: (lineNumber: number, reason: string) => void) {
    this.#onProblem = onProblem;
  }

  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      const found = chunk.indexOf(LINE_END, at);
      const end = found === -1 ? chunk.length : found;
      this.#keep(chunk.subarray(at, end));
      if (found !== -1) this.#endLine();
      at = end + 1;
    }
  }

  /** The last line need not end. */
  end(): void {
    if (this.#lineBytes > 0) this.#endLine();
  }

  #keep(piece: Uint8Array): void {
    const room = this.#line.length - this.#lineBytes;
    if (room > 0) this.#line.set(piece.subarray(0, room), this.#lineBytes);
    this.#lineBytes += piece.length;
  }

  #endLine(): void {
    const kept = bytesText(this.#line.subarray(0, Math.min(this.#lineBytes, this.#line.length)));
    const tooLong = this.#lineBytes > LINE_BYTES_MAX;
    this.#lineBytes = 0;
    const number = this.#lineNumber;
    this.#lineNumber += 1;
    if (kept === "" || kept.startsWith("#")) return;
    const outcome = tooLong
      ? err(`expected at most ${LINE_BYTES_MAX} bytes, got "${kept}…"`)
      : parseConnection(kept);
    if (!outcome.ok) this.#onProblem(number, outcome.error);
    else if (this.connections.length < CONNECTIONS_MAX) this.connections.push(outcome.value);
    else this.#onProblem(number, `expected at most ${CONNECTIONS_MAX} connections`);
  }
}
