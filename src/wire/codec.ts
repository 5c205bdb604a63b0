/**
 * Typed values ↔ bytes in the native layout of x86_64 C (little endian), which is what CTDB speaks.
 *
 * Invariants:
 * 1. Decoding never throws, whatever the bytes are: it gives the value, or why there is none (reader.ts).
 * 2. Padding is written as zeros and ignored when read.
 */
import { bytesText, textBytes, textBytesUpTo } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { U64 } from "../base/u64.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

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
  return new Struct(fields);
}

interface StructEntry {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly isPadding: boolean;
}

/**
 * Taken apart when it is first used: there are a hundred structs, and a program that starts for one question
 * uses two of them.
 */
class Struct<F extends Fields> implements Codec<StructOf<F>> {
  readonly #fields: F;
  #entries: readonly StructEntry[] | undefined;
  #minSize: number | undefined;

  constructor(fields: F) {
    this.#fields = fields;
  }

  get minSize(): number {
    this.#minSize ??= this.#parts().reduce((sum, { codec }) => sum + codec.minSize, 0);
    return this.#minSize;
  }

  encode(writer: Writer, value: StructOf<F>): void {
    for (const { name, codec } of this.#parts()) {
      codec.encode(writer, (value as Record<string, unknown>)[name]);
    }
  }

  decode(reader: Reader): StructOf<F> {
    const value: Record<string, unknown> = {};
    for (const { name, codec, isPadding } of this.#parts()) {
      const field = codec.decode(reader);
      if (!isPadding) value[name] = field;
    }
    return value as StructOf<F>;
  }

  #parts(): readonly StructEntry[] {
    this.#entries ??= Object.entries(this.#fields).map(([name, field]) => {
      const codec = field as Codec<unknown>;
      return { name, codec, isPadding: "padding" in codec };
    });
    return this.#entries;
  }
}

/** A fixed number of elements, without a count on the wire. */
export function tuple<T>(element: Codec<T>, count: number): Codec<readonly T[]> {
  return {
    get minSize() {
      return element.minSize * count;
    },
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
export { EMPTY } from "./reader.ts";

/** Up to the first NUL or, as the C daemons read it, to the end. */
export function textBeforeNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return bytesText(end < 0 ? bytes : bytes.subarray(0, end));
}

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
    return textBeforeNul(bytes);
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
      return textBeforeNul(bytes);
    },
  };
}
