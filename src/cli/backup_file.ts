/**
 * The file of a database backup, as the original tool writes it on 64-bit Linux: a head, then record
 * buffers, each with its database id, count and length in front (docs/operations.md, "Backups").
 *
 * Invariants:
 * 1. The head is all zeros until every record is written: a backup that was cut short is refused.
 * 2. Nothing that the file says is believed before the bytes are there: lengths have a limit, counts are
 *    compared with the buffers.
 *
 * It must not know where records come from or go to.
 */
import { err, ok, type Result } from "../base/result.ts";
import { type U64, u64, u64Decimal, u64Equal, u64FromNumber, u64ToNumber } from "../base/u64.ts";
import { bytesText, textBytes } from "../wire/codec.ts";
import { REC_BUFFER_HEAD_BYTES, recBufferProblem } from "../wire/records/rec_buffer.ts";
import { EINVAL, EIO } from "./errno.ts";
import type { ToolFile } from "./host.ts";

const BACKUP_VERSION = u64(0, 3);
const HEAD_BYTES = 104;
const NAME_AT = 40;
const NAME_BYTES = 64;
/** database id u32, count u32, length u64 */
const BUFFER_HEAD_BYTES = 16;

/** A buffer is written when it has grown to this. */
export const BACKUP_BUFFER_BYTES = 100_000;
/** One record may be large; no packet that restores it could be larger. */
const BACKUP_BUFFER_BYTES_MAX = 256 * 1024 * 1024;

export interface BackupHead {
  readonly version: U64;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** DB_FLAGS. */
  readonly flags: number;
  readonly buffers: U64;
  readonly records: U64;
  readonly name: string;
}

/** `status` is the exit status. */
export interface BackupProblem {
  readonly status: number;
  readonly reason: string;
}

export type BackupResult<T> = Result<T, BackupProblem>;

function encodeHead(head: BackupHead): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  const { version, timestamp, flags, buffers, records } = head;
  const numbers = [version, u64FromNumber(timestamp), u64(0, flags), buffers, records];
  for (const [index, value] of numbers.entries()) {
    view.setUint32(8 * index, value.lo, true);
    view.setUint32(8 * index + 4, value.hi, true);
  }
  bytes.set(textBytes(head.name).subarray(0, NAME_BYTES - 1), NAME_AT);
  return bytes;
}

function decodeHead(bytes: Uint8Array): BackupHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const name = bytesText(bytes.subarray(NAME_AT, NAME_AT + NAME_BYTES - 1)).replace(/\0.*$/s, "");
  return {
    version: u64At(view, 0),
    timestamp: u64ToNumber(u64At(view, 8)),
    flags: u64At(view, 16).lo,
    buffers: u64At(view, 24),
    records: u64At(view, 32),
    name,
  };
}

function u64At(view: DataView, at: number): U64 {
  return u64(view.getUint32(at + 4, true), view.getUint32(at, true));
}

export class BackupWriter {
  readonly #file: ToolFile;
  #at = HEAD_BYTES;
  #buffers = 0;
  #records = 0;

  private constructor(file: ToolFile) {
    this.#file = file;
  }

  static begin(file: ToolFile): Result<BackupWriter, number> {
    const written = file.write(0, new Uint8Array(HEAD_BYTES));
    if (!written.ok) return written;
    return ok(new BackupWriter(file));
  }

  /** `buffer` is a record buffer with its head. */
  add(buffer: Uint8Array): Result<void, number> {
    const head = new Uint8Array(BUFFER_HEAD_BYTES);
    head.set(buffer.subarray(0, REC_BUFFER_HEAD_BYTES));
    const view = new DataView(head.buffer);
    view.setUint32(8, buffer.length - REC_BUFFER_HEAD_BYTES, true);
    for (const part of [head, buffer.subarray(REC_BUFFER_HEAD_BYTES)]) {
      const written = this.#file.write(this.#at, part);
      if (!written.ok) return written;
      this.#at += part.length;
    }
    this.#buffers += 1;
    this.#records += view.getUint32(4, true);
    return ok(undefined);
  }

