/**
 * Cuts a byte stream into packets (docs/protocol.md, "Header"). Pull style, so that the owner of the
 * stream decides how many packets it handles in one turn:
 *
 *     framer.push(chunk);
 *     while (budget-- > 0 && (packet = framer.next()) !== undefined) handle(packet);
 *     if (framer.error !== undefined) close the link, log the reason
 *     framer.hold();               // before the chunk becomes invalid
 *
 * and after `hold()` it may go on with `next()` in a later turn, without a new chunk. `hasMore` says
 * whether that could give a packet.
 *
 * Invariants:
 * 1. A chunk that comes while nothing waits is cut in place: its packets are views of it, and only its rest is
 *    copied. Another is copied behind what waits.
 * 2. The view that `next()` returns is the same object each time and is valid until the next call of any
 *    method: who needs the packet longer takes `copy()`.
 * 3. Memory follows the bytes that arrived, at most twice, never the length a header promises. A large
 *    buffer stays while large packets come, and is given back when small ones follow.
 * 4. After a bad header nothing more comes: a stream cannot be resynchronised. `error` is the reason.
 *
 * It checks what the header must be for any packet; operations and bodies are for others.
 */
import { freeNow } from "../base/free_now.ts";
import {
  EVENT_HEADER_BYTES,
  FRAMER_BUFFER_KEPT_BYTES_MAX,
  FRAMER_LARGE_BUFFER_BYTES_MAX,
  FRAMER_SMALL_FILLS_MAX,
  PACKET_BYTES_MAX,
} from "../wire/limits.ts";
import { CTDB_MAGIC, CTDB_PROTOCOL, HEADER_BYTES, PacketView } from "../wire/packet.ts";

/**
 * Between nodes every packet is padded to 8 bytes. Clients may send any length, and a client accepts
 * either. Packets of the event daemon have their own short header, of which only the length is checked
 * here (docs/protocol.md, "Event protocol").
 */
export type FramerMode = "node" | "client" | "event";

const LENGTH_BYTES = 4;
const CHECKED_BYTES = 12;
const BUFFER_BYTES_MIN = 4096;
const EMPTY_BYTES = new Uint8Array(0);

export class PacketFramer {
  readonly #mode: FramerMode;
  readonly #lengthMin: number;
  readonly #lengthMax: number;
  readonly #packet = new PacketView();

  /** Our own memory for bytes that wait. */
  #buffer: Uint8Array = EMPTY_BYTES;
  /** How often in a row a large buffer held little. */
  #smallFills = 0;
  /** Where the waiting bytes lie, from #start to #end: in #buffer, or in the chunk that is being cut. */
  #bytes: Uint8Array = EMPTY_BYTES;
  #start = 0;
  #end = 0;

  #error: string | undefined;

  constructor(mode: FramerMode, lengthMax = PACKET_BYTES_MAX) {
    this.#mode = mode;
    this.#lengthMin = mode === "event" ? EVENT_HEADER_BYTES : HEADER_BYTES;
    this.#lengthMax = lengthMax;
  }

  /** Why the stream is bad; undefined while it is not. */
  get error(): string | undefined {
    return this.#error;
  }

  /** Bytes that arrived and are not handed out yet. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  /** Bytes of memory that the framer itself holds. */
  get bufferBytes(): number {
    return this.#buffer.length;
  }

