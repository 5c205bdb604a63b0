import { expect, test } from "bun:test";
import { bytesText, isUtf8, textBytes } from "./byte_text.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("textBytes() gives back every sequence of bytes that bytesText() was given", () => {
  const awkward = [0x00, 0x22, 0x61, 0x7f, 0x80, 0xa9, 0xbd, 0xbf, 0xc0, 0xc3, 0xdc, 0xe0, 0xed];
  const alphabet = [...awkward, 0xef, 0xf0, 0xf4, 0xf8, 0xff];
  const seen = new Set<string>();
  const wrong: string[] = [];
  const given = new Uint8Array(4);
  for (const a of alphabet) {
    for (const b of alphabet) {
      for (const c of alphabet) {
        for (const d of alphabet) {
          given.set([a, b, c, d]);
          const text = bytesText(given);
          if (Buffer.compare(textBytes(text), given) !== 0) wrong.push(given.join(" "));
          seen.add(text);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(seen.size).toBe(alphabet.length ** 4);
});

test("bytesText() leaves UTF-8 what it is, with a byte order mark in front too", () => {
  for (const text of ["", "plain", "é €", "\u{1f600}x", "\ufeffmark", "\ufffd"]) {
    expect(bytesText(textBytes(text))).toBe(text);
    expect(isUtf8(text)).toBe(true);
  }
});

test("bytesText() keeps the characters around a byte that is none", () => {
  const text = bytesText(bytes(0xc3, 0xa9, 0xff, 0xf0, 0x9f, 0x98, 0x80, 0xe2, 0x82));
  expect(text).toBe("é\udcff\u{1f600}\udce2\udc82");
  expect(isUtf8(text)).toBe(false);
});

test("textBytes() of long text with one odd byte", () => {
  const long = new Uint8Array(300_000).fill(0x61);
  long[150_000] = 0xff;
  expect(textBytes(bytesText(long))).toEqual(long);
});
