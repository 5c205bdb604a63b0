/** Values of records in short: what tests put into files, and what they find there. */
import { RecordHeader } from "../../src/database/record/record_header.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { LTDB_HEADER_BYTES } from "../../src/wire/structs/records.ts";

/** A record as tests speak of it: an RSN below 2^32, data that is text. */
export interface ShortRecord {
  readonly rsn: number;
  readonly dmaster: number;
  readonly flags: number;
  readonly data: string;
}

type Given = Partial<Omit<ShortRecord, "data">> & { readonly data?: string | Uint8Array };

export function recordHeader(rsn: number, dmaster: number, flags = 0): RecordHeader {
  const header = new RecordHeader();
  header.set(0, rsn, dmaster, flags);
  return header;
}

/** The bytes of a value: the header, then the data. */
export function recordValue({ rsn = 1, dmaster = 0, flags = 0, data = "" }: Given): Uint8Array {
  const bytes = typeof data === "string" ? textBytes(data) : data;
  const value = new Uint8Array(LTDB_HEADER_BYTES + bytes.length);
  recordHeader(rsn, dmaster, flags).writeTo(value);
  value.set(bytes, LTDB_HEADER_BYTES);
  return value;
}

export function headerIn(value: Uint8Array): RecordHeader {
  const header = new RecordHeader();
  header.readFrom(value);
  return header;
}

/** The opposite of `recordValue`. */
export function recordIn(value: Uint8Array): ShortRecord {
  const { rsnLo: rsn, dmaster, flags } = headerIn(value);
  return { rsn, dmaster, flags, data: Buffer.from(value.subarray(LTDB_HEADER_BYTES)).toString() };
}
