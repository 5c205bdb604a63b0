/**
 * TCP segments without data in IPv4 and IPv6 packets: writing them, and reading the headers of captured ones.
 *
 * Invariants:
 * 1. Addresses are their 4 or 16 bytes; whoever calls turns them into text.
 * 2. What is captured may be cut or malformed: then there is no segment, never a wrong one.
 */
import { internetChecksum, pseudoHeaderSum } from "./checksum.ts";

const IPV4_HEADER_BYTES = 20;
const IPV6_HEADER_BYTES = 40;
const TCP_HEADER_BYTES = 20;
const PROTOCOL_TCP = 6;
const HOPS = 255;
const FLAG_SYN = 0x02;
const FLAG_RST = 0x04;
const FLAG_ACK = 0x10;
/** The part of a fragment that is not the first has no TCP header. */
const FRAGMENT_OFFSET_MASK = 0x1fff;

/** The largest that `writeSegment` writes. */
export const SEGMENT_BYTES_MAX = IPV6_HEADER_BYTES + TCP_HEADER_BYTES;
/** The headers of a segment with options in both. */
export const HEADER_BYTES_MAX = 120;

export interface SegmentFields {
  readonly srcPort: number;
  readonly dstPort: number;
  /** u32, as `ack`. */
  readonly seq: number;
  readonly ack: number;
  readonly flags: { readonly ack: boolean; readonly rst: boolean; readonly syn: boolean };
  readonly window: number;
}

export interface AddressedSegment extends SegmentFields {
  readonly src: Uint8Array;
  readonly dst: Uint8Array;
}

/** Writes the whole packet at the begin of `into` and returns its length. Both addresses are of one family. */
export function writeSegment(into: Uint8Array, segment: AddressedSegment): number {
  const { src, dst } = segment;
  const isIpv4 = src.length === 4;
  const tcpAt = isIpv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
  const packet = into.subarray(0, tcpAt + TCP_HEADER_BYTES);
  packet.fill(0);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (isIpv4) writeIpv4Header(view, packet, src, dst);
  else writeIpv6Header(view, packet, { src, dst, protocol: PROTOCOL_TCP });
  view.setUint16(tcpAt, segment.srcPort);
  view.setUint16(tcpAt + 2, segment.dstPort);
  view.setUint32(tcpAt + 4, segment.seq);
  view.setUint32(tcpAt + 8, segment.ack);
  view.setUint8(tcpAt + 12, (TCP_HEADER_BYTES / 4) << 4);
  view.setUint8(tcpAt + 13, flagBits(segment.flags));
  view.setUint16(tcpAt + 14, segment.window);
  const pseudo = pseudoHeaderSum(src, dst, PROTOCOL_TCP, TCP_HEADER_BYTES);
  view.setUint16(tcpAt + 16, internetChecksum(packet.subarray(tcpAt), pseudo));
  return packet.length;
}

function flagBits(flags: SegmentFields["flags"]): number {
  return (flags.ack ? FLAG_ACK : 0) | (flags.rst ? FLAG_RST : 0) | (flags.syn ? FLAG_SYN : 0);
}

function writeIpv4Header(
  view: DataView,
  packet: Uint8Array,
  src: Uint8Array,
  dst: Uint8Array,
): void {
  view.setUint8(0, 0x45);
  view.setUint16(2, packet.length);
  view.setUint8(8, HOPS);
  view.setUint8(9, PROTOCOL_TCP);
  packet.set(src, 12);
  packet.set(dst, 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, IPV4_HEADER_BYTES)));
}

/** For the whole of `packet`, header and what follows. */
export function writeIpv6Header(
  view: DataView,
  packet: Uint8Array,
  fields: { readonly src: Uint8Array; readonly dst: Uint8Array; readonly protocol: number },
): void {
  view.setUint8(0, 0x60);
  view.setUint16(4, packet.length - IPV6_HEADER_BYTES);
  view.setUint8(6, fields.protocol);
  view.setUint8(7, HOPS);
  packet.set(fields.src, 8);
  packet.set(fields.dst, 24);
}

/** The segment in an IP packet of which at least the headers are in `packet`; undefined when there is none. */
export function readSegment(packet: Uint8Array): AddressedSegment | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (packet.length < IPV4_HEADER_BYTES) return undefined;
  const version = view.getUint8(0) >> 4;
  if (version === 4) {
    const tcpAt = (view.getUint8(0) & 0x0f) * 4;
    const isFirst = (view.getUint16(6) & FRAGMENT_OFFSET_MASK) === 0;
    if (view.getUint8(9) !== PROTOCOL_TCP || !isFirst || tcpAt < IPV4_HEADER_BYTES) {
      return undefined;
    }
    return readTcp(view, tcpAt, packet.slice(12, 16), packet.slice(16, 20));
  }
  if (version !== 6 || packet.length < IPV6_HEADER_BYTES) return undefined;
  if (view.getUint8(6) !== PROTOCOL_TCP) return undefined;
  return readTcp(view, IPV6_HEADER_BYTES, packet.slice(8, 24), packet.slice(24, 40));
}

function readTcp(
  view: DataView,
  at: number,
  src: Uint8Array,
  dst: Uint8Array,
): AddressedSegment | undefined {
  if (view.byteLength < at + TCP_HEADER_BYTES) return undefined;
  const flags = view.getUint8(at + 13);
  return {
    src,
    dst,
    srcPort: view.getUint16(at),
    dstPort: view.getUint16(at + 2),
    seq: view.getUint32(at + 4),
    ack: view.getUint32(at + 8),
    flags: {
      ack: (flags & FLAG_ACK) !== 0,
      rst: (flags & FLAG_RST) !== 0,
      syn: (flags & FLAG_SYN) !== 0,
    },
    window: view.getUint16(at + 14),
  };
}
