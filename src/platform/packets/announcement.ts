/**
 * What tells the neighbours that an address is here now: ARP packets, and IPv6's unsolicited neighbour
 * advertisement (docs/platform.md, "Raw packets"). For Ethernet and for IP over InfiniBand, whose addresses have 20
 * bytes.
 */
import { type ArpOperation, type HardwareAddress, writeArp } from "./arp_packet.ts";
import { internetChecksum, pseudoHeaderSum } from "./checksum.ts";
import { writeIpv6Header } from "./tcp_segment.ts";

export const HARDWARE_ETHERNET = 1;
export const HARDWARE_INFINIBAND = 32;

const IPV6_HEADER_BYTES = 40;
const PROTOCOL_ICMPV6 = 58;
const ADVERTISEMENT_BYTES = 24;
const ADVERTISEMENT_TYPE = 136;
/** Neighbours replace what they had. */
const FLAG_OVERRIDE = 0x20;
const OPTION_TARGET_LINK_ADDRESS = 2;
const OPTION_UNIT_BYTES = 8;
/** ff02::1 */
const ALL_NODES = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_ETHERNET = Uint8Array.of(0x33, 0x33, 0, 0, 0, 1);
/** Where an InfiniBand group's address tells IPv4 (0x401b) from IPv6 (0x601b): RFC 4391, section 4. */
const INFINIBAND_SIGNATURE_AT = 6;
const INFINIBAND_SIGNATURE_IPV6 = 0x60;
const INFINIBAND_ADDRESS_BYTES = 20;

/** An ARP packet in which the owner of `address` (4 bytes) speaks of itself. */
export function gratuitousArp(
  operation: ArpOperation,
  address: Uint8Array,
  hardware: HardwareAddress,
): Uint8Array {
  // Who asks does not know the target's.
  const targetHardware = operation === "reply" ? hardware.bytes : undefined;
  return writeArp(operation, hardware, { sender: address, target: address, targetHardware });
}

/** An IPv6 packet from `address` (16 bytes) to all nodes of the link. */
export function neighbourAdvertisement(address: Uint8Array, hardware: HardwareAddress): Uint8Array {
  const optionBytes =
    Math.ceil((2 + hardware.bytes.length) / OPTION_UNIT_BYTES) * OPTION_UNIT_BYTES;
  const packet = new Uint8Array(IPV6_HEADER_BYTES + ADVERTISEMENT_BYTES + optionBytes);
  const view = new DataView(packet.buffer);
  writeIpv6Header(view, packet, { src: address, dst: ALL_NODES, protocol: PROTOCOL_ICMPV6 });
  const message = packet.subarray(IPV6_HEADER_BYTES);
  message[0] = ADVERTISEMENT_TYPE;
  message[4] = FLAG_OVERRIDE;
  message.set(address, 8);
  message[ADVERTISEMENT_BYTES] = OPTION_TARGET_LINK_ADDRESS;
  message[ADVERTISEMENT_BYTES + 1] = optionBytes / OPTION_UNIT_BYTES;
  // What the address leaves of the option stands in front of it (RFC 4391, section 9.3).
  message.set(hardware.bytes, message.length - hardware.bytes.length);
  const pseudo = pseudoHeaderSum(address, ALL_NODES, PROTOCOL_ICMPV6, message.length);
  view.setUint16(IPV6_HEADER_BYTES + 2, internetChecksum(message, pseudo));
  return packet;
}

/** Where the link sends what is for all IPv6 nodes; undefined for a link of another kind. */
export function allNodesHardwareAddress(broadcast: HardwareAddress): Uint8Array | undefined {
  const { type, bytes } = broadcast;
  if (type === HARDWARE_ETHERNET) return ALL_NODES_ETHERNET;
  if (type !== HARDWARE_INFINIBAND || bytes.length !== INFINIBAND_ADDRESS_BYTES) return undefined;
  const group = bytes.slice();
  group[INFINIBAND_SIGNATURE_AT] = INFINIBAND_SIGNATURE_IPV6;
  group.set([0, 0, 0, 1], INFINIBAND_ADDRESS_BYTES - 4);
  return group;
}
