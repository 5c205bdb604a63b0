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
import { bytesText, textBytes } from "../wire/codec.ts";
import { REC_BUFFER_HEAD_BYTES, recBufferProblem } from "../wire/rec_buffer.ts";
import { EINVAL, EIO } from "./errno.ts";
import type { ToolFile } from "./host.ts";

export const BACKUP_VERSION = 3;
const HEAD_BYTES = 104;
const NAME_AT = 40;
const NAME_BYTES = 64;
/** database id u32, count u32, length u64 */
const BUFFER_HEAD_BYTES = 16;
const HIGH = 0x100000000;

/** A buffer is written when it has grown to this. */
export const BACKUP_BUFFER_BYTES = 100_000;
/** One record may be large; no packet that restores it could be larger. */
export const BACKUP_BUFFER_BYTES_MAX = 256 * 1024 * 1024;

export interface BackupHead {
  readonly version: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
  /** DB_FLAGS. */
  readonly flags: number;
  readonly buffers: number;
  readonly records: number;
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
  for (const [index, value] of [version, timestamp, flags, buffers, records].entries()) {
    view.setUint32(8 * index, value % HIGH, true);
    view.setUint32(8 * index + 4, Math.floor(value / HIGH), true);
  }
  bytes.set(textBytes(head.name).subarray(0, NAME_BYTES - 1), NAME_AT);
  return bytes;
}

function decodeHead(bytes: Uint8Array): BackupHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u64 = (at: number) => view.getUint32(at, true) + view.getUint32(at + 4, true) * HIGH;
  const name = bytesText(bytes.subarray(NAME_AT, NAME_AT + NAME_BYTES - 1)).replace(/\0.*$/s, "");
  return {
    version: u64(0),
    timestamp: u64(8),
    flags: u64(16),
    buffers: u64(24),
    records: u64(32),
    name,
  };
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
    const counts = { buffers: this.#buffers, records: this.#records };
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
    this.#left = head.buffers;
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
    if (head.version === BACKUP_VERSION) return ok(new BackupReader(file, head));
    const expected = `expected ${BACKUP_VERSION}, got ${head.version}`;
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
    const length = view.getUint32(8, true) + view.getUint32(12, true) * HIGH;
    if (length > BACKUP_BUFFER_BYTES_MAX) {
      return fail(
        EINVAL,
        `a buffer of ${length} bytes, at most ${BACKUP_BUFFER_BYTES_MAX} expected`,
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
    if (this.#records === records) return ok(undefined);
    const reason = `Failed to read records: ${this.#records} are there, ${records} are announced`;
    return err({ status: EINVAL, reason });
  }
}
