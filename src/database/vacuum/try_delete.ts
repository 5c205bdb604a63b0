/**
 * TRY_DELETE_RECORDS: a lmaster asks for the deletion of our copies of records that are empty. In
 * slices, because a list may be long; the answer holds the records that stay.
 *
 * Invariants:
 * 1. A copy goes only if this node is neither lmaster nor data master of the record, knows no newer
 *    version, has no read-only flag on it, and nobody holds its chain.
 * 2. Every record that did not go is in the answer.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { failure, type ReplyLater } from "../../control/control_request.ts";
import { encode } from "../../wire/codec.ts";
import { RECORD_FLAGS_RO } from "../../wire/constants.ts";
import {
  RecBufferBuilder,
  RecBufferCursor,
  recBufferProblem,
} from "../../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES, recBuffer } from "../../wire/structs/records.ts";
import { lmasterOf } from "../calls/replies.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { RecordHeader } from "../record/record_header.ts";
import { type Budget, runSliced } from "../slices.ts";
import { VACUUM_SLICE_MS } from "./limits.ts";

export class TryDelete {
  readonly #host: DatabaseHost;
  readonly #database: Database;
  readonly #cursor: RecBufferCursor;
  #kept: RecBufferBuilder | undefined;
  readonly #given = new RecordHeader();
  readonly #reply: ReplyLater;

  /** The reason when the list is malformed: then nothing is deleted. */
  static problem(bytes: Uint8Array): string | undefined {
    return recBufferProblem(bytes, LTDB_HEADER_BYTES);
  }

  constructor(host: DatabaseHost, database: Database, bytes: Uint8Array, reply: ReplyLater) {
    this.#host = host;
    this.#database = database;
    this.#cursor = new RecBufferCursor(bytes);
    this.#reply = reply;
    runSliced(host, "vacuum of others", (budget) => this.#slice(budget), VACUUM_SLICE_MS);
  }

  #slice(budget: Budget): "done" | "more" {
    if (this.#database.detached) {
      this.#reply(failure(`database "${this.#database.name}" was detached`));
      return "done";
    }
    const cursor = this.#cursor;
    while (cursor.next()) {
      const key = cursor.key();
      if (!this.#deleteCopy(key, cursor)) {
        this.#kept ??= new RecBufferBuilder(this.#database.dbId);
        this.#kept.add(cursor.reqid, key, cursor.data());
      }
      if (budget.spent) return "more";
    }
    const data = this.#kept?.finish() ?? encode(recBuffer, { db_id: cursor.db_id, records: [] });
    this.#reply({ status: 0, data });
    return "done";
  }

  #deleteCopy(key: Uint8Array, { bytes, dataAt, dataLength }: RecBufferCursor): boolean {
    const { tdb, gate, kind } = this.#database;
    if (dataLength !== LTDB_HEADER_BYTES || kind !== "volatile") return false;
    const hash = jenkinsHash(key);
    if (lmasterOf(this.#host, hash) === this.#host.pnn) return false;
    const chain = tdb.chainOf(key, hash);
    if (gate.enter(chain) !== "granted") return false;
    this.#given.readFrom(bytes, dataAt);
    const deleted = this.#deleteLocked(hash, key);
    gate.leave(chain);
    return deleted;
  }

  #deleteLocked(hash: number, key: Uint8Array): boolean {
    const { records, tdb } = this.#database;
    const given = this.#given;
    if (records.read(hash, key, 0) !== undefined) return false;
    if (records.found) {
      const own = records.header;
      if (own.isNewerThan(given) || own.dmaster === this.#host.pnn) return false;
      if (((own.flags | given.flags) & RECORD_FLAGS_RO) !== 0) return false;
    }
    const deleted = tdb.delete(key, hash);
    return deleted.ok || deleted.error.code === "missing";
  }
}
