/** ARP packets for IPv4, from the ARP header on: RFC 826, and the probe of RFC 5227. */

const PROTOCOL_IPV4 = 0x0800;
const IPV4_BYTES = 4;
const HEADER_BYTES = 8;
const OPERATIONS = { request: 1, reply: 2 } as const;
/** Who probes has no address yet. */
const NOBODY = new Uint8Array(IPV4_BYTES);

export type ArpOperation = keyof typeof OPERATIONS;

export interface HardwareAddress {
  /** As ARP numbers it. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** The longest packet that means anything to us: hardware addresses have at most 32 bytes. */
export const ARP_BYTES_MAX = HEADER_BYTES + 2 * (32 + IPV4_BYTES);

/** From the owner of `hardware`. Addresses have 4 bytes; without `targetHardware` that is all zero. */
export function writeArp(
  operation: ArpOperation,
  hardware: HardwareAddress,
  addresses: {
    readonly sender: Uint8Array;
    readonly target: Uint8Array;
    readonly targetHardware?: Uint8Array | undefined;
  },
): Uint8Array {
  const { type, bytes } = hardware;
  const packet = new Uint8Array(HEADER_BYTES + 2 * (bytes.length + IPV4_BYTES));
  const view = new DataView(packet.buffer);
  view.setUint16(0, type);
  view.setUint16(2, PROTOCOL_IPV4);
  view.setUint8(4, bytes.length);
  view.setUint8(5, IPV4_BYTES);
  view.setUint16(6, OPERATIONS[operation]);
  const targetAt = HEADER_BYTES + bytes.length + IPV4_BYTES;
  packet.set(bytes, HEADER_BYTES);
  packet.set(addresses.sender, HEADER_BYTES + bytes.length);
  if (addresses.targetHardware !== undefined) packet.set(addresses.targetHardware, targetAt);
  packet.set(addresses.target, targetAt + bytes.length);
  return packet;
}

/** Asks whether anybody has the address. Unlike a gratuitous ARP it is answered by who does. */
export function arpProbe(address: Uint8Array, hardware: HardwareAddress): Uint8Array {
  return writeArp("request", hardware, { sender: NOBODY, target: address });
}

/**
 * Who claims to have which address, as copies. undefined: it is no whole ARP packet of a link with hardware addresses of
 * this length, or claims no address, as a probe does.
 */
export function readArpSender(
  packet: Uint8Array,
  hardwareBytes: number,
): { readonly address: Uint8Array; readonly hardware: Uint8Array } | undefined {
  if (packet.length < HEADER_BYTES + 2 * (hardwareBytes + IPV4_BYTES)) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (view.getUint16(2) !== PROTOCOL_IPV4) return undefined;
  if (view.getUint8(4) !== hardwareBytes || view.getUint8(5) !== IPV4_BYTES) return undefined;
  const operation = view.getUint16(6);
  if (operation !== OPERATIONS.request && operation !== OPERATIONS.reply) return undefined;
  const addressAt = HEADER_BYTES + hardwareBytes;
  if (view.getUint32(addressAt) === 0) return undefined;
  return {
    address: packet.slice(addressAt, addressAt + IPV4_BYTES),
    hardware: packet.slice(HEADER_BYTES, addressAt),
  };
}

/** As tools show it: "02:00:00:00:00:01". */
export function hardwareAddressText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(":");
}
