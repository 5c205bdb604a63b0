import { expect, test } from "bun:test";
import { internetChecksum, pseudoHeaderSum } from "./checksum.ts";
import {
  type AddressedSegment,
  readSegment,
  SEGMENT_BYTES_MAX,
  writeSegment,
} from "./tcp_segment.ts";

const ADDRESSES = [
  [Uint8Array.of(10, 0, 0, 1), Uint8Array.of(192, 168, 255, 254)],
  [new Uint8Array(16).fill(0xfd), new Uint8Array(16).fill(7)],
] as const;

function segments(): readonly AddressedSegment[] {
  return ADDRESSES.map(([src, dst]) => ({
    src,
    dst,
    srcPort: 445,
    dstPort: 65_535,
    seq: 0xfffffffe,
    ack: 0x80000001,
    flags: { ack: true, rst: true, syn: false },
    window: 1234,
  }));
}

function written(segment: AddressedSegment): Uint8Array {
  const into = new Uint8Array(SEGMENT_BYTES_MAX + 8).fill(0xaa);
  return into.subarray(0, writeSegment(into, segment));
}

test("internetChecksum() gives the example of RFC 1071", () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
  expect(internetChecksum(bytes)).toBe(~0xddf2 & 0xffff);
});

test("readSegment() reads what writeSegment() wrote", () => {
  for (const segment of segments()) expect(readSegment(written(segment))).toEqual(segment);
});

test("writeSegment() writes checksums that add up to nothing", () => {
  for (const segment of segments()) {
    const packet = written(segment);
    const tcp = packet.subarray(packet.length - 20);
    expect(internetChecksum(tcp, pseudoHeaderSum(segment.src, segment.dst, 6, 20))).toBe(0);
    if (segment.src.length === 4) expect(internetChecksum(packet.subarray(0, 20))).toBe(0);
  }
});

test("readSegment() takes a packet cut anywhere, and any bytes", () => {
  for (const segment of segments()) {
    const packet = written(segment);
    for (let length = 0; length < packet.length; length++) {
      expect(readSegment(packet.subarray(0, length))).toBeUndefined();
    }
    for (let at = 0; at < packet.length; at++) {
      for (const value of [0, 0x40, 0x4f, 0x60, 0xff]) {
        const other = packet.slice();
        other[at] = value;
        readSegment(other);
      }
    }
  }
});

test("readSegment() finds the ports behind IPv4 options, and none in a later fragment", () => {
  const [segment] = segments() as [AddressedSegment];
  const packet = written(segment);
  const longer = new Uint8Array(packet.length + 8);
  longer.set(packet.subarray(0, 20));
  longer.set(packet.subarray(20), 28);
  longer[0] = 0x47;
  expect(readSegment(longer)).toEqual(segment);
  const fragment = packet.slice();
  fragment[7] = 1;
  expect(readSegment(fragment)).toBeUndefined();
});