  /** True when `next()` would return a packet or find the stream bad, without further input. */
  get hasMore(): boolean {
    const pending = this.#end - this.#start;
    if (pending < LENGTH_BYTES || this.#error !== undefined) return false;
    const length = u32At(this.#bytes, this.#start);
    return pending >= length || this.#problem(length, pending) !== undefined;
  }

  /** Takes the next bytes of the stream. They must stay unchanged until `hold()` or the last `next()`. */
  push(chunk: Uint8Array): void {
    if (this.#error !== undefined || chunk.length === 0) return;
    if (this.#bytes !== this.#buffer) this.hold();
    if (this.#start === this.#end) {
      this.#bytes = plainArray(chunk);
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    this.#append(chunk);
  }

  /**
   * The next whole packet; undefined when there is none yet or the stream is bad (see `error`). When
   * it returned undefined, the chunk is no longer needed.
   */
  next(): PacketView | undefined {
    const available = this.#end - this.#start;
    if (available < LENGTH_BYTES) return this.#keepRest();
    const length = u32At(this.#bytes, this.#start);
    const problem = this.#problem(length, available);
    if (problem !== undefined) return this.#fail(problem);
    if (available < length) return this.#keepRest();
    this.#packet.moveTo(this.#bytes, this.#start, length);
    this.#start += length;
    if (this.#start === this.#end) this.#emptied();
    return this.#packet;
  }

  /** Copies what is left of the chunk, which may become invalid afterwards. */
  hold(): void {
    if (this.#bytes === this.#buffer) return;
    const rest = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = this.#buffer;
    this.#start = 0;
    this.#end = 0;
    if (rest.length > 0) this.#append(rest);
  }

  /** Nothing waits; the last packet's view keeps its bytes. */
  #emptied(): void {
    const filled = this.#bytes === this.#buffer ? this.#end : 0;
    this.#start = 0;
    this.#end = 0;
    if (this.#buffer.length > FRAMER_BUFFER_KEPT_BYTES_MAX) this.#keepOrGiveBack(filled);
    this.#bytes = this.#buffer;
  }

  /** Making a large buffer for each packet of a recovery would cost more than handling the packet. */
  #keepOrGiveBack(filled: number): void {
    this.#smallFills = filled > FRAMER_BUFFER_KEPT_BYTES_MAX / 2 ? 0 : this.#smallFills + 1;
    const tooLarge = this.#buffer.length > FRAMER_LARGE_BUFFER_BYTES_MAX;
    if (tooLarge || this.#smallFills >= FRAMER_SMALL_FILLS_MAX) this.#buffer = EMPTY_BYTES;
  }

  #append(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  #makeRoom(count: number): void {
    const live = this.#end - this.#start;
    if (this.#start >= live && live + count <= this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    } else {
      // Twice the bytes that are there: what a header promises is not reserved.
      const grown = new Uint8Array(Math.max(BUFFER_BYTES_MIN, 2 * (live + count)));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      freeNow(this.#buffer);
      this.#buffer = grown;
      this.#bytes = grown;
    }
    this.#start = 0;
    this.#end = live;
  }

  /** What is wrong with a header of which `available` bytes are there. */
  #problem(length: number, available: number): string | undefined {
    if (length < this.#lengthMin) {
      return `packet length ${length}, at least ${this.#lengthMin} bytes are expected`;
    }
    if (length > this.#lengthMax) {
      return `packet length ${length}, at most ${this.#lengthMax} bytes are accepted`;
    }
    if (this.#mode === "node" && length % 8 !== 0) {
      return `packet length ${length}, a multiple of 8 is expected between nodes`;
    }
    if (available < CHECKED_BYTES || this.#mode === "event") return undefined;
    const magic = u32At(this.#bytes, this.#start + 4);
    if (magic !== CTDB_MAGIC) {
      return `packet magic 0x${magic.toString(16)}, 0x${CTDB_MAGIC.toString(16)} is expected`;
    }
    const version = u32At(this.#bytes, this.#start + 8);
    if (version !== CTDB_PROTOCOL) {
      return `protocol version ${version}, ${CTDB_PROTOCOL} is expected`;
    }
    return undefined;
  }

  #keepRest(): undefined {
    this.hold();
    return undefined;
  }

  #fail(reason: string): undefined {
    this.#error = reason;
    this.#buffer = EMPTY_BYTES;
    this.#emptied();
    return undefined;
  }
}

/** A Buffer's slice() shares memory where an array's copies: views of packets are plain arrays. */
function plainArray(chunk: Uint8Array): Uint8Array {
  if (Object.getPrototypeOf(chunk) === Uint8Array.prototype) return chunk;
  return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

/** The callers have counted the bytes. */
function u32At(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}
