/**
 * What a script has printed: the beginning and the end of it, however much it is.
 *
 * Invariant: at most OUTPUT_HEAD_BYTES_MAX and twice OUTPUT_TAIL_BYTES_MAX are kept.
 */
import { bytesText } from "../../base/byte_text.ts";
import { OUTPUT_HEAD_BYTES_MAX, OUTPUT_TAIL_BYTES_MAX } from "../limits.ts";

const NO_BYTES = new Uint8Array(0);

export class BoundedOutput {
  #head: Uint8Array = NO_BYTES;
  #headBytes = 0;
  /** The last bytes behind the head, and more in front of them until it is trimmed. */
  #tail: Uint8Array = NO_BYTES;
  #tailBytes = 0;
  #droppedBytes = 0;

  /** The chunk is copied. */
  take(chunk: Uint8Array): void {
    const room = OUTPUT_HEAD_BYTES_MAX - this.#headBytes;
    if (room > 0) this.#takeHead(chunk.subarray(0, room));
    if (chunk.length > room) this.#takeTail(room > 0 ? chunk.subarray(room) : chunk);
  }

  /** undefined when nothing was printed. A C program would see no more than stands before a NUL. */
  kept(): string | undefined {
    if (this.#headBytes === 0) return undefined;
    const head = this.#head.subarray(0, this.#headBytes);
    const surplus = Math.max(0, this.#tailBytes - OUTPUT_TAIL_BYTES_MAX);
    const tail = this.#tail.subarray(surplus, this.#tailBytes);
    const dropped = this.#droppedBytes + surplus;
    const mark = dropped === 0 ? "" : `\n[… ${dropped} bytes are left out …]\n`;
    return `${bytesText(head)}${mark}${bytesText(tail)}`.replaceAll("\0", "?");
  }

  #takeHead(bytes: Uint8Array): void {
    const needed = this.#headBytes + bytes.length;
    if (needed > this.#head.length) {
      const grown = new Uint8Array(Math.min(OUTPUT_HEAD_BYTES_MAX, 2 * needed));
      grown.set(this.#head.subarray(0, this.#headBytes));
      this.#head = grown;
    }
    this.#head.set(bytes, this.#headBytes);
    this.#headBytes = needed;
  }

  #takeTail(bytes: Uint8Array): void {
    if (this.#tail.length === 0) this.#tail = new Uint8Array(2 * OUTPUT_TAIL_BYTES_MAX);
    // Only its last bytes can stay.
    const useful = bytes.subarray(Math.max(0, bytes.length - OUTPUT_TAIL_BYTES_MAX));
    this.#droppedBytes += bytes.length - useful.length;
    if (bytes.length !== useful.length) this.#dropTail(0);
    else if (this.#tailBytes + useful.length > this.#tail.length) {
      this.#dropTail(OUTPUT_TAIL_BYTES_MAX - useful.length);
    }
    this.#tail.set(useful, this.#tailBytes);
    this.#tailBytes += useful.length;
  }

  #dropTail(keptBytes: number): void {
    const dropped = Math.max(0, this.#tailBytes - keptBytes);
    this.#tail.copyWithin(0, dropped, this.#tailBytes);
    this.#tailBytes -= dropped;
    this.#droppedBytes += dropped;
  }
}
