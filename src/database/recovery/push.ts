/**
 * DB_PUSH_START and DB_PUSH_CONFIRM: the records of a recovery arrive as messages that hold record
 * buffers and are stored; the confirmation says how many there were (docs/database.md, "Recovery").
 *
 * Invariants:
 * 1. Buffers are stored in the order in which they came, in slices; the confirmation waits for all
 *    that came before it.
 * 2. Read-only flags are stripped: a recovery revokes every delegation.
 *    The srvid says which database is meant: the id in the buffers does not, because Samba's `ctdb
 *    backupdb` leaves it unset, and `ctdb restoredb` sends them as they are.
 * 3. The first failure ends the push: nothing more is stored, and the confirmed count stays short,
 *    which fails the recovery.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { ok } from "../../base/result.ts";
import { sameBytes } from "../../base/same_bytes.ts";
import type { U64 } from "../../base/u64.ts";
import { failure, type ReplyLater, ReplySlot } from "../../control/control_request.ts";
import type { TdbResult } from "../../tdb/types.ts";
import { encode, u32Codec } from "../../wire/codec.ts";
import { RECORD_FLAGS_RO, SEQUENCE_KEY } from "../../wire/constants.ts";
import { ltdbReserved, setLtdbFlags, setLtdbReserved } from "../../wire/records/ltdb_header.ts";
import { RecBufferCursor } from "../../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import { lmasterOf } from "../calls/replies.ts";
import type { Database, RunningPush } from "../database.ts";
import type { DatabaseHost, DatabaseProblem } from "../host.ts";
import { RecordHeader } from "../record/record_header.ts";
import { type Budget, runSliced } from "../slices.ts";
import { PUSH_WAITING_BYTES_MAX } from "./limits.ts";
import { withWholeDatabase } from "./marked.ts";

export class Push implements RunningPush {
  readonly #host: DatabaseHost;
  readonly #database: Database;
  readonly #forget: () => void;
  readonly #removeHandler: () => void;
  readonly #header = new RecordHeader();
  #buffers: RecBufferCursor[] = [];
  #waitingBytes = 0;
  #stored = 0;
  #bytes = 0;
  #longest = 0;
  #failure: string | undefined;
  #ended = false;
  #running = false;
  readonly #confirm = new ReplySlot();

  /** Listens from now on; the database is frozen. */
  constructor(host: DatabaseHost, database: Database, srvid: U64) {
    this.#host = host;
    this.#database = database;
    this.#removeHandler = host.onMessage(
      srvid,
      (data) => this.#receive(data),
      () => this.#waitingBytes,
    );
    this.#forget = database.freeze.whenInterrupted(() => this.end());
  }

  get ended(): boolean {
    return this.#ended;
  }

  #receive(data: Uint8Array): void {
    if (this.#ended || this.#failure !== undefined) return;
    if (this.#waitingBytes + data.length > PUSH_WAITING_BYTES_MAX) {
      this.#fail(`${this.#waitingBytes} bytes wait to be stored already`);
      return;
    }
    const cursor = new RecBufferCursor(data);
    if (cursor.error !== undefined) {
      this.#fail(cursor.error);
      return;
    }
    this.#buffers.push(cursor);
    this.#waitingBytes += data.length;
    if (!this.#running) {
      this.#running = true;
      // Stored from where it lies, as far as the first slice comes: a copy of it costs a good part of that.
      runSliced(this.#host, "push", (budget) => this.#slice(budget));
    }
    if (this.#buffers.includes(cursor)) cursor.keepBytes();
  }

  confirm(reply: ReplyLater): void {
    this.#confirm.hold(reply);
    if (!this.#running) this.#finish();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#removeHandler();
    this.#forget();
    this.#dropBuffers();
    this.#confirm.answer(failure(`The push to database "${this.#database.name}" was interrupted`));
  }

  #finish(): void {
    if (!this.#confirm.waiting) return;
    this.#warnOfSize();
    // A number alone would tell the leader that records are missing here, and not why.
    if (this.#failure === undefined) {
      this.#confirm.answer({ status: 0, data: encode(u32Codec, this.#stored) });
    } else this.#confirm.answer(failure(this.#failure));
    this.end();
  }

  #slice(budget: Budget): "done" | "more" {
    if (!this.#ended && this.#failure === undefined) {
      const outcome = withWholeDatabase(this.#database, () => this.#storeSome(budget));
      if (!outcome.ok) this.#fail(outcome.error.reason);
      else if (outcome.value === "more") return "more";
    }
    this.#running = false;
    if (!this.#ended) this.#finish();
    return "done";
  }

  #storeSome(budget: Budget): TdbResult<"done" | "more"> {
    let cursor = this.#buffers[0];
    while (cursor !== undefined) {
      while (cursor.next()) {
        const stored = this.#store(cursor);
        if (!stored.ok) return stored;
        if (budget.spentOver(cursor.keyLength + cursor.dataLength)) return ok("more");
      }
      if (cursor.error !== undefined) {
        this.#fail(cursor.error);
        return ok("done");
      }
      this.#stored += cursor.count;
      this.#database.recoveryRecords += cursor.count;
      this.#waitingBytes -= cursor.bytes.length;
      this.#buffers.shift();
      cursor.freeBytes();
      cursor = this.#buffers[0];
    }
    return ok("done");
  }

  #store(cursor: RecBufferCursor): TdbResult<void> {
    if (cursor.dataLength < LTDB_HEADER_BYTES) {
      const reason = `record ${cursor.index - 1} has ${cursor.dataLength} bytes, at least 24 are expected`;
      return { ok: false, error: { code: "unsupported", reason } };
    }
    const { bytes, dataAt } = cursor;
    const length = cursor.keyLength + cursor.dataLength;
    this.#bytes += length;
    if (length > this.#longest) this.#longest = length;
    const header = this.#header;
    header.readFrom(bytes, dataAt);
    header.flags = (header.flags & ~RECORD_FLAGS_RO) >>> 0;
    const key = cursor.key();
    if (this.#database.kind !== "volatile") {
      const value = bytes.subarray(dataAt, dataAt + cursor.dataLength);
      setLtdbFlags(value, 0, header.flags);
      if (sameBytes(key, SEQUENCE_KEY)) this.#countRecovery(value);
      return this.#database.tdb.store(key, value);
    }
    const data = bytes.subarray(dataAt + LTDB_HEADER_BYTES, dataAt + cursor.dataLength);
    const hash = jenkinsHash(key);
    return this.#database.records.store(hash, key, header, data, lmasterOf(this.#host, hash));
  }

  /**
   * A recovery whose commit failed here may have ended on others. What this node recovers without them later
   * has come through more, also when its own file does not say so.
   */
  #countRecovery(value: Uint8Array): void {
    const database = this.#database;
    const told = database.recoveriesTold;
    const count = Math.max(ltdbReserved(value, 0), told === undefined ? 0 : told + 1);
    database.recoveriesTold = count;
    setLtdbReserved(value, 0, count);
  }

  /** A recovery sees every record: the time to notice a database that grows without end. */
  #warnOfSize(): void {
    const { name } = this.#database;
    const warn = (problem: DatabaseProblem, what: string, value: number, tunable: string): void => {
      const limit = this.#host.tunable(tunable);
      if (limit === 0 || value <= limit) return;
      const text = `Database "${name}" has ${what} of ${value}, above ${tunable} ${limit}`;
      this.#host.databaseWarning(name, problem, text);
    };
    warn("records", "a number of records", this.#stored, "DBRecordCountWarn");
    warn("record size", "a longest record", this.#longest, "DBRecordSizeWarn");
    warn("size", "a size", this.#bytes, "DBSizeWarn");
  }

  /** Nobody waits for what will not be stored. */
  #dropBuffers(): void {
    this.#buffers = [];
    this.#waitingBytes = 0;
  }

  #fail(reason: string): void {
    this.#failure = `Cannot store pushed records of database "${this.#database.name}": ${reason}`;
    this.#dropBuffers();
    this.#host.log.error(this.#failure);
  }
}
