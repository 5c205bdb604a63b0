/**
 * 64-bit unsigned integers of the wire (srvid, rsn, client numbers) as two 32-bit halves.
 * BigInt is too slow for the packet path, and a double loses the low bits of a srvid.
 * Both halves are always in 0..0xFFFFFFFF.
 */
export interface U64 {
  readonly hi: number;
  readonly lo: number;
}

export const U64_ZERO: U64 = { hi: 0, lo: 0 };

export function u64(hi: number, lo: number): U64 {
  return { hi: hi >>> 0, lo: lo >>> 0 };
}

/** From a non-negative integer below 2^53. */
export function u64FromNumber(value: number): U64 {
  return { hi: Math.floor(value / 0x100000000) >>> 0, lo: value >>> 0 };
}

/** To a double: exact below 2^53, nearest value above. */
export function u64ToNumber(value: U64): number {
  return value.hi * 0x100000000 + value.lo;
}

export function u64Equal(a: U64, b: U64): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}

/** Negative, zero or positive, as for sorting. */
export function u64Compare(a: U64, b: U64): number {
  return u64Order(a.hi, a.lo, b.hi, b.lo);
}

/** The same for halves that are not in an object. */
export function u64Order(aHi: number, aLo: number, bHi: number, bLo: number): number {
  return aHi === bHi ? aLo - bLo : aHi - bHi;
}

/** a + small, wrapping at 2^64; `small` is an integer in -2^31..2^31. */
export function u64Add(a: U64, small: number): U64 {
  const lo = a.lo + small;
  const carry = Math.floor(lo / 0x100000000);
  return u64(a.hi + carry, lo);
}

/** 16 hex digits with 0x in front; with `short`, without leading zeros (C's 0x%llx). */
export function u64Hex(value: U64, short = false): string {
  const digits = value.hi.toString(16).padStart(8, "0") + value.lo.toString(16).padStart(8, "0");
  return `0x${short ? digits.replace(/^0+(?=.)/, "") : digits}`;
}

/** Decimal text of the full value (for output only; not on the packet path). */
export function u64Decimal(value: U64): string {
  return String((BigInt(value.hi) << 32n) | BigInt(value.lo));
}

/** Parses decimal or 0x hex text; undefined when it is neither or does not fit. */
export function parseU64(text: string): U64 | undefined {
  if (!/^(0x[0-9a-f]+|[0-9]+)$/i.test(text)) return undefined;
  const value = BigInt(text);
  if (value >> 64n !== 0n) return undefined;
  return u64(Number(value >> 32n), Number(value & 0xffffffffn));
}
