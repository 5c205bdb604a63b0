/**
 * UPDATE_RECORD: records that another node (or, in a commit, this one) wants written here, all of one
 * database (docs/database.md, "Updates"). Volatile records are written one by one under their chain
 * locks; persistent and replicated ones together, in one transaction of the file.
 *
 * Invariants:
 * 1. A record is written only over an older one; an equal sequence number is accepted only with equal data.
 * 2. What was asked for in one generation is not written in another: neither a packet that was late
 *    nor work that waited for a lock through a recovery.
 * 3. Every update is answered once.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import { sameBytes } from "../../base/same_bytes.ts";
import {
  type ControlReply,
  type ControlRequest,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import type { TdbError } from "../../tdb/types.ts";
import { encode } from "../../wire/codec.ts";
import { RecBufferCursor } from "../../wire/records/rec_buffer.ts";
import { LTDB_HEADER_BYTES, type RecBuffer, recBuffer } from "../../wire/structs/records.ts";
import { lmasterOf } from "../calls/replies.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import type { ChainWork } from "../record/chain_gate.ts";
import { RecordHeader } from "../record/record_header.ts";
import { unknownDatabase } from "../recovery/recovery_controls.ts";

/** Why nothing may be written into the database now. */
export function updateRefusal(
  host: DatabaseHost,
  database: Database,
  since = database.generation,
): string | undefined {
  const { unhealthyReason } = database;
  if (host.recovering()) return "a recovery runs";
  if (unhealthyReason !== undefined) return `the database is not healthy: ${unhealthyReason}`;
  if (database.detached) return "the database was detached";
  if (database.freeze.state !== "thawed") return "the database is frozen";
  if (database.generation !== since) return "a recovery has replaced its content";
  return undefined;
}

/** Why these cannot all be records. */
export function shortRecordProblem(records: RecBuffer["records"]): string | undefined {
  const short = records.find(({ data }) => data.length < LTDB_HEADER_BYTES);
  if (short === undefined) return undefined;
  return `a record has ${short.data.length} bytes, expected at least ${LTDB_HEADER_BYTES}`;
}

export function updateFailure(database: Database, why: string): ControlReply {
  return failure(`Cannot update records of database "${database.name}": ${why}`);
}

export class UpdateRecord {
  readonly #host: DatabaseHost;
  readonly #findDatabase: (dbId: number) => Database | undefined;

  constructor(host: DatabaseHost, findDatabase: (dbId: number) => Database | undefined) {
    this.#host = host;
    this.#findDatabase = findDatabase;
  }

  handle(request: RecBuffer, from: ControlRequest, later: ReplyLater): ControlReply | "later" {
    const database = this.#findDatabase(request.db_id);
    if (database === undefined) return unknownDatabase(request.db_id);
    const refused =
      updateRefusal(this.#host, database) ??
      this.#lateProblem(from) ??
      shortRecordProblem(request.records);
    if (refused !== undefined) return updateFailure(database, refused);
    // The request's own bytes are gone after this turn.
    const records = new RecBufferCursor(encode(recBuffer, request));
    if (database.kind !== "volatile") database.updates.add(records, later);
    else new VolatileUpdate(this.#host, database, records, later).next();
    return "later";
  }

  /** A node stamps its controls with its generation: a link may deliver one after a recovery. */
  #lateProblem({ generation }: ControlRequest): string | undefined {
    const current = this.#host.generation();
    if (generation === undefined || generation === current) return undefined;
    return `the update is of generation ${generation}, this is ${current}`;
  }
}

/** One after the other, each under its chain lock, or parked until it is free. */
class VolatileUpdate implements ChainWork {
  readonly bytes: number;
  readonly clientId = 0;
  readonly #host: DatabaseHost;
  readonly #database: Database;
  readonly #records: RecBufferCursor;
  readonly #reply: ReplyLater;
  readonly #generation: number;
  readonly #given = new RecordHeader();
  /** The record at which the cursor stands is not written yet; the hash is that of its key. */
  #current = false;
  #hash = 0;

  constructor(host: DatabaseHost, database: Database, records: RecBufferCursor, reply: ReplyLater) {
    this.bytes = records.bytes.length;
    this.#host = host;
    this.#database = database;
    this.#records = records;
    this.#reply = reply;
    this.#generation = database.generation;
  }

  next(): void {
    const { gate, tdb } = this.#database;
    while (this.#current || this.#records.next()) {
      const key = this.#records.key();
      if (!this.#current) this.#hash = jenkinsHash(key);
      this.#current = true;
      const chain = tdb.chainOf(key, this.#hash);
      const locked = gate.enter(chain);
      if (locked !== "granted" && locked !== "busy") {
        this.#fail(locked);
        return;
      }
      const written = locked === "granted" ? this.#write() : "busy";
      if (locked === "granted") gate.leave(chain);
      if (written === "over") return;
      if (written === "written") continue;
      gate.park(chain, this);
      return;
    }
    this.#reply(SUCCESS);
  }

  run(): boolean {
    const written = this.#write();
    if (written === "busy") return false;
    // The others are of other chains: not under this lock.
    if (written === "written") this.#host.timers.soon(() => this.next());
    return true;
  }

  drop(reason: string): void {
    this.#reply(updateFailure(this.#database, reason));
  }

  /** With the chain locked. "busy": nothing was done. "over": the update was answered. */
  #write(): "written" | "busy" | "over" {
    const refused = updateRefusal(this.#host, this.#database, this.#generation);
    if (refused !== undefined) {
      this.#reply(updateFailure(this.#database, refused));
      return "over";
    }
    const { records } = this.#database;
    const key = this.#records.key();
    const hash = this.#hash;
    const lmaster = lmasterOf(this.#host, hash);
    const error = records.read(hash, key, lmaster);
    if (error !== undefined) return this.#failed(error);
    this.#current = false;
    // A copy that is not here (any more) needs no update.
    if (!records.found) return "written";
    const value = this.#records.data();
    const given = this.#given;
    given.readFrom(value);
    const data = value.subarray(LTDB_HEADER_BYTES);
    if (!mayReplace(records.header, records.data, given, data)) {
      this.#reply(updateFailure(this.#database, NEWER_IS_HERE));
      return "over";
    }
    const stored = records.store(hash, key, given, data, lmaster);
    if (stored.ok) return "written";
    this.#current = true;
    return this.#failed(stored.error);
  }

  #failed(error: TdbError): "busy" | "over" {
    if (error.code === "busy") return "busy";
    this.#fail(error);
    return "over";
  }

  #fail(error: TdbError): void {
    this.#reply(updateFailure(this.#database, error.reason));
  }
}

export const NEWER_IS_HERE = "a record is newer here";

/** Whether the given record is newer than the own one, or the same. */
export function mayReplace(
  own: RecordHeader,
  ownData: Uint8Array,
  given: RecordHeader,
  data: Uint8Array,
): boolean {
  return given.isNewerThan(own) || sameBytes(ownData, data);
}
