/**
 * The 24 bytes in front of every value (docs/protocol.md, "Structs": ltdb_header) as a mutable object
 * that is read from and written to bytes without allocating. One object serves many records, so
 * nobody keeps it beyond the handling of one packet.
 */
import { type U64, u64Order } from "../../base/u64.ts";
import {
  ltdbDmaster,
  ltdbFlags,
  ltdbRsnHigh,
  ltdbRsnLow,
  writeLtdbHeader,
} from "../../wire/records/ltdb_header.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";

/**
 * Why a value in the file of a persistent database cannot be a record's. Only its length tells: any number is
 * some node's, sequence's or flag's. A value without bytes reads as that of a record that is not there.
 */
export function valueProblem(valueBytes: number): string | undefined {
  if (valueBytes === 0 || valueBytes >= LTDB_HEADER_BYTES) return undefined;
  return `a value of ${valueBytes} bytes, expected a record header of ${LTDB_HEADER_BYTES} bytes and the data`;
}

export class RecordHeader {
  rsnHi = 0;
  rsnLo = 0;
  dmaster = 0;
  flags = 0;

  set(rsnHi: number, rsnLo: number, dmaster: number, flags: number): void {
    this.rsnHi = rsnHi;
    this.rsnLo = rsnLo;
    this.dmaster = dmaster;
    this.flags = flags;
  }

  /** The caller has checked that there are 24 bytes. */
  readFrom(bytes: Uint8Array, at = 0): void {
    this.rsnLo = ltdbRsnLow(bytes, at);
    this.rsnHi = ltdbRsnHigh(bytes, at);
    this.dmaster = ltdbDmaster(bytes, at);
    this.flags = ltdbFlags(bytes, at);
  }

  writeTo(bytes: Uint8Array, at = 0): void {
    writeLtdbHeader(bytes, at, this.rsnHi, this.rsnLo, this.dmaster, this.flags);
  }

  bumpRsn(): void {
    this.addToRsn(1);
  }

  /** A small number, which may be negative. */
  addToRsn(count: number): void {
    const low = this.rsnLo + count;
    this.rsnLo = low >>> 0;
    if (low > 0xffffffff) this.rsnHi = (this.rsnHi + 1) >>> 0;
    else if (low < 0) this.rsnHi = (this.rsnHi - 1) >>> 0;
  }

  isNewerThan({ rsnHi, rsnLo }: RecordHeader): boolean {
    return u64Order(this.rsnHi, this.rsnLo, rsnHi, rsnLo) > 0;
  }

  /** Of a packet or control. */
  isNewerThanRsn({ hi, lo }: U64): boolean {
    return u64Order(this.rsnHi, this.rsnLo, hi, lo) > 0;
  }
}
