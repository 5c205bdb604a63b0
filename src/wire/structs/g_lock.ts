/** Samba's server ids and the locks of g_lock.tdb (docs/protocol.md, "Structs"). */
import { type Codec, pad, struct, type TypeOf, u32Codec, u64Codec } from "../codec.ts";

export const serverId = struct({
  pid: u64Codec,
  task: u32Codec,
  vnn: u32Codec,
  unique: u64Codec,
});
export type ServerId = TypeOf<typeof serverId>;

export const gLock = struct({ type: u32Codec, _0: pad(4), server_id: serverId });
export type GLock = TypeOf<typeof gLock>;

/** g_lock entries fill the record: there is no count. */
export const gLockList: Codec<readonly GLock[]> = {
  minSize: 0,
  encode(writer, values) {
    for (const value of values) gLock.encode(writer, value);
  },
  decode(reader) {
    const values: GLock[] = [];
    while (reader.remaining > 0 && !reader.failed) values.push(gLock.decode(reader));
    return values;
  },
};
