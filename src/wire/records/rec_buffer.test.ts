import { expect, test } from "bun:test";
import { generatorOf } from "../../../test/fuzz/generators.ts";
import { withSeed } from "../../../test/fuzz/seeded_random.ts";
import { decodeExact, encode, textBytes } from "../codec.ts";
import { ltdbHeader, type RecBuffer, type RecData, recBuffer } from "../structs/records.ts";
import { ltdbDmaster, ltdbFlags, ltdbRsnHigh, ltdbRsnLow, writeLtdbHeader } from "./ltdb_header.ts";
import { RecBufferBuilder, RecBufferCursor, recBufferProblem } from "./rec_buffer.ts";

const anyRecBuffer = generatorOf(recBuffer) as (random: unknown) => RecBuffer;

function records(cursor: RecBufferCursor): RecData[] {
  const found: RecData[] = [];
  while (cursor.next()) {
    found.push({ reqid: cursor.reqid, key: cursor.key(), data: cursor.data() });
  }
  return found;
}

test("RecBufferBuilder writes and RecBufferCursor reads the same bytes as the codec", () => {
  withSeed((random) => {
    for (let round = 0; round < 200; round++) {
      const value = anyRecBuffer(random);
      const builder = new RecBufferBuilder(value.db_id);
      for (const { reqid, key, data } of value.records) builder.add(reqid, key, data);
      const bytes = encode(recBuffer, value);
      expect(Buffer.compare(builder.finish(), bytes)).toBe(0);
      expect(builder.byteLength).toBe(bytes.length);
      const cursor = new RecBufferCursor(bytes);
      const read: RecBuffer = { db_id: cursor.db_id, records: records(cursor) };
      expect(read).toEqual(value);
      expect(cursor.error).toBeUndefined();
    }
  });
});

test("RecBufferCursor.next() ends with a reason at every place where a buffer can be cut", () => {
  withSeed((random) => {
    const bytes = encode(recBuffer, anyRecBuffer(random));
    const whole = new RecBufferCursor(bytes);
    for (let length = 0; length < bytes.length; length += 1 + random.below(3)) {
      const problem = recBufferProblem(bytes.slice(0, length));
      if (whole.count > 0 || length < 8) expect(problem).toBeString();
    }
    expect(recBufferProblem(bytes)).toBeUndefined();
  });
});

function oneRecord(): Uint8Array {
  const builder = new RecBufferBuilder(5);
  builder.add(1, textBytes("key"), textBytes("data!"));
  return builder.finish().slice();
}

const FAULTS: readonly (readonly [string, number, number, string])[] = [
  ["a count too large", 4, 2, "2 records of at least 16 bytes, 24 bytes remain"],
  ["a record length too small", 8, 23, "record 0 at byte 8: length 23 is not 16+3+5"],
  ["a key length that wraps", 16, 0xfffffffe, "key 4294967294 and data 5, 8 bytes remain"],
  ["a data length too large", 20, 6, "key 3 and data 6, 8 bytes remain"],
];

for (const [name, offset, value, reason] of FAULTS) {
  test(`RecBufferCursor refuses ${name}`, () => {
    const bytes = oneRecord();
    new DataView(bytes.buffer).setUint32(offset, value, true);
    const cursor = new RecBufferCursor(bytes);
    expect(cursor.next()).toBe(false);
    expect(cursor.error).toContain(reason);
    expect(decodeExact(recBuffer, bytes).ok).toBe(false);
  });
}

test("recBufferProblem() asks for a least length of data", () => {
  expect(recBufferProblem(oneRecord(), 5)).toBeUndefined();
  expect(recBufferProblem(oneRecord(), 24)).toBe(
    "record 0: data of 5 bytes, at least 24 are expected",
  );
});

test("RecBufferBuilder.addRange() copies key and data that lie side by side", () => {
  const source = textBytes(`..keydata${"x".repeat(100)}`);
  const builder = new RecBufferBuilder(5);
  builder.addRange(7, source, 2, 3, 4);
  builder.addRange(8, source, 2, 3, 104);
  expect(records(new RecBufferCursor(builder.finish()))).toEqual([
    { reqid: 7, key: textBytes("key"), data: textBytes("data") },
    { reqid: 8, key: textBytes("key"), data: textBytes(`data${"x".repeat(100)}`) },
  ]);
});

test("RecBufferBuilder.fits() is false when a record would go over the limit, never for the first", () => {
  const builder = new RecBufferBuilder(5, 60);
  expect(builder.fits(100, 100)).toBe(true);
  builder.add(1, textBytes("12345678"), textBytes("12345678"));
  expect(builder.byteLength).toBe(40);
  expect(builder.fits(2, 2)).toBe(true);
  expect(builder.fits(2, 3)).toBe(false);
  builder.reset();
  expect(builder.count).toBe(0);
  expect(recBufferProblem(builder.finish())).toBeUndefined();
});

test("ltdb header accessors agree with the codec", () => {
  withSeed((random) => {
    const generate = generatorOf(ltdbHeader) as (source: unknown) => {
      rsn: { hi: number; lo: number };
      dmaster: number;
      flags: number;
    };
    for (let round = 0; round < 100; round++) {
      const value = { ...generate(random), reserved1: 0 };
      const bytes = new Uint8Array(30);
      writeLtdbHeader(bytes, 3, value.rsn.hi, value.rsn.lo, value.dmaster, value.flags);
      const encoded = bytes.slice(3, 27);
      expect(encoded).toEqual(new Uint8Array(encode(ltdbHeader, value)));
      expect([
        ltdbRsnHigh(bytes, 3),
        ltdbRsnLow(bytes, 3),
        ltdbDmaster(bytes, 3),
        ltdbFlags(bytes, 3),
      ]).toEqual([value.rsn.hi, value.rsn.lo, value.dmaster, value.flags]);
    }
  });
});
