/**
 * The packet header and the packet as a view (docs/protocol.md, "Header").
 *
 * A PacketView is a window on received bytes. The framer owns it and moves it from packet to packet:
 * whoever needs a packet after the handler returned takes `copy()`. Header fields can be patched in
 * place, so that a packet is forwarded without being decoded.
 */
import { assert } from "../base/assert.ts";
import { freeNow } from "../base/free_now.ts";
import { type U64, u64 } from "../base/u64.ts";

export const CTDB_MAGIC = 0x43544442;
export const CTDB_PROTOCOL = 1;
export const HEADER_BYTES = 32;

export const OPERATIONS = {
  REQ_CALL: 0,
  REPLY_CALL: 1,
  REQ_DMASTER: 2,
  REPLY_DMASTER: 3,
  REPLY_ERROR: 4,
  REQ_MESSAGE: 5,
  REQ_CONTROL: 7,
  REPLY_CONTROL: 8,
  REQ_KEEPALIVE: 9,
  REQ_TUNNEL: 10,
} as const;
export type OperationName = keyof typeof OPERATIONS;

/** Special destination pnns. */
export const CURRENT_NODE = 0xf0000001;
export const BROADCAST_ALL = 0xf0000002;
export const BROADCAST_ACTIVE = 0xf0000003;
export const BROADCAST_CONNECTED = 0xf0000004;
export const UNKNOWN_PNN = 0xffffffff;

export const INVALID_GENERATION = 1;

/** What a sender chooses in the header; the builders of packets.ts add the operation. */
export interface PacketHeader {
  readonly generation: number;
  readonly destnode: number;
  readonly srcnode: number;
  readonly reqid: number;
}

export interface Header extends PacketHeader {
  readonly operation: number;
}

/** Padded as the daemon's queues pad: to 8 bytes. */
export function paddedLength(length: number): number {
  return (length + 7) & ~7;
}

/**
 * A new packet of `length` bytes (header included), zero-padded to 8 bytes, with the header filled in
 * and header.length already the padded value.
 */
export function newPacket(header: Header, length: number): PacketView {
  return newOperationPacket(header.operation, header, length);
}

export function newOperationPacket(
  operation: number,
  header: PacketHeader,
  length: number,
): PacketView {
  const bytes = new Uint8Array(paddedLength(length));
  const packet = new PacketView();
  packet.moveTo(bytes, 0, bytes.length);
  packet.setU32(0, bytes.length);
  packet.setU32(4, CTDB_MAGIC);
  packet.setU32(8, CTDB_PROTOCOL);
  packet.setU32(12, header.generation);
  packet.setU32(16, operation);
  packet.setU32(20, header.destnode);
  packet.setU32(24, header.srcnode);
  packet.setU32(28, header.reqid);
  return packet;
}

const NO_BYTES = new Uint8Array(0);

/** Words are put together from bytes: making a DataView for a packet costs more than all its reads. */
export class PacketView {
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  /** Total length with header and padding, as received. */
  length = 0;

  /** Makes this the packet of `length` bytes that begins at `start`. */
  moveTo(bytes: Uint8Array, start: number, length: number): void {
    assert(start + length <= bytes.length, "a packet lies within its buffer");
    this.#bytes = bytes;
    this.#start = start;
    this.length = length;
  }

  get generation(): number {
    return this.u32(12);
  }
  get operation(): number {
    return this.u32(16);
  }
  get destnode(): number {
    return this.u32(20);
  }
  get srcnode(): number {
    return this.u32(24);
  }
  get reqid(): number {
    return this.u32(28);
  }
  set generation(value: number) {
    this.setU32(12, value);
  }
  set destnode(value: number) {
    this.setU32(20, value);
  }
  set srcnode(value: number) {
    this.setU32(24, value);
  }
  set reqid(value: number) {
    this.setU32(28, value);
  }

  u32(offset: number): number {
    return this.i32(offset) >>> 0;
  }
  i32(offset: number): number {
    const bytes = this.#bytes;
    const at = this.#start + offset;
    return (
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    );
  }
  u64(offset: number): U64 {
    return u64(this.u32(offset + 4), this.u32(offset));
  }
  setU32(offset: number, value: number): void {
    const bytes = this.#bytes;
    const at = this.#start + offset;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  }
  setU64(offset: number, value: U64): void {
    this.setU32(offset, value.lo);
    this.setU32(offset + 4, value.hi);
  }

  /** A view of part of the packet; valid as long as the packet is. */
  slice(offset: number, count: number): Uint8Array {
    assert(offset + count <= this.length, "a slice lies within its packet");
    if (count === 0) return NO_BYTES;
    return this.#bytes.subarray(this.#start + offset, this.#start + offset + count);
  }
  set(offset: number, bytes: Uint8Array): void {
    assert(offset + bytes.length <= this.length, "written bytes lie within their packet");
    if (bytes.length > 0) this.#bytes.set(bytes, this.#start + offset);
  }
  /** Copies the whole packet; without a view where the packet is all of its bytes. */
  copyTo(target: Uint8Array, at: number): void {
    target.set(this.#isAll ? this.#bytes : this.bytes(), at);
  }
  get #isAll(): boolean {
    return this.#start === 0 && this.length === this.#bytes.length;
  }
  /** The whole packet as a view. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#start + this.length);
  }
  /**
   * Its use is over: for the owner of a packet that was built or copied (see freeNow()). Does nothing with one that
   * lies among others.
   */
  free(): void {
    if (this.#isAll) freeNow(this.#bytes);
  }
  /** A packet of its own, with its own bytes. */
  copy(): PacketView {
    // Not slice(), which shares memory when the bytes are a Buffer.
    const bytes = new Uint8Array(this.#isAll ? this.#bytes : this.bytes());
    const packet = new PacketView();
    packet.moveTo(bytes, 0, bytes.length);
    return packet;
  }
}
