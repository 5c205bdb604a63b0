/** Points in time on the wire. */
import type { Codec } from "../codec.ts";

export const timeval: Codec<{ readonly sec: number; readonly usec: number }> = {
  minSize: 16,
  encode(writer, value) {
    writer.i64(value.sec);
    writer.i64(value.usec);
  },
  decode(reader) {
    return { sec: reader.i64(), usec: reader.i64() };
  },
};
