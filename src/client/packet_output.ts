/**
 * Outgoing packets of one connection, built in place in one growing buffer and written once per turn.
 *
 * Invariants:
 * 1. Packets leave in the order in which they were begun, each whole.
 * 2. What the stream did not take waits for onDrain; at most `limitBytes` wait, then `overflow` runs
 *    and nothing more is accepted.
 *
 * It must not know what a packet means beyond its header.
 */
import type { U64 } from "../base/u64.ts";
import type { Stream } from "../platform/types/network.ts";
import type { Timers } from "../platform/types/time.ts";
import { CTDB_MAGIC, CTDB_PROTOCOL, HEADER_BYTES, paddedLength } from "../wire/packet.ts";

const START_BYTES = 16 * 1024;
/** A buffer that grew beyond this is given back when it was hardly filled for so many times in a row. */
const KEEP_BYTES = 1024 * 1024;
const SMALL_FILLS_MAX = 16;
/** No packet has more bytes before its data: they are cleared, as not every field is written. */
const FIXED_BYTES_MAX = 64;

export class PacketOutput {
  readonly #stream: Stream;
  readonly #timers: Timers;
  readonly #limitBytes: number;
  readonly #overflow: () => void;
  #bytes = new Uint8Array(START_BYTES);
  #view = new DataView(this.#bytes.buffer);
  /** Bytes before this were taken by the stream. */
  #sent = 0;
  #end = 0;
  #packet = 0;
  /** How often in a row a large buffer held little. */
  #smallFills = 0;
  #flushPlanned = false;
  #blocked = false;
  #closed = false;

  constructor(stream: Stream, timers: Timers, limitBytes: number, overflow: () => void) {
    this.#stream = stream;
    this.#timers = timers;
    this.#limitBytes = limitBytes;
    this.#overflow = overflow;
  }

  /** Starts a packet of `length` bytes (header included) and fills in the header. */
  begin(operation: number, destnode: number, srcnode: number, reqid: number, length: number): void {
    const padded = paddedLength(length);
    if (this.#closed) this.close();
    this.#reserve(padded);
    this.#packet = this.#end;
    this.#end += padded;
    // The data is written by the caller; before and behind it there may be padding.
    const fixedEnd = Math.min(this.#end, this.#packet + FIXED_BYTES_MAX);
    this.#bytes.fill(0, this.#packet + HEADER_BYTES, fixedEnd);
    this.#bytes.fill(0, Math.max(fixedEnd, this.#packet + length), this.#end);
    this.setU32(0, padded);
    this.setU32(4, CTDB_MAGIC);
    this.setU32(8, CTDB_PROTOCOL);
    this.setU32(12, 0);
    this.setU32(16, operation);
    this.setU32(20, destnode);
    this.setU32(24, srcnode);
    this.setU32(28, reqid);
    this.#planFlush();
  }

  /** Sets a field of the packet that was begun last. */
  setU32(offset: number, value: number): void {
    this.#view.setUint32(this.#packet + offset, value, true);
  }

  setU64(offset: number, value: U64): void {
    this.setU32(offset, value.lo);
    this.setU32(offset + 4, value.hi);
  }

  setBytes(offset: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#packet + offset);
  }

  /** Room in the stream again. */
  drained(): void {
    this.#blocked = false;
    this.flush();
  }

  flush(): void {
    this.#flushPlanned = false;
    if (this.#closed || this.#blocked) return;
    if (this.#sent === this.#end) return;
    this.#sent += this.#stream.write(this.#bytes.subarray(this.#sent, this.#end));
    if (this.#sent < this.#end) {
      this.#blocked = true;
      return;
    }
    const filled = this.#end;
    this.#sent = 0;
    this.#end = 0;
    if (this.#bytes.length > KEEP_BYTES) this.#keepOrGiveBack(filled);
  }

  /** Large packets come in a row: a new buffer for each would cost more than filling it. */
  #keepOrGiveBack(filled: number): void {
    this.#smallFills = filled > KEEP_BYTES / 2 ? 0 : this.#smallFills + 1;
    if (this.#smallFills < SMALL_FILLS_MAX) return;
    this.#smallFills = 0;
    this.#resize(START_BYTES);
  }

  /** Drops what waits and accepts nothing more. */
  close(): void {
    this.#closed = true;
    this.#sent = 0;
    this.#end = 0;
  }

  #planFlush(): void {
    if (this.#flushPlanned || this.#blocked || this.#closed) return;
    this.#flushPlanned = true;
    this.#timers.soon(() => this.flush());
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const waiting = this.#end - this.#sent;
    if (waiting + count > this.#limitBytes && !this.#closed && waiting > 0) {
      // The caller's packet still gets its place, so that it need not look; it goes nowhere.
      this.close();
      this.#timers.soon(this.#overflow);
    }
    this.#resize(Math.max(START_BYTES, (this.#end - this.#sent + count) * 2));
  }

  /** Moves what waits to the front of a buffer of `size` bytes. */
  #resize(size: number): void {
    const waiting = this.#bytes.subarray(this.#sent, this.#end);
    const bytes = new Uint8Array(size);
    bytes.set(waiting);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
    this.#end = waiting.length;
    this.#sent = 0;
  }
}
