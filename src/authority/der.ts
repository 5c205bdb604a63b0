/**
 * Writing ASN.1 in DER (ITU-T X.690), as much of it as certificates need. Values are bytes with their tag and length in
 * front; nothing is read here.
 */
import { assert } from "../base/assert.ts";
import { textBytes } from "../base/byte_text.ts";

const TAG = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

const CONTEXT_SPECIFIC = 0x80;
const CONSTRUCTED = 0x20;

function tagged(tag: number, content: Uint8Array): Uint8Array {
  return joined([Uint8Array.of(tag, ...lengthBytes(content.length)), content]);
}

/** Below 128 one byte, else how many bytes it has and those. */
function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 | bytes.length, ...bytes];
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function sequence(...items: readonly Uint8Array[]): Uint8Array {
  return tagged(TAG.SEQUENCE, joined(items));
}

export function setOf(item: Uint8Array): Uint8Array {
  return tagged(TAG.SET, item);
}

/** Not negative, the most significant byte first. */
export function integer(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0);
  const short = first === -1 ? Uint8Array.of(0) : bytes.subarray(first);
  const signed = (short[0] ?? 0) >= 0x80 ? joined([Uint8Array.of(0), short]) : short;
  return tagged(TAG.INTEGER, signed);
}

/** Bits from the left: the first of a byte is its highest one. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  return tagged(TAG.BIT_STRING, joined([Uint8Array.of(unusedBits), bytes]));
}

export function octetString(bytes: Uint8Array): Uint8Array {
  return tagged(TAG.OCTET_STRING, bytes);
}

export function boolean(value: boolean): Uint8Array {
  return tagged(TAG.BOOLEAN, Uint8Array.of(value ? 0xff : 0));
}

export function utf8String(text: string): Uint8Array {
  return tagged(TAG.UTF8_STRING, textBytes(text));
}

/** Of the form "2.5.29.17". */
export function objectIdentifier(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const numbers = [first * 40 + second, ...rest];
  assert(numbers.every(Number.isSafeInteger), "an object identifier is numbers");
  return tagged(TAG.OBJECT_IDENTIFIER, Uint8Array.from(numbers.flatMap(sevenBitBytes)));
}

function sevenBitBytes(value: number): readonly number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.unshift(0x80 | (rest % 128));
  }
  return bytes;
}

/** Whole seconds; the form with two digits of the year until 2049, as certificates want it (RFC 5280, 4.1.2.5). */
export function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/\.\d+/, "").replace(/[-:T]/g, "");
  const isShort = new Date(ms).getUTCFullYear() < 2050;
  const bytes = textBytes(isShort ? digits.slice(2) : digits);
  return tagged(isShort ? TAG.UTC_TIME : TAG.GENERALIZED_TIME, bytes);
}

/** [number], around whole values. */
export function explicit(number: number, item: Uint8Array): Uint8Array {
  return tagged(CONTEXT_SPECIFIC | CONSTRUCTED | number, item);
}

/** [number], in place of a string's own tag. */
export function implicit(number: number, content: Uint8Array): Uint8Array {
  return tagged(CONTEXT_SPECIFIC | number, content);
}
