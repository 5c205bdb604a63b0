/**
 * A program for the kernel's packet filter of a socket for ARP that is bound to an interface: such a socket is also shown
 * what arrives on it for a VLAN above it, where other networks may have the same addresses.
 */
import { ARP_BYTES_MAX } from "./arp_packet.ts";
import { FILTER_CODES, type FilterInstruction } from "./segment_filter.ts";

/** Loads the index of the interface that a packet is for in the end. */
const FILTER_INTERFACE_AT = 0xfffff008;

export function arpFilter(interfaceIndex: number): readonly FilterInstruction[] {
  const { LOAD_WORD, JUMP_EQUAL, RETURN } = FILTER_CODES;
  return [
    { code: LOAD_WORD, jumpTrue: 0, jumpFalse: 0, operand: FILTER_INTERFACE_AT },
    { code: JUMP_EQUAL, jumpTrue: 0, jumpFalse: 1, operand: interfaceIndex },
    { code: RETURN, jumpTrue: 0, jumpFalse: 0, operand: ARP_BYTES_MAX },
    { code: RETURN, jumpTrue: 0, jumpFalse: 0, operand: 0 },
  ];
}
