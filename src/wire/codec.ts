/**
 * Typed values ↔ bytes in the native layout of x86_64 C (little endian), which is what CTDB speaks.
 *
 * Invariants:
 * 1. A Reader never reads outside its bytes and never throws: the first failure is kept as text,
 *    later reads return zeros, and `decode` reports the failure.
 * 2. No length or count that came from the bytes is used to allocate before it was compared with the
 *    bytes that remain.
 * 3. Padding is written as zeros and ignored when read.
 */
import { bytesText, textBytes, textBytesUpTo } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";
import { type U64, u64 } from "../base/u64.ts";

export interface Codec<T> {
  /** Bytes of the smallest encoding; array counts are checked against it. */
  readonly minSize: number;
  /** Bytes that this value takes, at least, where that is known at once; without it minSize. */
  sizeOf?(value: T): number;
  encode(writer: Writer, value: T): void;
  decode(reader: Reader): T;
}

/** Any codec, where only its shape matters. */
export interface AnyCodec {
  readonly minSize: number;
  encode(writer: Writer, value: never): void;
  decode(reader: Reader): unknown;
}

export type TypeOf<C> = C extends { decode(reader: Reader): infer T } ? T : never;

/** What is longer than expected is longer by this at least. */
const GROWN_BYTES_MIN = 128;

export class Writer {
  // Single bytes rather than a DataView: most values are a few words, and a view of a fresh array
  // costs more.
  #bytes: Uint8Array;
  length = 0;

  /** `expectedBytes`: more may be written; what is exactly as long is handed over without a copy. */
  constructor(expectedBytes: number) {
    this.#bytes = new Uint8Array(expectedBytes);
  }

