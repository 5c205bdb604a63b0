/** Records with their headers, alone and in buffers (docs/protocol.md, "Structs"). */
import {
  type Codec,
  counted,
  countedBytes,
  pad,
  struct,
  type TypeOf,
  u32Codec,
  u64Codec,
} from "../codec.ts";

export const LTDB_HEADER_BYTES = 24;

/** The 24 bytes in front of every value in a CTDB database. */
export const ltdbHeader = struct({
  rsn: u64Codec,
  dmaster: u32Codec,
  reserved1: u32Codec,
  flags: u32Codec,
  _0: pad(4),
});
export type LtdbHeader = TypeOf<typeof ltdbHeader>;

/**
 * One record of a rec_buffer or of a traverse. `data` includes the ltdb header where the user of the
 * buffer says so. Key and data are views of the decoded bytes.
 */
export interface RecData {
  readonly reqid: number;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
}

export const REC_DATA_HEAD_BYTES = 16;

export const recData: Codec<RecData> = {
  minSize: REC_DATA_HEAD_BYTES,
  sizeOf: ({ key, data }) => REC_DATA_HEAD_BYTES + key.length + data.length,
  encode(writer, value) {
    writer.u32(REC_DATA_HEAD_BYTES + value.key.length + value.data.length);
    writer.u32(value.reqid);
    writer.u32(value.key.length);
    writer.u32(value.data.length);
    writer.bytes(value.key);
    writer.bytes(value.data);
  },
  decode(reader) {
    const length = reader.u32();
    const reqid = reader.u32();
    const keyLength = reader.u32();
    const dataLength = reader.u32();
    if (!reader.failed && length !== REC_DATA_HEAD_BYTES + keyLength + dataLength) {
      reader.fail(
        `record length ${length} is not ${REC_DATA_HEAD_BYTES}+${keyLength}+${dataLength}`,
      );
    }
    return { reqid, key: reader.take(keyLength, "key"), data: reader.take(dataLength, "data") };
  },
};

/** Records of one database, packed without alignment. */
export const recBuffer: Codec<{ readonly db_id: number; readonly records: readonly RecData[] }> = {
  minSize: 8,
  sizeOf({ records }) {
    let size = 8;
    for (const { key, data } of records) size += REC_DATA_HEAD_BYTES + key.length + data.length;
    return size;
  },
  encode(writer, value) {
    writer.u32(value.db_id);
    recDataList.encode(writer, value.records);
  },
  decode(reader) {
    return { db_id: reader.u32(), records: recDataList.decode(reader) };
  },
};
const recDataList = counted(recData, "records");
export type RecBuffer = TypeOf<typeof recBuffer>;

/** SCHEDULE_FOR_DELETION. */
export const keyData = struct({
  db_id: u32Codec,
  _0: pad(4),
  header: ltdbHeader,
  key: countedBytes,
});

/** PUSH_RECORD (upstream 4.25). */
export const pushRecord = struct({
  generation: u32Codec,
  db_id: u32Codec,
  header: ltdbHeader,
  key: countedBytes,
  data: countedBytes,
});
