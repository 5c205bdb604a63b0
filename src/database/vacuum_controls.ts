/**
 * What other nodes' vacuums ask of this one. This node runs no vacuum of its own yet: it keeps the
 * queue of records to delete, deletes copies that a lmaster asks it to delete, and fetches home
 * the records that are offered to it (docs/database.md, "Deleted records").
 *
 * Invariant (TRY_DELETE_RECORDS): a copy goes only if this node is neither lmaster nor data master of
 * the record, knows no newer version, and nobody holds its chain; every record that did not go is
 * in the answer.
 */
import { jenkinsHash } from "../base/jenkins_hash.ts";
import {
  type ControlHandlers,
  type ControlReply,
  failure,
  SUCCESS,
} from "../transport/control_request.ts";
import { EMPTY, encode } from "../wire/codec.ts";
import { CALL_FLAGS, NULL_FUNC, RECORD_FLAGS_RO } from "../wire/constants.ts";
import { LTDB_HEADER_BYTES, type RecBuffer, type RecData, recBuffer } from "../wire/structs.ts";
import type { Database } from "./database.ts";
import type { DatabaseHost } from "./host.ts";
import type { PendingCalls } from "./pending_calls.ts";
import { RecordHeader } from "./record_header.ts";
import { unknownDatabase } from "./recovery_controls.ts";
import { lmasterOf } from "./replies.ts";

export interface VacuumParts {
  readonly host: DatabaseHost;
  readonly pending: PendingCalls;
  findDatabase(dbId: number): Database | undefined;
}

export class VacuumControls {
  readonly #parts: VacuumParts;
  readonly #header = new RecordHeader();

  constructor(parts: VacuumParts) {
    this.#parts = parts;
  }

  readonly controls: ControlHandlers = {
    SCHEDULE_FOR_DELETION: ({ db_id, header, key }) => {
      const database = this.#parts.findDatabase(db_id);
      if (database === undefined) return unknownDatabase(db_id);
      this.#header.set(header.rsn.hi, header.rsn.lo, header.dmaster, header.flags);
      if (database.kind === "volatile") {
        database.deleteQueue.schedule(jenkinsHash(key), key, this.#header);
      }
      return SUCCESS;
    },
    TRY_DELETE_RECORDS: (request) => this.#tryDelete(request),
    VACUUM_FETCH: (request) => this.#fetchHome(request),
    DB_VACUUM: () => failure("DB_VACUUM is not implemented"),
  };

  #tryDelete(request: RecBuffer): ControlReply {
    const database = this.#parts.findDatabase(request.db_id);
    if (database === undefined) return unknownDatabase(request.db_id);
    const short = request.records.find((record) => record.data.length < LTDB_HEADER_BYTES);
    if (short !== undefined) return failure(`a record has ${short.data.length} bytes, expected 24`);
    const kept = request.records.filter((record) => !this.#deleteCopy(database, record));
    return { status: 0, data: encode(recBuffer, { db_id: request.db_id, records: kept }) };
  }

  #deleteCopy(database: Database, record: RecData): boolean {
    const { host } = this.#parts;
    if (lmasterOf(host, jenkinsHash(record.key)) === host.pnn) return false;
    if (record.data.length !== LTDB_HEADER_BYTES || database.kind !== "volatile") return false;
    const chain = database.tdb.chainOf(record.key);
    if (database.gate.enter(chain) !== "granted") return false;
    const deleted = this.#deleteLocked(database, record);
    database.gate.leave(chain);
    return deleted;
  }

  #deleteLocked(database: Database, record: RecData): boolean {
    const given = this.#header;
    given.readFrom(record.data);
    const { records, tdb } = database;
    if (records.read(record.key, 0) !== undefined) return false;
    if (records.found) {
      const own = records.header;
      const isNewer =
        own.rsnHi > given.rsnHi || (own.rsnHi === given.rsnHi && own.rsnLo > given.rsnLo);
      if (isNewer || own.dmaster === this.#parts.host.pnn) return false;
      if (((own.flags | given.flags) & RECORD_FLAGS_RO) !== 0) return false;
    }
    const deleted = tdb.delete(record.key);
    return deleted.ok || deleted.error.code === "missing";
  }

  /** A node offers empty records to us, their lmaster: each is called for, like a client would. */
  #fetchHome(request: RecBuffer): ControlReply {
    const { host, pending } = this.#parts;
    const database = this.#parts.findDatabase(request.db_id);
    if (database === undefined) return unknownDatabase(request.db_id);
    for (const { key } of request.records) {
      host.statistics.pending_calls += 1;
      pending.send({
        database,
        clientId: 0,
        clientReqid: 0,
        flags: CALL_FLAGS.IMMEDIATE_MIGRATION | CALL_FLAGS.VACUUM_MIGRATION,
        callid: NULL_FUNC,
        key,
        calldata: EMPTY,
        // To ourselves: the record's copy here says where it goes from here.
        destnode: host.pnn,
        startedMs: host.clock.monotonicMs(),
        collapse: undefined,
      });
    }
    return SUCCESS;
  }
}