  /** Makes room for `count` more bytes and returns where they start. */
  #advance(count: number): number {
    const at = this.length;
    const end = at + count;
    if (end > this.#bytes.length) this.#grow(at, end);
    this.length = end;
    return at;
  }
  #grow(at: number, end: number): void {
    // What begins with more than was expected is mostly one piece, all of it.
    const size = at === 0 ? end : Math.max(end, at * 2, GROWN_BYTES_MIN);
    const grown = new Uint8Array(size);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  u8(value: number): void {
    const at = this.#advance(1);
    this.#bytes[at] = value;
  }
  u16(value: number): void {
    const at = this.#advance(2);
    this.#bytes[at] = value;
    this.#bytes[at + 1] = value >>> 8;
  }
  u16be(value: number): void {
    const at = this.#advance(2);
    this.#bytes[at] = value >>> 8;
    this.#bytes[at + 1] = value;
  }
  u32(value: number): void {
    this.setU32(this.#advance(4), value);
  }
  i32(value: number): void {
    this.setU32(this.#advance(4), value);
  }
  u64(value: U64): void {
    this.u32(value.lo);
    this.u32(value.hi);
  }
  /** A signed 64-bit integer given as a safe integer (time stamps). */
  i64(value: number): void {
    this.u32(value >>> 0);
    this.u32(Math.floor(value / 0x100000000) >>> 0);
  }
  f64(value: number): void {
    const at = this.#advance(8);
    new DataView(this.#bytes.buffer).setFloat64(at, value, true);
  }
  bytes(value: Uint8Array): void {
    const at = this.#advance(value.length);
    this.#bytes.set(value, at);
  }
  zeros(count: number): void {
    const at = this.#advance(count);
    this.#bytes.fill(0, at, at + count);
  }
  /** Overwrites a u32 written before (lengths that are known at the end). */
  setU32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  }
  /** What was written, and the end of this writer. */
  finish(): Uint8Array {
    const bytes = this.#bytes;
    return this.length === bytes.length ? bytes : bytes.slice(0, this.length);
  }
}

export class Reader {
  readonly bytes: Uint8Array;
  at = 0;
  /** Why decoding failed; undefined while it has not. */
  error: string | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  get remaining(): number {
    return this.bytes.length - this.at;
  }
  get failed(): boolean {
    return this.error !== undefined;
  }
  fail(reason: string): void {
    this.error ??= `at byte ${this.at}: ${reason}`;
  }

  /** True when `count` more bytes are there; otherwise the failure is recorded. */
  need(count: number, what: string): boolean {
    if (this.failed) return false;
    if (count <= this.remaining) return true;
    this.fail(`${what} needs ${count} bytes, ${this.remaining} remain`);
    return false;
  }
  /** Checks a peer's element count against the bytes that remain, before anything is allocated. */
  needCount(count: number, minSize: number, what: string): boolean {
    if (this.failed) return false;
    if (count <= this.remaining / minSize) return true;
    this.fail(`${count} ${what} of at least ${minSize} bytes, ${this.remaining} bytes remain`);
    return false;
  }

  /** `at` was checked. */
  #byte(at: number): number {
    return this.bytes[at] as number;
  }
  #word(at: number): number {
    const low = this.#byte(at) | (this.#byte(at + 1) << 8);
    return low | (this.#byte(at + 2) << 16) | (this.#byte(at + 3) << 24);
  }

  u8(): number {
    if (!this.need(1, "u8")) return 0;
    this.at += 1;
    return this.#byte(this.at - 1);
  }
  u16(): number {
    if (!this.need(2, "u16")) return 0;
    this.at += 2;
    return this.#byte(this.at - 2) | (this.#byte(this.at - 1) << 8);
  }
  u16be(): number {
    if (!this.need(2, "u16")) return 0;
    this.at += 2;
    return (this.#byte(this.at - 2) << 8) | this.#byte(this.at - 1);
  }
  u32(): number {
    if (!this.need(4, "u32")) return 0;
    this.at += 4;
    return this.#word(this.at - 4) >>> 0;
  }
  i32(): number {
    if (!this.need(4, "i32")) return 0;
    this.at += 4;
    return this.#word(this.at - 4);
  }
  u64(): U64 {
    if (!this.need(8, "u64")) return u64(0, 0);
    const lo = this.u32();
    return u64(this.u32(), lo);
  }
  i64(): number {
    if (!this.need(8, "i64")) return 0;
    const lo = this.u32();
    return this.i32() * 0x100000000 + lo;
  }
  f64(): number {
    if (!this.need(8, "f64")) return 0;
    this.at += 8;
    const { buffer, byteOffset } = this.bytes;
    return new DataView(buffer, byteOffset).getFloat64(this.at - 8, true);
  }
  /** A view, not a copy: valid as long as the packet is. */
  take(count: number, what: string): Uint8Array {
    if (!this.need(count, what)) return EMPTY;
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }
  skip(count: number): void {
    if (this.need(count, "padding")) this.at += count;
  }
}

export const EMPTY = new Uint8Array(0);

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  // Nearly always what it will be in the end: most values are structs of a fixed size.
  const writer = new Writer(codec.sizeOf?.(value) ?? codec.minSize);
  codec.encode(writer, value);
  return writer.finish();
}

/** Decodes a value that fills the bytes exactly (CTDB compares fixed-size requests exactly). */
export function decodeExact<T>(codec: Codec<T>, bytes: Uint8Array): Result<T> {
  const reader = new Reader(bytes);
  const value = codec.decode(reader);
  if (reader.error !== undefined) return err(reader.error);
  if (reader.remaining > 0) return err(`${reader.remaining} bytes too many`);
  return ok(value);
}

/** Decodes a value that may be followed by padding (stream packets are padded to 8 bytes). */
export function decodePadded<T>(codec: Codec<T>, bytes: Uint8Array): Result<T> {
  const reader = new Reader(bytes);
  const value = codec.decode(reader);
  return reader.error === undefined ? ok(value) : err(reader.error);
}

// --- scalars -----------------------------------------------------------------------------------

function scalar<T>(
  size: number,
  write: (writer: Writer, value: T) => void,
  read: (reader: Reader) => T,
): Codec<T> {
  return { minSize: size, encode: write, decode: read };
}

export const u8Codec = scalar<number>(
  1,
  (w, v) => w.u8(v),
  (r) => r.u8(),
);
export const boolCodec = scalar<boolean>(
  1,
  (w, v) => w.u8(v ? 1 : 0),
  (r) => r.u8() !== 0,
);
export const u16Codec = scalar<number>(
  2,
  (w, v) => w.u16(v),
  (r) => r.u16(),
);
export const u32Codec = scalar<number>(
  4,
  (w, v) => w.u32(v),
  (r) => r.u32(),
);
export const i32Codec = scalar<number>(
  4,
  (w, v) => w.i32(v),
  (r) => r.i32(),
);
export const u64Codec = scalar<U64>(
  8,
  (w, v) => w.u64(v),
  (r) => r.u64(),
);
export const f64Codec = scalar<number>(
  8,
  (w, v) => w.f64(v),
  (r) => r.f64(),
);

/** No bytes at all: controls without request or reply data. */
export const nothing: Codec<undefined> = scalar<undefined>(
  0,
  () => {},
  () => undefined,
);

// --- combinators -------------------------------------------------------------------------------

/** Bytes of padding inside a struct; name such fields `_0`, `_1`, … */
export interface Padding extends Codec<undefined> {
  readonly padding: number;
}

export function pad(count: number): Padding {
  return {
    padding: count,
    minSize: count,
    encode: (writer) => writer.zeros(count),
    decode: (reader) => {
      reader.skip(count);
      return undefined;
    },
  };
}

type Fields = Readonly<Record<string, AnyCodec>>;
export type StructOf<F> = {
  readonly [K in keyof F as F[K] extends Padding ? never : K]: TypeOf<F[K]>;
};

/** Fields in the order in which they are written down. */
export function struct<F extends Fields>(fields: F): Codec<StructOf<F>> {
  const entries = Object.entries(fields).map(([name, field]) => {
    const codec = field as Codec<unknown>;
    return { name, codec, isPadding: "padding" in codec };
  });
  return {
    minSize: entries.reduce((sum, { codec }) => sum + codec.minSize, 0),
    encode(writer, value) {
      for (const { name, codec } of entries) {
        codec.encode(writer, (value as Record<string, unknown>)[name]);
      }
    },
    decode(reader) {
      const value: Record<string, unknown> = {};
      for (const { name, codec, isPadding } of entries) {
        const field = codec.decode(reader);
        if (!isPadding) value[name] = field;
      }
      return value as StructOf<F>;
    },
  };
}

/** A fixed number of elements, without a count on the wire. */
export function tuple<T>(element: Codec<T>, count: number): Codec<readonly T[]> {
  return {
    minSize: element.minSize * count,
    encode(writer, values) {
      for (let i = 0; i < count; i++) element.encode(writer, values[i] as T);
    },
    decode(reader) {
      if (!reader.need(element.minSize * count, `${count} elements`)) return [];
      return Array.from({ length: count }, () => element.decode(reader));
    },
  };
}

/** A u32 count, optional padding, then the elements. */
export function counted<T>(element: Codec<T>, what: string, padding = 0): Codec<readonly T[]> {
  return {
    minSize: 4 + padding,
    sizeOf: (values) => 4 + padding + values.length * element.minSize,
    encode(writer, values) {
      writer.u32(values.length);
      writer.zeros(padding);
      for (const value of values) element.encode(writer, value);
    },
    decode(reader) {
      const count = reader.u32();
      reader.skip(padding);
      if (!reader.needCount(count, element.minSize, what)) return [];
      const values: T[] = [];
      for (let i = 0; i < count && !reader.failed; i++) values.push(element.decode(reader));
      return values;
    },
  };
}

/** All bytes that remain. */
export const restBytes: Codec<Uint8Array> = {
  minSize: 0,
  sizeOf: (value) => value.length,
  encode: (writer, value) => writer.bytes(value),
  decode: (reader) => reader.take(reader.remaining, "data"),
};

/** A u32 length and that many bytes. */
export const countedBytes: Codec<Uint8Array> = {
  minSize: 4,
  sizeOf: (value) => 4 + value.length,
  encode(writer, value) {
    writer.u32(value.length);
    writer.bytes(value);
  },
  decode(reader) {
    return reader.take(reader.u32(), "data");
  },
};

export { bytesText, textBytes } from "../base/byte_text.ts";

/** Text with a NUL at its end, no length in front; the NUL must be there. */
export const stringZ: Codec<string> = {
  minSize: 1,
  sizeOf: (value) => value.length + 1,
  encode(writer, value) {
    writer.bytes(textBytes(value));
    writer.u8(0);
  },
  decode(reader) {
    const end = reader.bytes.indexOf(0, reader.at);
    if (reader.failed) return "";
    if (end < 0) {
      reader.fail("text without NUL at its end");
      return "";
    }
    const text = bytesText(reader.take(end - reader.at, "text"));
    reader.skip(1);
    return text;
  },
};

/**
 * A u32 length that includes the NUL, then the text and its NUL; undefined is length 0 and no bytes.
 * As the C daemons do, it reads up to the first NUL or to the end of what was counted.
 */
export const optionalString: Codec<string | undefined> = {
  minSize: 4,
  sizeOf: (value) => (value === undefined ? 4 : 4 + value.length + 1),
  encode(writer, value) {
    if (value === undefined) {
      writer.u32(0);
      return;
    }
    const bytes = textBytes(value);
    writer.u32(bytes.length + 1);
    writer.bytes(bytes);
    writer.u8(0);
  },
  decode(reader) {
    const bytes = reader.take(reader.u32(), "text");
    if (reader.failed || bytes.length === 0) return undefined;
    const end = bytes.indexOf(0);
    return bytesText(end < 0 ? bytes : bytes.subarray(0, end));
  },
};

/** The same where no text and empty text mean the same; empty text is sent as a lone NUL. */
export const countedString: Codec<string> = {
  minSize: 4,
  sizeOf: (value) => 4 + value.length + 1,
  encode: (writer, value) => optionalString.encode(writer, value),
  decode: (reader) => optionalString.decode(reader) ?? "",
};

/** The same, but empty text is sent as length 0. */
export const countedStringOrNone: Codec<string> = {
  minSize: 4,
  sizeOf: (value) => (value === "" ? 4 : 4 + value.length + 1),
  encode: (writer, value) => optionalString.encode(writer, value === "" ? undefined : value),
  decode: (reader) => optionalString.decode(reader) ?? "",
};

/** A char array of fixed size, NUL-padded. Longer text is cut at the end of a character. */
export function fixedString(size: number): Codec<string> {
  return {
    minSize: size,
    encode(writer, value) {
      const kept = textBytesUpTo(value, size - 1);
      writer.bytes(kept);
      writer.zeros(size - kept.length);
    },
    decode(reader) {
      const bytes = reader.take(size, "text");
      const end = bytes.indexOf(0);
      return bytesText(end < 0 ? bytes : bytes.subarray(0, end));
    },
  };
}
