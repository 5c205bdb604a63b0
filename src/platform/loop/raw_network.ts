/**
 * Raw packets over the event loop (platform/types/raw_network.ts).
 *
 * Invariants:
 * 1. The sockets for sending are opened when they are first needed, one for each family, and stay open.
 * 2. Nothing waits: what the network does not take now is an error to the caller.
 */
import type { SystemError } from "../../base/errors.ts";
import { done, err, ok, type Result } from "../../base/result.ts";
import { AddressTexts } from "../libc/address_texts.ts";
import { ERRNO, nativeMemory, systemError } from "../libc/libc.ts";
import { linkInterface } from "../libc/link_interface.ts";
import {
  HostSockaddr,
  openCapture,
  openRawSocket,
  PROTOCOL_ARP,
  PROTOCOL_IPV6,
  sendTo,
  sendToLink,
} from "../libc/packet_socket.ts";
import {
  allNodesHardwareAddress,
  gratuitousArp,
  HARDWARE_ETHERNET,
  HARDWARE_INFINIBAND,
  neighbourAdvertisement,
} from "../packets/announcement.ts";
import { segmentFilter } from "../packets/segment_filter.ts";
import { type AddressedSegment, SEGMENT_BYTES_MAX, writeSegment } from "../packets/tcp_segment.ts";
import type { RawNetwork, TcpCapture, TcpEnd, TcpSegment } from "../types/raw_network.ts";
import type { EventLoop } from "./event_loop.ts";
import { RING, SegmentCapture } from "./segment_capture.ts";

export class LoopRawNetwork implements RawNetwork {
  readonly #loop: EventLoop;
  readonly #addresses = new AddressTexts();
  readonly #sockets = new Map<TcpEnd["family"], number>();
  readonly #packet = nativeMemory(SEGMENT_BYTES_MAX);
  readonly #to = new HostSockaddr();

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  announceAddress(address: string, interfaceName: string): Result<void, SystemError> {
    const bytes = this.#addresses.bytesOf(address);
    if (bytes === undefined) return err(systemError(ERRNO.EINVAL, "announce", address));
    const found = linkInterface(interfaceName);
    if (!found.ok) return found;
    const link = found.value;
    const what = `${address} on ${interfaceName}`;
    if (!link.hasNeighbours) return done;
    if (!link.up) return err(systemError(ERRNO.ENETDOWN, "announce", what));
    const { hardwareType: type } = link;
    if (type !== HARDWARE_ETHERNET && type !== HARDWARE_INFINIBAND) {
      return err(systemError(ERRNO.EPROTONOSUPPORT, "announce", what));
    }
    const hardware = { type, bytes: link.address };
    if (bytes.length === 4) {
      const packets = (["request", "reply"] as const).map((operation) =>
        gratuitousArp(operation, bytes, hardware),
      );
      const to = { protocol: PROTOCOL_ARP, hardwareAddress: link.broadcast };
      return sendToLink(link, to, packets, what);
    }
    const hardwareAddress = allNodesHardwareAddress({ type, bytes: link.broadcast });
    if (hardwareAddress === undefined) {
      return err(systemError(ERRNO.EPROTONOSUPPORT, "announce", what));
    }
    const to = { protocol: PROTOCOL_IPV6, hardwareAddress };
    return sendToLink(link, to, [neighbourAdvertisement(bytes, hardware)], what);
  }

  sendSegment(segment: TcpSegment): Result<void, SystemError> {
    const src = this.#addresses.bytesOf(segment.src.address);
    const dst = this.#addresses.bytesOf(segment.dst.address);
    const name = segment.dst.address;
    if (src === undefined || dst === undefined || src.length !== dst.length) {
      return err(systemError(ERRNO.EINVAL, "sendto", `${name} from ${segment.src.address}`));
    }
    const socket = this.#socket(segment.dst.family);
    if (!socket.ok) return socket;
    const byteLength = writeSegment(this.#packet.bytes, {
      src,
      dst,
      srcPort: segment.src.port,
      dstPort: segment.dst.port,
      seq: segment.seq,
      ack: segment.ack,
      flags: segment.flags,
      window: segment.window,
    });
    const number = sendTo(
      socket.value,
      { address: this.#packet.address, byteLength },
      { byteLength: this.#to.set(dst), address: this.#to.address },
    );
    return number === 0 ? done : err(systemError(number, "sendto", name));
  }

  captureSegments(
    addresses: readonly string[],
    onSegment: (segment: TcpSegment) => void,
  ): Result<TcpCapture, SystemError> {
    const bytes = addresses.map((address) => this.#addresses.bytesOf(address));
    const unknown = addresses.find((_, i) => bytes[i] === undefined);
    if (unknown !== undefined) return err(systemError(ERRNO.EINVAL, "capture", unknown));
    const filter = segmentFilter(bytes.filter((known) => known !== undefined));
    const capture = openCapture(filter, RING);
    if (!capture.ok) return capture;
    const handOn = (segment: AddressedSegment) => onSegment(this.#named(segment));
    return ok(new SegmentCapture(this.#loop, capture.value, handOn));
  }

  #named(segment: AddressedSegment): TcpSegment {
    const { seq, ack, flags, window } = segment;
    return {
      src: this.#end(segment.src, segment.srcPort),
      dst: this.#end(segment.dst, segment.dstPort),
      seq,
      ack,
      flags,
      window,
    };
  }

  #end(bytes: Uint8Array, port: number): TcpEnd {
    const family = bytes.length === 4 ? "ipv4" : "ipv6";
    return { family, address: this.#addresses.textOf(bytes), port };
  }

  #socket(family: TcpEnd["family"]): Result<number, SystemError> {
    const open = this.#sockets.get(family);
    if (open !== undefined) return ok(open);
    const opened = openRawSocket(family);
    if (opened.ok) this.#sockets.set(family, opened.value);
    return opened;
  }
}
