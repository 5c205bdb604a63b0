/**
 * Who speaks in ARP packets that arrive on one interface, in the event loop.
 *
 * Invariants:
 * 1. A bounded number of packets is read in one look; the descriptor stays ready while there are more.
 * 2. After close() the handler is not called, also when it closed the watch itself.
 */
import { READY } from "../libc/epoll.ts";
import { STREAM_FUNCTIONS } from "../libc/functions.ts";
import { ERRNO, errno, nativeMemory, openLibc } from "../libc/libc.ts";
import { closeDescriptor } from "../libc/pipe.ts";
import { ARP_BYTES_MAX, readArpSender } from "../packets/arp_packet.ts";
import type { ArpWatch } from "../types/raw_network.ts";
import type { DescriptorOwner, EventLoop } from "./event_loop.ts";

const PACKETS_AT_ONCE_MAX = 64;

export type ArpHandler = (sender: {
  readonly address: Uint8Array;
  readonly hardware: Uint8Array;
}) => void;

export class LoopArpWatch implements ArpWatch, DescriptorOwner {
  readonly #loop: EventLoop;
  readonly #descriptor: number;
  readonly #hardwareBytes: number;
  readonly #onSender: ArpHandler;
  readonly #packet = nativeMemory(ARP_BYTES_MAX);
  readonly #libc = openLibc(STREAM_FUNCTIONS);
  #closed = false;

  /** The descriptor is ours from now on. */
  constructor(loop: EventLoop, descriptor: number, hardwareBytes: number, onSender: ArpHandler) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#hardwareBytes = hardwareBytes;
    this.#onSender = onSender;
    loop.watch(descriptor, READY.READ, this);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#loop.forget(this.#descriptor);
    closeDescriptor(this.#descriptor);
  }

  onReady(): void {
    for (let i = 0; i < PACKETS_AT_ONCE_MAX && !this.#closed; i += 1) {
      const { address, bytes } = this.#packet;
      const count = this.#libc.recv(this.#descriptor, address, ARP_BYTES_MAX, 0);
      if (count === -1) {
        const number = errno();
        // That the interface went down is told once; it may come up again.
        if (number !== ERRNO.EAGAIN && number !== ERRNO.EINTR && number !== ERRNO.ENETDOWN) {
          this.close();
        }
        return;
      }
      const sender = readArpSender(bytes.subarray(0, count), this.#hardwareBytes);
      if (sender !== undefined) this.#onSender(sender);
    }
  }
}
