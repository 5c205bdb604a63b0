/**
 * Text that came as bytes from outside (arguments, names, paths, configuration, script output) and goes out
 * again as the same bytes. Nothing says that they are UTF-8: a byte that belongs to no character stands
 * in the text as the lone surrogate U+DC00 + byte, which UTF-8 cannot contain, and becomes that byte again.
 *
 * Invariants:
 * 1. textBytes(bytesText(bytes)) are the bytes, whatever they are.
 * 2. Different bytes are different text: names and paths may be compared as text.
 *
 * Every other encoder and decoder of the platform replaces such bytes by U+FFFD without a word: nothing
 * else is used for what came from outside (test/tidy.test.ts).
 */

const ESCAPE = 0xdc00;
/** With the u flag a surrogate of a pair does not match. */
const ESCAPED = /[\uDC80-\uDCFF]/gu;

const encoder = new TextEncoder();
// Without ignoreBOM, three leading bytes would vanish.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function bytesText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return mixedText(bytes);
  }
}

export function textBytes(text: string): Uint8Array {
  return isUtf8(text) ? encoder.encode(text) : mixedBytes(text);
}

/** At most so many bytes, cut at the end of a character. */
export function textBytesUpTo(text: string, bytesMax: number): Uint8Array {
  const bytes = textBytes(text);
  if (bytes.length <= bytesMax) return bytes;
  let end = bytesMax;
  while (end > bytesMax - 3 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** False for text with bytes in it that are no UTF-8: who needs characters refuses it. */
export function isUtf8(text: string): boolean {
  return text.isWellFormed();
}

function mixedText(bytes: Uint8Array): string {
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < bytes.length) {
    const length = characterLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (at > start) parts.push(decoder.decode(bytes.subarray(start, at)));
    parts.push(String.fromCharCode(ESCAPE + (bytes[at] as number)));
    at += 1;
    start = at;
  }
  if (at > start) parts.push(decoder.decode(bytes.subarray(start)));
  return parts.join("");
}

/** Bytes of the character that begins here; 0 when none does (RFC 3629, section 4). */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const second = bytes[at + 1] ?? 0;
  // Neither longer than needed, nor a surrogate, nor above U+10FFFF.
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let i = 2; i < length; i++) {
    if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}

function mixedBytes(text: string): Uint8Array {
  // A character takes at most three bytes for each of its UTF-16 units.
  const bytes = new Uint8Array(3 * text.length);
  let written = 0;
  let start = 0;
  for (const { index } of text.matchAll(ESCAPED)) {
    written += encoder.encodeInto(text.slice(start, index), bytes.subarray(written)).written;
    bytes[written] = text.charCodeAt(index) - ESCAPE;
    written += 1;
    start = index + 1;
  }
  written += encoder.encodeInto(text.slice(start), bytes.subarray(written)).written;
  return bytes.slice(0, written);
}
