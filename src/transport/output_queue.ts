/**
 * The packets that wait to be written to one stream, as bytes.
 *
 * Invariants:
 * 1. `push` copies: the packet's own bytes are free again when it returns.
 * 2. What comes out is padded to 8 bytes, with header.length rewritten (docs/protocol.md, "Framing"), unless its kind
 *    of packet knows no padding.
 * 3. Order is the order of `push`; bytes the stream did not take stay at the front.
 */
import { assert } from "../base/assert.ts";
import { freeNow } from "../base/free_now.ts";
import { PrefixViews } from "../base/prefix_views.ts";
import { type PacketView, paddedLength } from "../wire/packet.ts";

const BLOCK_BYTES = 64 * 1024;

interface Block {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly prefixes: PrefixViews;
  start: number;
  end: number;
  /** Packets that end in this block. */
  packets: number;
}

export class OutputQueue {
  readonly #pads: boolean;
  #blocks: Block[] = [];
  /** One empty block is kept: a link that is never behind needs no other. */
  #spare: Block | undefined;
  #bytes = 0;
  #packets = 0;

  constructor(pads = true) {
    this.#pads = pads;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }
  /** Packets that are not written completely (in blocks: a lower block counts until it is written). */
  get packets(): number {
    return this.#packets;
  }
  get empty(): boolean {
    return this.#bytes === 0;
  }

  push(packet: PacketView): void {
    const length = packet.length;
    const padded = this.#pads ? paddedLength(length) : length;
    const block = this.#room(padded);
    const at = block.end;
    packet.copyTo(block.bytes, at);
    if (padded !== length) block.bytes.fill(0, at + length, at + padded);
    block.view.setUint32(at, padded, true);
    block.end = at + padded;
    block.packets += 1;
    this.#bytes += padded;
    this.#packets += 1;
  }

  /** Bytes of a packet of which the stream has taken the first already. */
  pushRest(bytes: Uint8Array): void {
    const block = this.#room(bytes.length);
    block.bytes.set(bytes, block.end);
    block.end += bytes.length;
    block.packets += 1;
    this.#bytes += bytes.length;
    this.#packets += 1;
  }

  /** Gives the stream as much as it takes; true when nothing is left. */
  flush(write: (bytes: Uint8Array) => number): boolean {
    for (;;) {
      const block = this.#blocks[0];
      if (block === undefined) return true;
      const { start, end } = block;
      const waiting = start === 0 ? block.prefixes.of(end) : block.bytes.subarray(start, end);
      const taken = write(waiting);
      assert(taken >= 0 && taken <= end - start, "a stream takes at most what it was given");
      block.start += taken;
      this.#bytes -= taken;
      if (taken < end - start) return false;
      this.#packets -= block.packets;
      this.#blocks.shift();
      this.#keepSpare(block);
    }
  }

  clear(): void {
    this.#blocks = [];
    this.#spare = undefined;
    this.#bytes = 0;
    this.#packets = 0;
  }

  #room(count: number): Block {
    const last = this.#blocks[this.#blocks.length - 1];
    if (last !== undefined && last.bytes.length - last.end >= count) return last;
    let block = this.#spare;
    if (block !== undefined && count <= BLOCK_BYTES) this.#spare = undefined;
    else block = newBlock(Math.max(count, BLOCK_BYTES));
    this.#blocks.push(block);
    return block;
  }

  #keepSpare(block: Block): void {
    if (block.bytes.length !== BLOCK_BYTES) {
      freeNow(block.bytes);
      return;
    }
    block.start = 0;
    block.end = 0;
    block.packets = 0;
    this.#spare = block;
  }
}

function newBlock(size: number): Block {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  return { bytes, view, prefixes: new PrefixViews(bytes), start: 0, end: 0, packets: 0 };
}
