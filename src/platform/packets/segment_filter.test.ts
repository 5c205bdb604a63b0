import { expect, test } from "bun:test";
import {
  ADDRESSES_MAX,
  FILTER_CODES,
  FILTER_PROTOCOL_AT,
  type FilterInstruction,
  segmentFilter,
} from "./segment_filter.ts";
import { SEGMENT_BYTES_MAX, writeSegment } from "./tcp_segment.ts";

const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const v4 = (last: number) => Uint8Array.of(10, 0, 0, last);
const v6 = (last: number) => Uint8Array.of(0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);

/** What the kernel does with such a program. A jump out of the program, or a load behind the packet, is no answer. */
function keptBytes(
  program: readonly FilterInstruction[],
  protocol: number,
  packet: Uint8Array,
): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const { code, jumpTrue, jumpFalse, operand } = program[at] as FilterInstruction;
    expect(jumpTrue).toBeLessThan(256);
    expect(jumpFalse).toBeLessThan(256);
    if (code === FILTER_CODES.RETURN) return operand;
    if (code === FILTER_CODES.JUMP) at += operand;
    else if (code === FILTER_CODES.JUMP_EQUAL) at += accumulator === operand ? jumpTrue : jumpFalse;
    else if (code === FILTER_CODES.JUMP_BITS) {
      at += (accumulator & operand) !== 0 ? jumpTrue : jumpFalse;
    } else if (operand === FILTER_PROTOCOL_AT) accumulator = protocol;
    else if (code === FILTER_CODES.LOAD_WORD) accumulator = view.getUint32(operand);
    else if (code === FILTER_CODES.LOAD_HALF) accumulator = view.getUint16(operand);
    else accumulator = view.getUint8(operand);
  }
}

function segment(src: Uint8Array, dst: Uint8Array): Uint8Array {
  const packet = new Uint8Array(SEGMENT_BYTES_MAX);
  const flags = { ack: true, rst: false, syn: false };
  const ports = { srcPort: 445, dstPort: 50_000 };
  return packet.subarray(
    0,
    writeSegment(packet, { src, dst, ...ports, seq: 1, ack: 2, flags, window: 3 }),
  );
}

test("segmentFilter() passes what is from or to one of the addresses", () => {
  const program = segmentFilter([v4(1), v6(1), v4(2), v6(2)]);
  for (const address of [1, 2]) {
    expect(keptBytes(program, IPV4, segment(v4(address), v4(9)))).toBeGreaterThan(0);
    expect(keptBytes(program, IPV4, segment(v4(9), v4(address)))).toBeGreaterThan(0);
    expect(keptBytes(program, IPV6, segment(v6(address), v6(9)))).toBeGreaterThan(0);
    expect(keptBytes(program, IPV6, segment(v6(9), v6(address)))).toBeGreaterThan(0);
  }
  expect(keptBytes(program, IPV4, segment(v4(8), v4(9)))).toBe(0);
  expect(keptBytes(program, IPV6, segment(v6(8), v6(9)))).toBe(0);
});

test("segmentFilter() compares every byte of an address", () => {
  const program = segmentFilter([v6(1), v4(1)]);
  for (let at = 0; at < 16; at++) {
    const other = v6(1);
    other[at] = (other[at] as number) ^ 1;
    expect(keptBytes(program, IPV6, segment(other, v6(9)))).toBe(0);
    expect(keptBytes(program, IPV6, segment(v6(9), other))).toBe(0);
  }
});

test("segmentFilter() drops what is no TCP segment", () => {
  for (const program of [segmentFilter([v4(1), v6(1)]), segmentFilter([])]) {
    const datagram = segment(v4(1), v4(2));
    datagram[9] = 17;
    expect(keptBytes(program, IPV4, datagram)).toBe(0);
    const fragment = segment(v4(1), v4(2));
    fragment[7] = 1;
    expect(keptBytes(program, IPV4, fragment)).toBe(0);
    const advertisement = segment(v6(1), v6(2));
    advertisement[6] = 58;
    expect(keptBytes(program, IPV6, advertisement)).toBe(0);
    expect(keptBytes(program, 0x0806, segment(v4(1), v4(2)))).toBe(0);
  }
});

test("segmentFilter() with as many addresses as it takes looks at the last of each kind", () => {
  const half = ADDRESSES_MAX / 2;
  const numbers = Array.from({ length: half }, (_, i) => i);
  const program = segmentFilter([...numbers.map(v4), ...numbers.map(v6)]);
  expect(program.length).toBeLessThan(4096);
  expect(keptBytes(program, IPV4, segment(v4(half - 1), v4(200)))).toBeGreaterThan(0);
  expect(keptBytes(program, IPV6, segment(v6(200), v6(half - 1)))).toBeGreaterThan(0);
  expect(keptBytes(program, IPV6, segment(v6(200), v6(201)))).toBe(0);
});

test("segmentFilter() without addresses, or with too many, passes every segment", () => {
  const many = Array.from({ length: ADDRESSES_MAX + 1 }, (_, i) => v4(i));
  for (const program of [segmentFilter([]), segmentFilter(many)]) {
    expect(keptBytes(program, IPV4, segment(v4(200), v4(201)))).toBeGreaterThan(0);
    expect(keptBytes(program, IPV6, segment(v6(200), v6(201)))).toBeGreaterThan(0);
  }
});
