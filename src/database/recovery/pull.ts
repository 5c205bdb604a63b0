/**
 * DB_PULL: every record of a frozen database goes to the asker as messages that hold record buffers;
 * the answer says how many records there were (docs/database.md, "Recovery").
 *
 * Invariants:
 * 1. The answer leaves after the last message, also on the way to a client of this node.
 * 2. It runs in slices, and pauses while whoever pulls takes less than we send. A thaw, a new transaction or a
 *    wipe in between ends it with a refusal.
 * 3. What is too short for a record's header is left out: it is nobody's, and whoever collects would
 *    refuse all records for it.
 */
import { ok } from "../../base/result.ts";
import type { U64 } from "../../base/u64.ts";
import { failure, type ReplyLater } from "../../control/control_request.ts";
import type { TdbResult } from "../../tdb/types.ts";
import { encode, u32Codec } from "../../wire/codec.ts";
import { RecBufferBuilder } from "../../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES } from "../../wire/structs/records.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { type Budget, runSliced } from "../slices.ts";
import { Backlog } from "../traverse/backlog.ts";
import { PULL_PAUSE_MS, PULL_QUEUED_BYTES_MAX } from "./limits.ts";
import { withWholeDatabase } from "./marked.ts";

export class Pull {
  readonly #host: DatabaseHost;
  readonly #database: Database;
  readonly #destination: number;
  readonly #srvid: U64;
  readonly #reply: ReplyLater;
  readonly #buffer: RecBufferBuilder;
  readonly #forget: () => void;
  #records = 0;
  #leftOut = 0;
  #chain = 0;
  #ended = false;
  readonly #backlog: Backlog;
  /** Too much waits on the way to who pulls, or for it at its daemon. */
  #behind = false;

  /** Begins at once; the database is frozen. */
  constructor(
    host: DatabaseHost,
    database: Database,
    destination: number,
    srvid: U64,
    reply: ReplyLater,
  ) {
    this.#host = host;
    this.#database = database;
    this.#destination = destination;
    this.#srvid = srvid;
    this.#reply = reply;
    this.#backlog = new Backlog(host, destination, srvid, PULL_QUEUED_BYTES_MAX);
    this.#buffer = new RecBufferBuilder(database.dbId, host.tunable("RecBufferSizeLimit"));
    this.#forget = database.freeze.whenInterrupted(() =>
      this.#end(`Database "${database.name}" was thawed or changed during a pull`),
    );
    runSliced(host, "pull", (budget) => this.#slice(budget));
  }

  #slice(budget: Budget): "done" | "more" | number {
    if (this.#ended) return "done";
    this.#behind = this.#backlog.behind;
    if (this.#behind) return PULL_PAUSE_MS;
    // The records of a node that was out of the cluster count for nothing.
    if (!this.#database.invalidRecords) {
      const walked = withWholeDatabase(this.#database, () => this.#walk(budget));
      if (!walked.ok) {
        this.#end(
          `Cannot read database "${this.#database.name}" for a recovery: ${walked.error.reason}`,
        );
        return "done";
      }
      if (walked.value === "more") return "more";
      if (this.#buffer.count > 0) this.#send();
    }
    if (this.#leftOut > 0) {
      const { name } = this.#database;
      const text = `Database "${name}": ${this.#leftOut} values are too short for a record header, the recovery drops them`;
      this.#host.databaseWarning(name, "short values", text);
    }
    this.#end(undefined);
    return "done";
  }

  #walk(budget: Budget): TdbResult<"done" | "more"> {
    const { tdb } = this.#database;
    const buffer = this.#buffer;
    const walked = tdb.visitRecords(this.#chain, (bytes, keyAt, keyLength, dataLength) => {
      if (dataLength >= LTDB_HEADER_BYTES) {
        if (!buffer.fits(keyLength, dataLength)) this.#send();
        buffer.addRange(0, bytes, keyAt, keyLength, dataLength);
      } else this.#leftOut += 1;
      return !budget.spentOver(keyLength + dataLength) && !this.#behind;
    });
    if (!walked.ok) return walked;
    this.#chain = walked.value;
    return ok(this.#chain < tdb.hashSize ? "more" : "done");
  }

  #send(): void {
    this.#host.sendMessage(this.#destination, this.#srvid, this.#buffer.finish());
    this.#records += this.#buffer.count;
    this.#database.recoveryRecords += this.#buffer.count;
    this.#backlog.sent(this.#buffer.byteLength);
    this.#buffer.reset();
    this.#behind = this.#backlog.behind;
  }

  #end(problem: string | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#forget();
    // A message to this node takes longer than an answer to one of its clients.
    this.#host.afterMessages(() =>
      this.#reply(
        problem === undefined
          ? { status: 0, data: encode(u32Codec, this.#records) }
          : failure(problem),
      ),
    );
  }
}
