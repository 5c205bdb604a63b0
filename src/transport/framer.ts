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
 * 1. A packet that lies within one chunk is a view of that chunk; only packets that cross chunks, and
 *    what `hold()` was asked to keep, are copied.
 * 2. The view that `next()` returns is the same object each time and is valid until the next call of any
 *    method: who needs the packet longer takes `copy()`.
 * 3. Memory follows the bytes that arrived, at most twice, never the length a header promises.
 * 4. After a bad header nothing more comes: a stream cannot be resynchronised. `error` is the reason.
 *
 * It checks what the header must be for any packet; operations and bodies are for others.
 */
import { assert } from "../base/assert.ts";
import { EVENT_HEADER_BYTES } from "../wire/event_protocol.ts";
import { FRAMER_BUFFER_KEPT_BYTES_MAX, PACKET_BYTES_MAX } from "../wire/limits.ts";
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
const EMPTY_VIEW = new DataView(EMPTY_BYTES.buffer);

export class PacketFramer {
  readonly #mode: FramerMode;
  readonly #lengthMin: number;
  readonly #lengthMax: number;
  readonly #packet = new PacketView();

  /** The chunk being cut; bytes before #chunkAt are done. */
  #chunk: Uint8Array = EMPTY_BYTES;
  #chunkView: DataView = EMPTY_VIEW;
  #chunkAt = 0;

  /** Older bytes that were copied; live from #start to #end. They come before the chunk. */
  #buffer: Uint8Array = EMPTY_BYTES;
  #bufferView: DataView = EMPTY_VIEW;
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
    return this.#end - this.#start + this.#chunk.length - this.#chunkAt;
  }

  /** Bytes of memory that the framer itself holds. */
  get bufferBytes(): number {
    return this.#buffer.length;
  }

  /** True when `next()` would return a packet or find the stream bad, without further input. */
  get hasMore(): boolean {
    if (this.#error !== undefined) return false;
    const pending = this.pendingBytes;
    if (pending < LENGTH_BYTES) return false;
    const length = this.#peekU32(0);
    return pending >= length || this.#problem(length, pending) !== undefined;
  }

  /** Takes the next bytes of the stream. They must stay unchanged until `hold()` or the last `next()`. */
  push(chunk: Uint8Array): void {
    if (this.#error !== undefined || chunk.length === 0) return;
    this.hold();
    // A Buffer's slice() shares memory where an array's copies: views of packets are plain arrays.
    this.#chunk = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#chunkView = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#chunkAt = 0;
  }

  /**
   * The next whole packet; undefined when there is none yet or the stream is bad (see `error`). When
   * it returned undefined, the chunk is no longer needed.
   */
  next(): PacketView | undefined {
    if (this.#error !== undefined) return undefined;
    if (this.#end > this.#start) return this.#nextFromBuffer();
    const available = this.#chunk.length - this.#chunkAt;
    if (available < LENGTH_BYTES) return this.#keepRest();
    const length = this.#chunkView.getUint32(this.#chunkAt, true);
    const problem = this.#problem(length, available);
    if (problem !== undefined) return this.#fail(problem);
    if (available < length) return this.#keepRest();
    this.#packet.moveTo(this.#chunk, this.#chunkAt, length);
    this.#chunkAt += length;
    return this.#packet;
  }

  /** Copies what is left of the chunk, which may become invalid afterwards. */
  hold(): void {
    const rest = this.#chunk.length - this.#chunkAt;
    if (rest > 0) this.#take(rest);
    this.#chunk = EMPTY_BYTES;
    this.#chunkView = EMPTY_VIEW;
    this.#chunkAt = 0;
  }

  /** The first packet begins in the buffer: it is completed there from the chunk. */
  #nextFromBuffer(): PacketView | undefined {
    if (!this.#fill(LENGTH_BYTES)) return undefined;
    const length = this.#bufferView.getUint32(this.#start, true);
    if (length >= CHECKED_BYTES && !this.#fill(CHECKED_BYTES)) return undefined;
    const problem = this.#problem(length, this.#end - this.#start);
    if (problem !== undefined) return this.#fail(problem);
    if (!this.#fill(length)) return undefined;
    this.#packet.moveTo(this.#buffer, this.#start, length);
    this.#start += length;
    if (this.#start === this.#end) this.#emptied();
    return this.#packet;
  }

  /** The buffer holds nothing that is not handed out; the last packet's view keeps its bytes. */
  #emptied(): void {
    this.#start = 0;
    this.#end = 0;
    if (this.#buffer.length > FRAMER_BUFFER_KEPT_BYTES_MAX) {
      this.#buffer = EMPTY_BYTES;
      this.#bufferView = EMPTY_VIEW;
    }
  }

  /** Has the buffer hold at least `count` bytes, taking from the chunk what is missing. */
  #fill(count: number): boolean {
    const missing = count - (this.#end - this.#start);
    if (missing <= 0) return true;
    const available = this.#chunk.length - this.#chunkAt;
    this.#take(Math.min(missing, available));
    return available >= missing;
  }

  #take(count: number): void {
    if (count === 0) return;
    this.#makeRoom(count);
    const from = this.#chunkAt;
    this.#buffer.set(this.#chunk.subarray(from, from + count), this.#end);
    this.#end += count;
    this.#chunkAt += count;
  }

  #makeRoom(count: number): void {
    if (this.#end + count <= this.#buffer.length) return;
    const live = this.#end - this.#start;
    if (this.#start >= live && live + count <= this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    } else {
      // Twice the bytes that are there: what a header promises is not reserved.
      const grown = new Uint8Array(Math.max(BUFFER_BYTES_MIN, 2 * (live + count)));
      grown.set(this.#buffer.subarray(this.#start, this.#end));
      this.#buffer = grown;
      this.#bufferView = new DataView(grown.buffer);
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
    const magic = this.#peekU32(4);
    if (magic !== CTDB_MAGIC) {
      return `packet magic 0x${magic.toString(16)}, 0x${CTDB_MAGIC.toString(16)} is expected`;
    }
    const version = this.#peekU32(8);
    if (version !== CTDB_PROTOCOL) {
      return `protocol version ${version}, ${CTDB_PROTOCOL} is expected`;
    }
    return undefined;
  }

  /** A word of the header that comes next, which may lie in both buffer and chunk. */
  #peekU32(offset: number): number {
    const buffered = this.#end - this.#start;
    if (buffered === 0) return this.#chunkView.getUint32(this.#chunkAt + offset, true);
    if (offset + 4 <= buffered) return this.#bufferView.getUint32(this.#start + offset, true);
    let value = 0;
    for (let i = 3; i >= 0; i--) {
      const at = offset + i;
      const byte =
        at < buffered ? this.#buffer[this.#start + at] : this.#chunk[this.#chunkAt + at - buffered];
      assert(byte !== undefined, "the header's bytes are there");
      value = value * 256 + byte;
    }
    return value;
  }

  #keepRest(): undefined {
    this.hold();
    return undefined;
  }

  #fail(reason: string): undefined {
    this.#error = reason;
    this.#chunk = EMPTY_BYTES;
    this.#chunkView = EMPTY_VIEW;
    this.#chunkAt = 0;
    this.#emptied();
    this.#buffer = EMPTY_BYTES;
    this.#bufferView = EMPTY_VIEW;
    return undefined;
  }
}
