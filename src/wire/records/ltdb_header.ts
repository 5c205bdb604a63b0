/**
 * The 24 bytes in front of every value of a CTDB database, read and written where they lie
 * (docs/protocol.md, "Structs": ltdb_header). For the loops over many records, where the codec's
 * objects would cost more than the work; layout as in structs.ts, which a test compares.
 *
 * The caller has checked that LTDB_HEADER_BYTES bytes are there.
 */
const RSN_LOW_AT = 0;
const RSN_HIGH_AT = 4;
const DMASTER_AT = 8;
const RESERVED_AT = 12;
const FLAGS_AT = 16;
const PADDING_AT = 20;

export function ltdbRsnLow(bytes: Uint8Array, at: number): number {
  return word(bytes, at + RSN_LOW_AT);
}
export function ltdbRsnHigh(bytes: Uint8Array, at: number): number {
  return word(bytes, at + RSN_HIGH_AT);
}
export function ltdbDmaster(bytes: Uint8Array, at: number): number {
  return word(bytes, at + DMASTER_AT);
}
export function ltdbFlags(bytes: Uint8Array, at: number): number {
  return word(bytes, at + FLAGS_AT);
}

/**
 * The reserved word. In the record of a database's sequence number our nodes count recoveries there
 * (docs/recovery.md, "By sequence number"); everywhere else it is zero.
 */
export function ltdbReserved(bytes: Uint8Array, at: number): number {
  return word(bytes, at + RESERVED_AT);
}
export function setLtdbReserved(bytes: Uint8Array, at: number, value: number): void {
  setWord(bytes, at + RESERVED_AT, value);
}

function setLtdbRsn(bytes: Uint8Array, at: number, high: number, low: number): void {
  setWord(bytes, at + RSN_LOW_AT, low);
  setWord(bytes, at + RSN_HIGH_AT, high);
}
function setLtdbDmaster(bytes: Uint8Array, at: number, dmaster: number): void {
  setWord(bytes, at + DMASTER_AT, dmaster);
}
export function setLtdbFlags(bytes: Uint8Array, at: number, flags: number): void {
  setWord(bytes, at + FLAGS_AT, flags);
}

/** A whole header; the reserved word and the padding become zero. */
export function writeLtdbHeader(
  bytes: Uint8Array,
  at: number,
  rsnHigh: number,
  rsnLow: number,
  dmaster: number,
  flags: number,
): void {
  setLtdbRsn(bytes, at, rsnHigh, rsnLow);
  setLtdbDmaster(bytes, at, dmaster);
  setWord(bytes, at + RESERVED_AT, 0);
  setLtdbFlags(bytes, at, flags);
  setWord(bytes, at + PADDING_AT, 0);
}

function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

function setWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}
