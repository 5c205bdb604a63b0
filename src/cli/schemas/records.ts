/** Documents of commands that show records. */
import * as v from "valibot";
import { count, databaseName, type Facts, hex, time, u32, u64 } from "./facts.ts";

/** Bytes as hex, and as text too where all of them are characters that can be shown. */
export const key = v.strictObject({ key_hex: hex, key_text: v.exactOptional(v.string()) });
export type KeyFacts = Facts<typeof key>;

const keyAndData = v.strictObject({
  ...key.entries,
  data_hex: hex,
  data_text: v.exactOptional(v.string()),
});
export type KeyAndDataFacts = Facts<typeof keyAndData>;

const record = v.strictObject({
  ...keyAndData.entries,
  dmaster: u32,
  rsn: u64,
  flags_raw: u32,
  flags: v.array(v.string()),
});
export type RecordFacts = Facts<typeof record>;

const dumpTail = {
  records: v.array(record),
  count,
  /** false: it ended early, and standard error says why. */
  complete: v.boolean(),
};

export const catdbFacts = v.strictObject({ database: databaseName, ...dumpTail });

export const dumpdbbackupFacts = v.strictObject({
  database: v.string(),
  backup_time: time,
  persistent: v.boolean(),
  replicated: v.boolean(),
  ...dumpTail,
});

export const tfetchFacts = v.strictObject({ path: v.string(), record });

/** Data of a record without its header; empty for one that is not there. */
export const fetchedFacts = v.strictObject({
  database: databaseName,
  record: keyAndData,
});
