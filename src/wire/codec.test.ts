import { expect, test } from "bun:test";
import {
  type Codec,
  counted,
  countedString,
  countedStringOrNone,
  decodeExact,
  decodePadded,
  encode,
  fixedString,
  optionalString,
  pad,
  stringZ,
  struct,
  textBytes,
  u8Codec,
  u32Codec,
  u64Codec,
} from "./codec.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("struct() writes fields in order, little endian, with zeros for padding", () => {
  const codec = struct({ a: u8Codec, _0: pad(3), b: u32Codec, c: u64Codec });
  expect(codec.minSize).toBe(16);
  expect(encode(codec, { a: 1, b: 0x01020304, c: { hi: 0x0a0b0c0d, lo: 0x11223344 } })).toEqual(
    bytes(1, 0, 0, 0, 4, 3, 2, 1, 0x44, 0x33, 0x22, 0x11, 0xd, 0xc, 0xb, 0xa),
  );
});

test("encode() inside of an encoding, and after a large one, gives its own bytes", () => {
  const nested = {
    minSize: 0,
    encode: (writer: Writer, value: number) => {
      writer.u8(value);
      if (value > 0) writer.bytes(encode(nested, value - 1));
      writer.u8(value);
    },
    decode: () => 0,
  };
  expect(encode(nested, 2)).toEqual(bytes(2, 1, 0, 0, 1, 2));
  expect(encode(fixedString(9000), "x").length).toBe(9000);
  expect(encode(u8Codec, 7)).toEqual(bytes(7));
});

test("struct() ignores what lies in padding", () => {
  const codec = struct({ a: u8Codec, _0: pad(3), b: u8Codec });
  expect(decodeExact(codec, bytes(1, 9, 9, 9, 2))).toEqual({ ok: true, value: { a: 1, b: 2 } });
});

test("counted() refuses a count that the bytes cannot hold, before it allocates", () => {
  const codec = counted(u32Codec, "numbers");
  const outcome = decodeExact(codec, bytes(0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0));
  expect(outcome).toEqual({
    ok: false,
    error: "at byte 4: 4294967295 numbers of at least 4 bytes, 4 bytes remain",
  });
});

test("decodeExact() refuses bytes behind the value, decodePadded() allows them", () => {
  expect(decodeExact(u32Codec, bytes(1, 0, 0, 0, 0))).toEqual({
    ok: false,
    error: "1 bytes too many",
  });
  expect(decodePadded(u32Codec, bytes(1, 0, 0, 0, 0))).toEqual({ ok: true, value: 1 });
});

test("Reader keeps the first failure and reads zeros afterwards", () => {
  const reader = new Reader(bytes(1, 2));
  expect(reader.u32()).toBe(0);
  expect(reader.u8()).toBe(0);
  expect(reader.take(1, "more")).toEqual(bytes());
  expect(reader.error).toBe("at byte 0: u32 needs 4 bytes, 2 remain");
});

test("Writer.i64() and Reader.i64() carry negative and large numbers", () => {
  for (const value of [0, 1, -1, 2 ** 40 + 3, -(2 ** 40), 2 ** 53 - 1]) {
    const writer = new Writer(8);
    writer.i64(value);
    expect(new Reader(writer.finish()).i64()).toBe(value);
  }
});

test.each([0, 2, 8, 300, 400])(
  "encode() gives what a codec writes that expected %d bytes",
  (sizeOf) => {
    const codec: Codec<number> = {
      minSize: 0,
      sizeOf: () => sizeOf,
      encode(writer, value) {
        for (let i = 0; i < 150; i++) writer.u16(value + i);
      },
      decode: () => 0,
    };
    const encoded = encode(codec, 1000);
    expect(encoded.length).toBe(300);
    const reader = new Reader(encoded);
    expect(Array.from({ length: 150 }, () => reader.u16() - 1000)).toEqual(
      Array.from({ length: 150 }, (_, i) => i),
    );
  },
);

test("stringZ needs its NUL", () => {
  expect(encode(stringZ, "ab")).toEqual(bytes(0x61, 0x62, 0));
  expect(decodeExact(stringZ, bytes(0x61, 0x62)).ok).toBe(false);
});

test("countedString counts the NUL, and reads text that came without", () => {
  expect(encode(countedString, "a")).toEqual(bytes(2, 0, 0, 0, 0x61, 0));
  expect(encode(countedString, "")).toEqual(bytes(1, 0, 0, 0, 0));
  expect(decodeExact(countedString, bytes(1, 0, 0, 0, 0x61))).toEqual({ ok: true, value: "a" });
  expect(decodeExact(countedString, bytes(0, 0, 0, 0))).toEqual({ ok: true, value: "" });
});

test("optionalString tells no text from empty text", () => {
  expect(encode(optionalString, undefined)).toEqual(bytes(0, 0, 0, 0));
  expect(encode(optionalString, "")).toEqual(bytes(1, 0, 0, 0, 0));
  expect(decodeExact(optionalString, bytes(0, 0, 0, 0))).toEqual({ ok: true, value: undefined });
});

test("countedStringOrNone sends empty text as length 0", () => {
  expect(encode(countedStringOrNone, "")).toEqual(bytes(0, 0, 0, 0));
  expect(decodeExact(countedStringOrNone, bytes(1, 0, 0, 0, 0))).toEqual({ ok: true, value: "" });
});

test("fixedString() cuts long text at the end of a character and keeps its NUL", () => {
  const codec = fixedString(6);
  expect(encode(codec, "abcdefgh")).toEqual(bytes(0x61, 0x62, 0x63, 0x64, 0x65, 0));
  expect(encode(codec, "ab€€")).toEqual(bytes(0x61, 0x62, 0xe2, 0x82, 0xac, 0));
  expect(encode(codec, "abc€")).toEqual(bytes(0x61, 0x62, 0x63, 0, 0, 0));
  expect(decodeExact(codec, textBytes("sixsix"))).toEqual({ ok: true, value: "sixsix" });
});
