/** The checksum of the internet protocols (RFC 1071): of IPv4's header, and of TCP and ICMPv6 with their pseudo header. */

/** The 16-bit words of `bytes`, added up; an odd last byte counts as the upper half of a word. */
function sumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += ((bytes[at] as number) << 8) | (bytes[at + 1] ?? 0);
  }
  return sum;
}

/** What stands in the field, which must hold zero meanwhile. */
export function internetChecksum(bytes: Uint8Array, before = 0): number {
  let sum = before + sumOf(bytes);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

/** The sum of the pseudo header, which is the same for IPv4 and IPv6 as their fields are added up. */
export function pseudoHeaderSum(
  src: Uint8Array,
  dst: Uint8Array,
  protocol: number,
  byteLength: number,
): number {
  return sumOf(src) + sumOf(dst) + protocol + byteLength;
}
