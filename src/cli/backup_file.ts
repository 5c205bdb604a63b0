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
import { assert } from "../base/assert.ts";
import { EINVAL, EIO } from "../base/errno.ts";
import { err, ok, type Result } from "../base/result.ts";
import { u64, u64Decimal, u64Equal, u64FromNumber, u64ToNumber } from "../base/u64.ts";
import {
  type Codec,
  decodeExact,
  encode,
  fixedString,
  struct,
  type TypeOf,
  u64Codec,
} from "../wire/codec.ts";
import {
  REC_BUFFER_HEAD_BYTES,
  RecBufferCursor,
  recBufferProblem,
} from "../wire/records/rec_buffer.ts";
import type { ToolFile } from "./host.ts";

const BACKUP_VERSION = u64(0, 3);

const backupHead = struct({
  version: u64Codec,
  /** Seconds since 1970. */
  timestamp: u64Codec,
  /** DB_FLAGS. */
  flags: u64Codec,
  buffers: u64Codec,
  records: u64Codec,
  name: fixedString(64),
});
const HEAD_BYTES = backupHead.minSize;

/** The head of a record buffer, and between it and its records their length in bytes: u64. */
const BUFFER_HEAD_BYTES = REC_BUFFER_HEAD_BYTES + u64Codec.minSize;

/** A buffer is written when it has grown to this. */
export const BACKUP_BUFFER_BYTES = 100_000;
/** One record may be large; no packet that restores it could be larger. */
const BACKUP_BUFFER_BYTES_MAX = 256 * 1024 * 1024;

export type BackupHead = TypeOf<typeof backupHead>;

/** `status` is the exit status. */
export interface BackupProblem {
  readonly status: number;
  readonly reason: string;
}

export type BackupResult<T> = Result<T, BackupProblem>;

/** Of as many bytes as it takes, whatever they are. */
function decoded<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const value = decodeExact(codec, bytes);
  assert(value.ok, "any bytes are a number or a text");
  return value.value;
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
    const head = buffer.subarray(0, REC_BUFFER_HEAD_BYTES);
    const records = buffer.subarray(REC_BUFFER_HEAD_BYTES);
    for (const part of [head, encode(u64Codec, u64FromNumber(records.length)), records]) {
      const written = this.#file.write(this.#at, part);
      if (!written.ok) return written;
      this.#at += part.length;
    }
    this.#buffers += 1;
    this.#records += new RecBufferCursor(buffer).count;
    return ok(undefined);
  }

  /** Until the file is on the disk. */
  finish(head: Pick<BackupHead, "timestamp" | "flags" | "name">): Result<void, number> {
    const counts = {
      buffers: u64FromNumber(this.#buffers),
      records: u64FromNumber(this.#records),
    };
    const bytes = encode(backupHead, { ...head, ...counts, version: BACKUP_VERSION });
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
    const head = decoded(backupHead, bytes.value);
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
    const announced = decoded(u64Codec, head.value.subarray(REC_BUFFER_HEAD_BYTES));
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
    this.#records += new RecBufferCursor(buffer).count;
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
