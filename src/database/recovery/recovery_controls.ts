/**
 * Controls of a recovery on one database, in the order in which a coordinator uses them
 * (docs/database.md, "Recovery"). The states are those of `DatabaseFreeze`.
 */
import {
  type ControlHandlers,
  type ControlReply,
  type ControlRequest,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../../control/control_request.ts";
import { TRANSACTION_UNBROKEN } from "../../wire/controls.ts";
import { type PersistentHealth, reasonAfterRecovery } from "../attach/persistent_health.ts";
import type { Database } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { Pull } from "./pull.ts";
import { Push } from "./push.ts";

export interface RecoveryParts {
  readonly host: DatabaseHost;
  readonly health: PersistentHealth;
  findDatabase(dbId: number): Database | undefined;
  /** The database serves calls again. */
  thawed(database: Database): void;
}

export function unknownDatabase(dbId: number): ControlReply {
  return failure(`Unknown db 0x${dbId.toString(16).padStart(8, "0")}`);
}

export class RecoveryControls {
  readonly #parts: RecoveryParts;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  readonly controls: ControlHandlers = {
    DB_FREEZE: (dbId, from, later) =>
      this.#with(dbId, (database) => {
        database.frozenFor = from.srcnode;
        database.freeze.freeze(later);
        return "later";
      }),
    DB_THAW: (dbId, from) => this.#with(dbId, (database) => this.#thaw(database, from)),
    DB_TRANSACTION_START: ({ db_id, tid }, from, later) =>
      this.#inItsTurn(db_id, later, (database) => {
        database.coordinator = from.srcnode;
        if (this.#isUnbroken(database, from)) database.invalidRecords = false;
        const outcome = database.freeze.startTransaction(tid, later);
        return outcome === "later" ? outcome : answer(outcome);
      }),
    DB_TRANSACTION_CANCEL: (dbId) =>
      this.#with(dbId, (database) => answer(database.freeze.cancel())),
    DB_TRANSACTION_COMMIT: ({ db_id, tid }, _from, later) =>
      this.#with(db_id, (database) => this.#commit(database, tid, later)),
    WIPE_DATABASE: ({ db_id, tid }, _from, later) =>
      this.#inItsTurn(db_id, later, (database) => this.#wipe(database, tid)),
    DB_PULL: ({ db_id, srvid }, from, later) =>
      this.#with(db_id, (database) => {
        const problem = notFrozen(database, "pull");
        if (problem !== undefined) return failure(problem);
        new Pull(this.#parts.host, database, from.srcnode, srvid, later);
        return "later";
      }),
    DB_PUSH_START: ({ db_id, srvid }, from) =>
      this.#with(db_id, (database) => {
        const problem = pushProblem(database, from, "start a push to");
        if (problem !== undefined) return failure(problem);
        database.push?.end();
        database.push = new Push(this.#parts.host, database, srvid);
        return SUCCESS;
      }),
    DB_PUSH_CONFIRM: (dbId, from, later) =>
      this.#with(dbId, (database) => {
        const problem = pushProblem(database, from, "confirm a push to");
        if (problem !== undefined) return failure(problem);
        if (database.push === undefined || database.push.ended) {
          return failure(`No push to database "${database.name}" was started`);
        }
        database.push.confirm(later);
        return "later";
      }),
  };

  /**
   * Nobody has recovered since the records of this node counted: they were frozen, and are nowhere else. The database
   * itself must have been through that recovery: the node may have become inactive in the middle of it.
   */
  #isUnbroken({ contentGeneration }: Database, { flags, srvid }: ControlRequest): boolean {
    const isTold = (flags & TRANSACTION_UNBROKEN) !== 0;
    return isTold && srvid.lo === contentGeneration && this.#parts.host.countedWithAll(srvid.lo);
  }

  #with(
    dbId: number,
    action: (database: Database) => ControlReply | "later",
  ): ControlReply | "later" {
    const database = this.#parts.findDatabase(dbId);
    return database === undefined ? unknownDatabase(dbId) : action(database);
  }

  /**
   * For steps of some milliseconds that cannot be cut: of those for many databases that arrive together only the
   * first runs at once.
   */
  #inItsTurn(
    dbId: number,
    later: ReplyLater,
    action: (database: Database) => ControlReply | "later",
  ): ControlReply | "later" {
    const { slices } = this.#parts.host;
    if (slices.remainingMs > 0) return this.#with(dbId, action);
    slices.later(() => {
      const reply = this.#with(dbId, action);
      if (reply !== "later") later(reply);
    });
    return "later";
  }

  /** A thaw says nothing of its recovery: one that was held up must not undo that of another node. */
  #thaw(database: Database, from: ControlRequest): ControlReply {
    const { frozenFor, freeze, name } = database;
    if (freeze.state !== "thawed" && frozenFor !== undefined && frozenFor !== from.srcnode) {
      return failure(`Cannot thaw database "${name}": node ${frozenFor} has frozen it`);
    }
    const refused = database.freeze.thaw();
    if (refused !== undefined) return failure(refused);
    this.#parts.host.log.notice(`Thaw db: ${database.name} generation ${database.generation}`);
    this.#parts.thawed(database);
    return SUCCESS;
  }

  #wipe(database: Database, tid: number): ControlReply {
    const problem = database.freeze.transactionProblem(tid, "wipe");
    if (problem !== undefined) return failure(problem);
    database.freeze.interruptWork();
    const wiped = database.tdb.wipe();
    if (!wiped.ok) {
      return failure(`Failed to wipe database "${database.name}": ${wiped.error.reason}`);
    }
    database.deleteQueue.clear();
    database.fetchQueue.clear();
    return SUCCESS;
  }

  #commit(database: Database, tid: number, later: ReplyLater): ControlReply | "later" {
    const problem = database.freeze.transactionProblem(tid, "commit a transaction on");
    if (problem !== undefined) return failure(problem);
    database.freeze.commit((failed) => {
      if (failed !== undefined) {
        this.#parts.host.log.error(failed);
        return later(failure(failed));
      }
      const problem = database.revokes.forgetCopies();
      if (problem !== undefined) this.#parts.host.log.error(problem);
      this.#updateHealth(database, later);
    });
    return "later";
  }

  /** The recovery has filled the database; if from a healthy node, it is healthy now. */
  #updateHealth(database: Database, reply: ReplyLater): void {
    const old = database.unhealthyReason;
    if (database.kind !== "persistent" || old === undefined) {
      reply(SUCCESS);
      return;
    }
    const { host, health } = this.#parts;
    const healthyNodes = host.activeNodes().filter((pnn) => host.nodeFlags(pnn) === 0).length;
    const reason = reasonAfterRecovery(old, healthyNodes);
    health.set(database.name, reason, (problem) => {
      if (problem !== undefined) return reply(failure(problem));
      database.unhealthyReason = reason;
      host.log.notice(`Updated db health for db(${database.name}) to: ${reason ?? "OK"}`);
      reply(SUCCESS);
    });
  }
}

function notFrozen(database: Database, doing: string): string | undefined {
  if (database.freeze.state === "frozen" && database.freeze.transaction !== "committing") {
    return undefined;
  }
  return `Cannot ${doing} database "${database.name}": it is not frozen`;
}

/**
 * Two leaders may be at it until they hear of each other, and a push carries no transaction id: one
 * must not store into what the other will commit. (What one pulls while the other works is thrown
 * away: its own transaction is gone, so its next step is refused.)
 */
function pushProblem(database: Database, from: ControlRequest, doing: string): string | undefined {
  const problem = notFrozen(database, doing);
  if (problem !== undefined || database.freeze.transaction === "none") return problem;
  if (database.coordinator === from.srcnode) return undefined;
  return `Cannot ${doing} database "${database.name}": node ${database.coordinator} recovers it`;
}

function answer(problem: string | undefined): ControlReply {
  return problem === undefined ? SUCCESS : failure(problem);
}
