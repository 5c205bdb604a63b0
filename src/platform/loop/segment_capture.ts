/**
 * A capture of TCP segments in the event loop, read from the ring that the kernel fills.
 *
 * Invariants:
 * 1. Frames are taken in the order in which the kernel fills them, and each is given back at once: what is handed on
 *    is a copy.
 * 2. A bounded number of frames is taken in one look; the descriptor stays ready while there are more.
 * 3. After close() the ring is not touched, also when a handler closed it.
 */
import { READY } from "../libc/epoll.ts";
import {
  type CaptureSocket,
  closeCapture,
  type RingShape,
  ringMemory,
  takeDropped,
} from "../libc/packet_socket.ts";
import { type AddressedSegment, readSegment } from "../packets/tcp_segment.ts";
import type { TcpCapture } from "../types/raw_network.ts";
import type { DescriptorOwner, EventLoop } from "./event_loop.ts";

/** 16 MiB: what comes within half a second of 100 000 segments a second waits for us. */
export const RING: RingShape = { frameBytes: 256, frames: 65_536, blockBytes: 65_536 };

const FRAMES_AT_ONCE_MAX = 2048;

/** struct tpacket2_hdr: status u32 0, length u32 4, length kept u32 8, begin of the IP header u16 14. */
const STATUS_WORD = 0;
const STATUS_KERNEL = 0;
const STATUS_USER = 1;
const KEPT_BYTES_AT = 8;
const PACKET_AT = 14;

export class SegmentCapture implements TcpCapture, DescriptorOwner {
  readonly #loop: EventLoop;
  readonly #capture: CaptureSocket;
  readonly #onSegment: (segment: AddressedSegment) => void;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #frame = 0;
  #dropped = 0;
  #closed = false;

  constructor(
    loop: EventLoop,
    capture: CaptureSocket,
    onSegment: (segment: AddressedSegment) => void,
  ) {
    this.#loop = loop;
    this.#capture = capture;
    this.#onSegment = onSegment;
    const memory = ringMemory(capture);
    this.#words = new Int32Array(memory);
    this.#bytes = new Uint8Array(memory);
    this.#view = new DataView(memory);
    loop.watch(capture.descriptor, READY.READ, this);
  }

  get dropped(): number {
    if (!this.#closed) this.#dropped += takeDropped(this.#capture);
    return this.#dropped;
  }

  close(): void {
    if (this.#closed) return;
    this.#dropped += takeDropped(this.#capture);
    this.#closed = true;
    this.#loop.forget(this.#capture.descriptor);
    closeCapture(this.#capture);
  }

  onReady(): void {
    for (let i = 0; i < FRAMES_AT_ONCE_MAX && !this.#closed; i++) {
      const at = this.#frame * RING.frameBytes;
      const status = at / 4 + STATUS_WORD;
      if ((Atomics.load(this.#words, status) & STATUS_USER) === 0) return;
      const packetAt = at + this.#view.getUint16(at + PACKET_AT, true);
      const keptBytes = this.#view.getUint32(at + KEPT_BYTES_AT, true);
      const segment = readSegment(this.#bytes.subarray(packetAt, packetAt + keptBytes));
      Atomics.store(this.#words, status, STATUS_KERNEL);
      this.#frame = (this.#frame + 1) % RING.frames;
      if (segment !== undefined) this.#onSegment(segment);
    }
  }
}
