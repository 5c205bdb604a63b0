/** Structs of controls about clients. */
import { countedBytes, i32Codec, struct, u32Codec, u64Codec } from "../codec.ts";

export const notifyData = struct({ srvid: u64Codec, data: countedBytes });
/** Packed, 12 bytes. */
export const pidSrvid = struct({ pid: i32Codec, srvid: u64Codec });
export const echoData = struct({ timeout: u32Codec, data: countedBytes });
