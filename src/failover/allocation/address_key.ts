/**
 * An address as the four words by which allocation orders and compares addresses: those of an IPv6
 * address, and of an IPv4 address three zeros and the address (docs/takeover.md, "Allocation").
 *
 * The distance is a measure of the original with its peculiarity: equal bits are counted in each word, also in
 * those behind a word that differs, and one that differs ends nothing. Every decision depends on it.
 */
import { addressBytes, type SockAddr } from "../../wire/structs/socket_address.ts";

export type AddressKey = readonly [number, number, number, number];

export function addressKey(address: SockAddr): AddressKey {
  if (address.family === "none") return [0, 0, 0, 0];
  const bytes = addressBytes(address.address);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (address.family === "ipv4") return [0, 0, 0, view.getUint32(0)];
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}

/** Below 0 when `a` comes first. Words count as numbers without a sign. */
export function compareKeys(a: AddressKey, b: AddressKey): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}

/** 0 to 128; 128 for equal addresses. */
export function addressDistance(a: AddressKey, b: AddressKey): number {
  return (
    Math.clz32(a[0] ^ b[0]) +
    Math.clz32(a[1] ^ b[1]) +
    Math.clz32(a[2] ^ b[2]) +
    Math.clz32(a[3] ^ b[3])
  );
}
