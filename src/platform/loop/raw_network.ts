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
import { hardwareAddresses, type LinkInterface, linkInterface } from "../libc/link_interface.ts";
import {
  HostSockaddr,
  openArpSocket,
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
import { arpFilter } from "../packets/arp_filter.ts";
import { arpProbe, type HardwareAddress, hardwareAddressText } from "../packets/arp_packet.ts";
import { segmentFilter } from "../packets/segment_filter.ts";
import { type AddressedSegment, SEGMENT_BYTES_MAX, writeSegment } from "../packets/tcp_segment.ts";
import type {
  ArpNetwork,
  ArpSpeaker,
  ArpWatch,
  RawNetwork,
  SegmentFilter,
  TcpCapture,
  TcpEnd,
  TcpSegment,
} from "../types/raw_network.ts";
import { LoopArpWatch } from "./arp_watch.ts";
import type { EventLoop } from "./event_loop.ts";
import { RING, SegmentCapture } from "./segment_capture.ts";

/** A link on which something can be said to all neighbours. */
interface Audience {
  readonly link: LinkInterface;
  readonly hardware: HardwareAddress;
}

export class LoopRawNetwork implements RawNetwork, ArpNetwork {
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
    const what = `${address} on ${interfaceName}`;
    const found = audience("announce", interfaceName, what);
    if (!found.ok) return found;
    if (found.value === undefined) return done;
    const { link, hardware } = found.value;
    if (bytes.length === 4) {
      const packets = (["request", "reply"] as const).map((operation) =>
        gratuitousArp(operation, bytes, hardware),
      );
      const to = { protocol: PROTOCOL_ARP, hardwareAddress: link.broadcast };
      return sendToLink(link, to, packets, what);
    }
    const { type } = hardware;
    const hardwareAddress = allNodesHardwareAddress({ type, bytes: link.broadcast });
    if (hardwareAddress === undefined) {
      return err(systemError(ERRNO.EPROTONOSUPPORT, "announce", what));
    }
    const to = { protocol: PROTOCOL_IPV6, hardwareAddress };
    return sendToLink(link, to, [neighbourAdvertisement(bytes, hardware)], what);
  }

  probeAddress(address: string, interfaceName: string): Result<void, SystemError> {
    const bytes = this.#addresses.bytesOf(address);
    if (bytes?.length !== 4) return err(systemError(ERRNO.EINVAL, "probe", address));
    const what = `${address} on ${interfaceName}`;
    const found = audience("probe", interfaceName, what);
    if (!found.ok) return found;
    if (found.value === undefined) return done;
    const { link, hardware } = found.value;
    const to = { protocol: PROTOCOL_ARP, hardwareAddress: link.broadcast };
    return sendToLink(link, to, [arpProbe(bytes, hardware)], what);
  }

  watchArp(
    interfaceName: string,
    onSpeaker: (speaker: ArpSpeaker) => void,
  ): Result<ArpWatch, SystemError> {
    const found = linkInterface(interfaceName);
    if (!found.ok) return found;
    const { index, address } = found.value;
    const opened = openArpSocket(index, arpFilter(index), `ARP on ${interfaceName}`);
    if (!opened.ok) return opened;
    const watch = new LoopArpWatch(this.#loop, opened.value, address.length, (sender) =>
      onSpeaker({
        address: this.#addresses.textOf(sender.address),
        hardwareAddress: hardwareAddressText(sender.hardware),
      }),
    );
    return ok(watch);
  }

  hardwareAddresses(): Result<ReadonlySet<string>, SystemError> {
    const found = hardwareAddresses();
    return found.ok ? ok(new Set(found.value.map(hardwareAddressText))) : found;
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
    filter: SegmentFilter,
    onSegment: (segment: TcpSegment) => void,
  ): Result<TcpCapture, SystemError> {
    const known = (addresses: readonly string[]) =>
      addresses.map((address) => this.#addresses.bytesOf(address)).filter(isKnown);
    const ends = { from: known(filter.from), to: known(filter.to) };
    // Without what is no address the filter would mean something else.
    if (ends.from.length !== filter.from.length || ends.to.length !== filter.to.length) {
      return err(systemError(ERRNO.EINVAL, "capture", [...filter.from, ...filter.to].join(" ")));
    }
    const capture = openCapture(segmentFilter(ends), RING);
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

/** undefined: there are no neighbours. */
function audience(
  call: string,
  interfaceName: string,
  what: string,
): Result<Audience | undefined, SystemError> {
  const found = linkInterface(interfaceName);
  if (!found.ok) return found;
  const link = found.value;
  if (!link.hasNeighbours) return ok(undefined);
  if (!link.up) return err(systemError(ERRNO.ENETDOWN, call, what));
  const { hardwareType: type } = link;
  if (type !== HARDWARE_ETHERNET && type !== HARDWARE_INFINIBAND) {
    return err(systemError(ERRNO.EPROTONOSUPPORT, call, what));
  }
  return ok({ link, hardware: { type, bytes: link.address } });
}

function isKnown(bytes: Uint8Array | undefined): bytes is Uint8Array {
  return bytes !== undefined;
}
