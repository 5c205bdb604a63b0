/**
 * The 24 bytes in front of every value (docs/protocol.md, "Structs": ltdb_header) as a mutable object
 * that is read from and written to bytes without allocating. One object serves many records, so
 * nobody keeps it beyond the handling of one packet.
 */
import { LTDB_HEADER_BYTES } from "../wire/structs.ts";

export class RecordHeader {
  rsnHi = 0;
  rsnLo = 0;
  dmaster = 0;
  reserved = 0;
  flags = 0;

  set(rsnHi: number, rsnLo: number, dmaster: number, flags: number): void {
    this.rsnHi = rsnHi;
    this.rsnLo = rsnLo;
    this.dmaster = dmaster;
    this.reserved = 0;
    this.flags = flags;
  }

  /** The caller has checked that there are 24 bytes. */
  readFrom(bytes: Uint8Array, at = 0): void {
    this.rsnLo = word(bytes, at);
    this.rsnHi = word(bytes, at + 4);
    this.dmaster = word(bytes, at + 8);
    this.reserved = word(bytes, at + 12);
    this.flags = word(bytes, at + 16);
  }

  writeTo(bytes: Uint8Array, at = 0): void {
    setWord(bytes, at, this.rsnLo);
    setWord(bytes, at + 4, this.rsnHi);
    setWord(bytes, at + 8, this.dmaster);
    setWord(bytes, at + 12, this.reserved);
    setWord(bytes, at + 16, this.flags);
    setWord(bytes, at + 20, 0);
  }

  bumpRsn(): void {
    this.rsnLo = (this.rsnLo + 1) >>> 0;
    if (this.rsnLo === 0) this.rsnHi = (this.rsnHi + 1) >>> 0;
  }

  hasFlag(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(LTDB_HEADER_BYTES);
    this.writeTo(bytes);
    return bytes;
  }
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
