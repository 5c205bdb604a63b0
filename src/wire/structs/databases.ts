/** Structs of controls about databases: recovery, traverse, vacuum (docs/protocol.md, "Structs"). */
import { boolCodec, counted, pad, struct, u8Codec, u32Codec, u64Codec } from "../codec.ts";

export const dbId = struct({ db_id: u32Codec, flags: u8Codec, _0: pad(3) });
export const dbIdMap = counted(dbId, "databases");

/** db_id and generation of a database transaction; also WIPE_DATABASE. */
export const transDb = struct({ db_id: u32Codec, tid: u32Codec });
export const pullDbExt = struct({ db_id: u32Codec, lmaster: u32Codec, srvid: u64Codec });
export const traverseStart = struct({ db_id: u32Codec, reqid: u32Codec, srvid: u64Codec });
export const traverseAll = struct({
  db_id: u32Codec,
  reqid: u32Codec,
  pnn: u32Codec,
  client_reqid: u32Codec,
  srvid: u64Codec,
});
export const traverseStartExt = struct({
  db_id: u32Codec,
  reqid: u32Codec,
  srvid: u64Codec,
  with_empty_records: boolCodec,
  _0: pad(7),
});
export const traverseAllExt = struct({
  db_id: u32Codec,
  reqid: u32Codec,
  pnn: u32Codec,
  client_reqid: u32Codec,
  srvid: u64Codec,
  with_empty_records: boolCodec,
  _0: pad(7),
});
/** GET_DB_SEQNUM: a u32 in 8 bytes. */
export const paddedDbId = struct({ db_id: u32Codec, _0: pad(4) });
/** DB_VACUUM: packed, 5 bytes. */
export const dbVacuum = struct({ db_id: u32Codec, full_vacuum_run: boolCodec });
