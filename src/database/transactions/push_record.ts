/**
 * PUSH_RECORD: smbd, data master of a record that outlives nodes (flag PERSISTENT), gives every node a
 * copy of it (docs/database.md, "Pushed records").
 *
 * Invariant: a copy replaces only an older copy. The record may have moved here on another way, faster
 * than the push that its former data master sent before.
 */
import { jenkinsHash } from "../../base/jenkins_hash.ts";
import {
  type ControlReply,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import { RECORD_FLAGS } from "../../wire/constants.ts";
import type { ControlRequestOf } from "../../wire/controls.ts";
import { lmasterOf, recordError } from "../calls/replies.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import type { ChainWork } from "../record/chain_gate.ts";
import { RecordHeader } from "../record/record_header.ts";
import { unknownDatabase } from "../recovery/recovery_controls.ts";

type PushRequest = ControlRequestOf<"PUSH_RECORD">;

export class PushRecord {
  readonly #host: DatabaseHost;
  readonly #findDatabase: (dbId: number) => Database | undefined;

  constructor(host: DatabaseHost, findDatabase: (dbId: number) => Database | undefined) {
    this.#host = host;
    this.#findDatabase = findDatabase;
  }

  handle(request: PushRequest, later: ReplyLater): ControlReply | "later" {
    if (request.generation !== this.#host.generation()) return SUCCESS;
    // It comes back to its sender, who wrote the record itself.
    if (request.header.dmaster === this.#host.pnn) return SUCCESS;
    const database = this.#findDatabase(request.db_id);
    if (database === undefined) return unknownDatabase(request.db_id);
    if (database.kind !== "volatile") {
      return failure(`Records of database "${database.name}" are not pushed: it is not volatile`);
    }
    const work = new ParkedPush(this.#host, database, request, later);
    const chain = database.tdb.chainOf(work.key, work.hash);
    const locked = database.gate.enter(chain);
    if (locked !== "granted" && locked !== "busy") {
      return failure(recordError("push", database.name, locked));
    }
    const handled = locked === "granted" && work.run();
    if (locked === "granted") database.gate.leave(chain);
    if (!handled) database.gate.park(chain, work);
    return "later";
  }
}

class ParkedPush implements ChainWork {
  readonly clientId = 0;
  readonly key: Uint8Array;
  readonly hash: number;
  readonly #data: Uint8Array;
  readonly #header: PushRequest["header"];
  readonly #host: DatabaseHost;
  readonly #database: Database;
  readonly #generation: number;
  readonly #reply: ReplyLater;

  constructor(host: DatabaseHost, database: Database, request: PushRequest, reply: ReplyLater) {
    this.#host = host;
    this.#database = database;
    this.#generation = request.generation;
    this.key = request.key.slice();
    this.hash = jenkinsHash(this.key);
    this.#data = request.data.slice();
    this.#header = request.header;
    this.#reply = reply;
  }

  get bytes(): number {
    return this.key.length + this.#data.length;
  }

  run(): boolean {
    if (this.#host.generation() !== this.#generation) {
      this.#reply(SUCCESS);
      return true;
    }
    const { records, name } = this.#database;
    const { hash } = this;
    const lmaster = lmasterOf(this.#host, hash);
    const error = records.read(hash, this.key, lmaster);
    if (error?.code === "busy") return false;
    if (error !== undefined) {
      this.#reply(failure(recordError("read", name, error)));
      return true;
    }
    if (records.found && this.#isNotOlder(records.header)) {
      this.#reply(SUCCESS);
      return true;
    }
    const { rsn, dmaster, flags } = this.#header;
    const header = new RecordHeader();
    header.set(rsn.hi, rsn.lo, dmaster, (flags | RECORD_FLAGS.MIGRATED_WITH_DATA) >>> 0);
    const stored = records.store(hash, this.key, header, this.#data, lmaster);
    if (!stored.ok && stored.error.code === "busy") return false;
    this.#reply(stored.ok ? SUCCESS : failure(recordError("push", name, stored.error)));
    return true;
  }

  /** The own copy is newer, or what this node is data master of. */
  #isNotOlder(own: RecordHeader): boolean {
    const { rsn } = this.#header;
    if (own.dmaster === this.#host.pnn) return true;
    return own.isNewerThanRsn(rsn);
  }

  drop(reason: string): void {
    this.#reply(failure(`Cannot push a record of database "${this.#database.name}": ${reason}`));
  }
}