  /** Until the file is on the disk. */
  finish(head: Pick<BackupHead, "timestamp" | "flags" | "name">): Result<void, number> {
    const counts = {
      buffers: u64FromNumber(this.#buffers),
      records: u64FromNumber(this.#records),
    };
    const bytes = encodeHead({ ...head, ...counts, version: BACKUP_VERSION });
    const records = this.#file.sync();
    if (!records.ok) return records;
    const written = this.#file.write(0, bytes);
    return written.ok ? this.#file.sync() : written;
  }
}

export class BackupReader {
  readonly head: BackupHead;
  readonly #file: ToolFile;
  #at = HEAD_BYTES;
  #left: number;
  #records = 0;

  private constructor(file: ToolFile, head: BackupHead) {
    this.#file = file;
    this.head = head;
    this.#left = u64ToNumber(head.buffers);
  }

  /** `path` is for the messages. */
  static begin(file: ToolFile, path: string): BackupResult<BackupReader> {
    const bytes = file.read(0, HEAD_BYTES);
    const fail = (status: number, reason: string) => err({ status, reason });
    if (!bytes.ok) return fail(bytes.error, `Failed to read db header from file ${path}`);
    if (bytes.value.length < HEAD_BYTES) {
      return fail(EIO, `Failed to read db header from file ${path}`);
    }
    const head = decodeHead(bytes.value);
    if (u64Equal(head.version, BACKUP_VERSION)) return ok(new BackupReader(file, head));
    const expected = `expected ${u64Decimal(BACKUP_VERSION)}, got ${u64Decimal(head.version)}`;
    return fail(EINVAL, `Wrong version of backup file, ${expected}`);
  }

  /** The next record buffer with its head; undefined after the last one. */
  next(): BackupResult<Uint8Array | undefined> {
    if (this.#left === 0) return this.#end();
    const fail = (status: number, reason: string) => {
      const at = `at byte ${this.#at} of the backup`;
      return err({ status, reason: `Failed to read records: ${reason} ${at}` });
    };
    const head = this.#file.read(this.#at, BUFFER_HEAD_BYTES);
    if (!head.ok) return fail(head.error, "error");
    if (head.value.length < BUFFER_HEAD_BYTES) return fail(EIO, "the file ends");
    const view = new DataView(head.value.buffer, head.value.byteOffset, BUFFER_HEAD_BYTES);
    const announced = u64At(view, 8);
    const length = u64ToNumber(announced);
    if (length > BACKUP_BUFFER_BYTES_MAX) {
      return fail(
        EINVAL,
        `a buffer of ${u64Decimal(announced)} bytes, at most ${BACKUP_BUFFER_BYTES_MAX} expected`,
      );
    }
    const records = this.#file.read(this.#at + BUFFER_HEAD_BYTES, length);
    if (!records.ok) return fail(records.error, "error");
    if (records.value.length < length) return fail(EIO, "the file ends");
    const buffer = new Uint8Array(REC_BUFFER_HEAD_BYTES + length);
    buffer.set(head.value.subarray(0, REC_BUFFER_HEAD_BYTES));
    buffer.set(records.value, REC_BUFFER_HEAD_BYTES);
    const problem = recBufferProblem(buffer);
    if (problem !== undefined) return fail(EINVAL, problem);
    this.#at += BUFFER_HEAD_BYTES + length;
    this.#left -= 1;
    this.#records += new DataView(buffer.buffer).getUint32(4, true);
    return ok(buffer);
  }

  #end(): BackupResult<undefined> {
    const { records } = this.head;
    if (u64Equal(u64FromNumber(this.#records), records)) return ok(undefined);
    const announced = u64Decimal(records);
    const reason = `Failed to read records: ${this.#records} are there, ${announced} are announced`;
    return err({ status: EINVAL, reason });
  }
}
