/**
 * A program for the kernel's packet filter (classic BPF, as of a packet socket whose packets begin with their IP header):
 * TCP segments of certain addresses pass, cut to their headers, and nothing else reaches us.
 *
 * Invariants:
 * 1. A jump goes at most over one block of one address, so that the 8 bits of its distance always do.
 * 2. The program's length is bounded by ADDRESSES_MAX; without addresses every TCP segment passes.
 */
import { HEADER_BYTES_MAX } from "./tcp_segment.ts";

/** Each takes up to 18 instructions of the 4096 that the kernel takes. */
export const ADDRESSES_MAX = 64;

export interface FilterInstruction {
  readonly code: number;
  /** Instructions to leave out when the test holds, and when it does not. */
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  /** u32. */
  readonly operand: number;
}

/** Codes: load a word, half word or byte at a place; jump always, when equal, when bits are set; return. */
export const FILTER_CODES = {
  LOAD_WORD: 0x20,
  LOAD_HALF: 0x28,
  LOAD_BYTE: 0x30,
  JUMP: 0x05,
  JUMP_EQUAL: 0x15,
  JUMP_BITS: 0x45,
  RETURN: 0x06,
} as const;

/** Loads the protocol that the link says. */
export const FILTER_PROTOCOL_AT = 0xfffff000;
const PROTOCOL_IPV4 = 0x0800;
const PROTOCOL_IPV6 = 0x86dd;
const PROTOCOL_TCP = 6;
const FRAGMENT_OFFSET_MASK = 0x1fff;

interface Layout {
  readonly protocolAt: number;
  readonly srcAt: number;
  readonly dstAt: number;
}

const IPV4: Layout = { protocolAt: 9, srcAt: 12, dstAt: 16 };
const IPV6: Layout = { protocolAt: 6, srcAt: 8, dstAt: 24 };

/** `addresses`: 4 or 16 bytes each; a segment passes when it is from or to one of them. */
export function segmentFilter(addresses: readonly Uint8Array[]): readonly FilterInstruction[] {
  const selective = addresses.length > 0 && addresses.length <= ADDRESSES_MAX;
  const ipv4 = [
    ...onlyTcp(IPV4),
    load(FILTER_CODES.LOAD_HALF, 6),
    jump(FILTER_CODES.JUMP_BITS, FRAGMENT_OFFSET_MASK, 0, 1),
    DROP,
    ...(selective
      ? anyOf(
          IPV4,
          addresses.filter(({ length }) => length === 4),
        )
      : [PASS]),
  ];
  const ipv6 = [
    ...onlyTcp(IPV6),
    ...(selective
      ? anyOf(
          IPV6,
          addresses.filter(({ length }) => length === 16),
        )
      : [PASS]),
  ];
  return [
    load(FILTER_CODES.LOAD_WORD, FILTER_PROTOCOL_AT),
    jump(FILTER_CODES.JUMP_EQUAL, PROTOCOL_IPV4, 1, 0),
    // Not over all of IPv4's with the 8 bits of a test.
    jump(FILTER_CODES.JUMP, ipv4.length, 0, 0),
    ...ipv4,
    jump(FILTER_CODES.JUMP_EQUAL, PROTOCOL_IPV6, 1, 0),
    DROP,
    ...ipv6,
  ];
}

function onlyTcp(layout: Layout): readonly FilterInstruction[] {
  return [
    load(FILTER_CODES.LOAD_BYTE, layout.protocolAt),
    jump(FILTER_CODES.JUMP_EQUAL, PROTOCOL_TCP, 1, 0),
    DROP,
  ];
}

function anyOf(layout: Layout, addresses: readonly Uint8Array[]): readonly FilterInstruction[] {
  const blocks = addresses.flatMap((address) => [
    ...passWhen(layout.dstAt, address),
    ...passWhen(layout.srcAt, address),
  ]);
  return [...blocks, DROP];
}

/** Returns when all words of the address stand there, otherwise goes on behind. */
function passWhen(at: number, address: Uint8Array): readonly FilterInstruction[] {
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  const block: FilterInstruction[] = [];
  for (let offset = 0; offset < address.length; offset += 4) {
    const instructionsLeft = (address.length - offset) / 2 - 2;
    block.push(load(FILTER_CODES.LOAD_WORD, at + offset));
    block.push(jump(FILTER_CODES.JUMP_EQUAL, view.getUint32(offset), 0, instructionsLeft + 1));
  }
  return [...block, PASS];
}

function load(code: number, operand: number): FilterInstruction {
  return { code, jumpTrue: 0, jumpFalse: 0, operand };
}

function jump(
  code: number,
  operand: number,
  jumpTrue: number,
  jumpFalse: number,
): FilterInstruction {
  return { code, jumpTrue, jumpFalse, operand };
}

/** The operand is how many bytes of the packet are kept. */
const PASS: FilterInstruction = {
  code: FILTER_CODES.RETURN,
  jumpTrue: 0,
  jumpFalse: 0,
  operand: HEADER_BYTES_MAX,
};
const DROP: FilterInstruction = { ...PASS, operand: 0 };
