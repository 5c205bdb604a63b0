/**
 * Bytes into lines, each at most LINE_BYTES_MAX bytes; the rest of a longer line is dropped and the cut
 * is shown.
 */
import { bytesText } from "../../base/byte_text.ts";

export const LINE_BYTES_MAX = 4096;

const CUT_MARK = " […]";
const NEWLINE = 0x0a;

export class LineCutter {
  readonly #onLine: (line: string) => void;
  readonly #line = new Uint8Array(LINE_BYTES_MAX);
  #length = 0;
  #cut = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  take(chunk: Uint8Array): void {
    let start = 0;
    while (start < chunk.length) {
      const newline = chunk.indexOf(NEWLINE, start);
      const end = newline === -1 ? chunk.length : newline;
      this.#append(chunk.subarray(start, end));
      if (newline === -1) return;
      this.#finishLine();
      start = newline + 1;
    }
  }

  /** The stream is over: a last line without newline counts. */
  end(): void {
    if (this.#length > 0 || this.#cut) this.#finishLine();
  }

  #append(bytes: Uint8Array): void {
    const room = LINE_BYTES_MAX - this.#length;
    if (bytes.length > room) this.#cut = true;
    const kept = bytes.subarray(0, room);
    this.#line.set(kept, this.#length);
    this.#length += kept.length;
  }

  #finishLine(): void {
    const text = bytesText(this.#line.subarray(0, this.#length));
    const mark = this.#cut ? CUT_MARK : "";
    this.#length = 0;
    this.#cut = false;
    this.#onLine(text + mark);
  }
}
