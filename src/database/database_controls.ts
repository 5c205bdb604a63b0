/** Controls that ask about a database, or change one of its properties. */
import type { Result } from "../base/result.ts";
import { err } from "../base/result.ts";
import { U64_ZERO } from "../base/u64.ts";
import {
  type ControlHandlers,
  type ControlReply,
  failure,
  type ReplyLater,
  SUCCESS,
} from "../control/control_request.ts";
import type { TdbResult } from "../tdb/types.ts";
import { encode, i32Codec, stringZ, u64Codec } from "../wire/codec.ts";
import { DB_FLAGS, SEQUENCE_KEY } from "../wire/constants.ts";
import {
  NO_SPACE,
  RECOVERY_COUNT_HIGH,
  SEQNUM_RECOVERIES,
  SEQNUM_RESERVE,
} from "../wire/controls.ts";
import { ltdbReserved } from "../wire/records/ltdb_header.ts";
import { dbIdMap } from "../wire/structs/databases.ts";
import { LTDB_HEADER_BYTES } from "../wire/structs/records.ts";
import { dbStatistics } from "../wire/structs/statistics.ts";
import type { PersistentHealth } from "./attach/persistent_health.ts";
import { Delegations } from "./calls/delegations.ts";
import type { Database } from "./database.ts";
import type { DatabaseHost } from "./host.ts";
import { withWholeDatabase } from "./recovery/marked.ts";
import { unknownDatabase } from "./recovery/recovery_controls.ts";

export interface DatabaseControlParts {
  readonly host: DatabaseHost;
  readonly health: PersistentHealth;
  readonly byId: ReadonlyMap<number, Database>;
}

export class DatabaseControls {
  readonly #parts: DatabaseControlParts;

  constructor(parts: DatabaseControlParts) {
    this.#parts = parts;
  }

  readonly controls: ControlHandlers = {
    GETDBPATH: (dbId) => this.#with(dbId, (database) => text(database.path)),
    GET_DBNAME: (dbId) => this.#with(dbId, (database) => text(database.name)),
    GET_DBMAP: () => {
      const databases = [...this.#parts.byId.values()].reverse();
      const map = databases.map(({ dbId, flags }) => ({ db_id: dbId, flags }));
      return { status: 0, data: encode(dbIdMap, map) };
    },
    // The flags in force, because smbd opens the file with them.
    DB_OPEN_FLAGS: (dbId) =>
      this.#with(dbId, ({ tdb }) => ({ status: 0, data: encode(i32Codec, tdb.flags) })),
    ENABLE_SEQNUM: (dbId) =>
      this.#with(dbId, (database) => {
        database.sequence.enable();
        return SUCCESS;
      }),
    UPDATE_SEQNUM: (dbId, from) => {
      if (from.srcnode === this.#parts.host.pnn) return SUCCESS;
      return this.#with(dbId, (database) => this.#updateSequence(database));
    },
    GET_DB_SEQNUM: ({ db_id }, { flags, srvid, clientId }, later) =>
      this.#withLater(db_id, (database) => {
        const reserves = (flags & SEQNUM_RESERVE) !== 0 && clientId === 0;
        if (reserves) {
          this.#reserve(database, srvid.hi, srvid.lo, later);
          return "later";
        }
        const read = (flags & SEQNUM_RECOVERIES) === 0 ? sequenceNumberOf : recoveriesOf;
        this.#sequenceNumber(database, read, 0, later);
        return "later";
      }),
    GET_DB_STATISTICS: (dbId) =>
      this.#with(dbId, ({ statistics, hotKeys }) => ({
        status: 0,
        data: encode(dbStatistics, statistics.snapshot(hotKeys)),
      })),
    DB_GET_HEALTH: (dbId) => this.#with(dbId, (database) => this.#getHealth(database)),
    DB_SET_HEALTHY: (dbId, _from, later) =>
      this.#withLater(dbId, (database) => this.#setHealthy(database, later)),
    SET_DB_READONLY: (dbId) => this.#with(dbId, (database) => this.#setReadonly(database)),
    SET_DB_STICKY: (dbId) => this.#with(dbId, (database) => this.#setSticky(database)),
  };

  #with(dbId: number, action: (database: Database) => ControlReply): ControlReply {
    const database = this.#parts.byId.get(dbId);
    return database === undefined ? unknownDatabase(dbId) : action(database);
  }

  #withLater(
    dbId: number,
    action: (database: Database) => ControlReply | "later",
  ): ControlReply | "later" {
    const database = this.#parts.byId.get(dbId);
    return database === undefined ? unknownDatabase(dbId) : action(database);
  }

  #updateSequence(database: Database): ControlReply {
    if (database.unhealthyReason !== undefined) {
      return failure(`db(${database.name}) unhealthy: ${database.unhealthyReason}`);
    }
    database.sequence.moved();
    return SUCCESS;
  }

  /** Of the record that transactions raise; 0 when there is none. Nothing is written. */
  #sequenceNumber(
    database: Database,
    read: (record: Uint8Array | undefined) => Uint8Array,
    tries: number,
    reply: ReplyLater,
  ): void {
    const { freeze, name } = database;
    if (!freeze.allowsAccess || database.detached) {
      reply(failure(`Database "${name}" is frozen`));
      return;
    }
    const record = this.#sequenceRecord(database);
    if (record.ok) {
      reply({ status: 0, data: read(record.value) });
      return;
    }
    if (record.error !== "busy" || tries >= SEQUENCE_TRIES_MAX) {
      reply(failure(`Cannot read the sequence number of database "${name}": ${record.error}`));
      return;
    }
    this.#parts.host.timers.after(SEQUENCE_RETRY_MS, () =>
      this.#sequenceNumber(database, read, tries + 1, reply),
    );
  }

  /** The answer may come from outside of our turns. */
  #reserve(database: Database, records: number, bytes: number, reply: ReplyLater): void {
    const { name, kind, tdb } = database;
    if (kind === "volatile") {
      reply(failure(`Database "${name}" is volatile`));
      return;
    }
    let inCall = true;
    tdb.reserve(records, bytes, (outcome) => {
      const answer = reserveReply(name, outcome);
      if (inCall) reply(answer);
      else this.#parts.host.timers.soon(() => reply(answer));
    });
    inCall = false;
  }

  #sequenceRecord(database: Database): Result<Uint8Array | undefined> {
    const { freeze, tdb } = database;
    const read = () => tdb.fetch(SEQUENCE_KEY);
    const outcome = freeze.state === "frozen" ? withWholeDatabase(database, read) : read();
    if (outcome.ok) return outcome;
    return err(outcome.error.code === "busy" ? "busy" : outcome.error.reason);
  }

  #getHealth(database: Database): ControlReply {
    const reason = this.#parts.health.reasonOf(database.name);
    database.unhealthyReason = database.kind === "persistent" ? reason : undefined;
    return reason === undefined ? SUCCESS : text(reason);
  }

  #setHealthy(database: Database, later: ReplyLater): "later" {
    const wasUnhealthy = database.unhealthyReason !== undefined;
    this.#parts.health.set(database.name, undefined, (problem) => {
      if (problem !== undefined) return later(failure(problem));
      database.unhealthyReason = undefined;
      const { host } = this.#parts;
      const starting = host.runstateBefore("RUNNING") && !host.runstateBefore("STARTUP");
      if (wasUnhealthy && starting) {
        host.forceRecovery(`database "${database.name}" became healthy`);
      }
      later(SUCCESS);
    });
    return "later";
  }

  #setReadonly(database: Database): ControlReply {
    const problem = this.#flagProblem(database, "readonly");
    if (problem !== undefined) return failure(problem);
    if (database.delegations !== undefined) return SUCCESS;
    const { host } = this.#parts;
    const hashSize = host.tunable("DatabaseHashSize");
    const opened = Delegations.open(host.tdbs, database.path, hashSize);
    if (!opened.ok) {
      const { reason } = opened.error;
      return failure(`Failed to open tracking database '${database.path}.RO': ${reason}`);
    }
    database.delegations = opened.value;
    database.flags |= DB_FLAGS.READONLY;
    host.log.notice(`Readonly property set on DB ${database.name}`);
    return SUCCESS;
  }

  #setSticky(database: Database): ControlReply {
    const problem = this.#flagProblem(database, "sticky");
    if (problem !== undefined) return failure(problem);
    if ((database.flags & DB_FLAGS.STICKY) === 0) {
      database.flags |= DB_FLAGS.STICKY;
      this.#parts.host.log.notice(`set db sticky ${database.name}`);
    }
    return SUCCESS;
  }

  #flagProblem(database: Database, word: string): string | undefined {
    if (database.kind === "volatile") return undefined;
    return `Non-volatile databases do not support ${word} flag`;
  }
}

function sequenceNumberOf(record: Uint8Array | undefined): Uint8Array {
  const isNumber = record?.length === LTDB_HEADER_BYTES + 8;
  return isNumber ? record.subarray(LTDB_HEADER_BYTES) : new Uint8Array(8);
}

function recoveriesOf(record: Uint8Array | undefined): Uint8Array {
  const isWhole = record !== undefined && record.length >= LTDB_HEADER_BYTES;
  return encode(u64Codec, { hi: RECOVERY_COUNT_HIGH, lo: isWhole ? ltdbReserved(record, 0) : 0 });
}

const SEQUENCE_TRIES_MAX = 100;
const SEQUENCE_RETRY_MS = 10;

function text(value: string): ControlReply {
  return { status: 0, data: encode(stringZ, value) };
}

function reserveReply(name: string, reserved: TdbResult<void>): ControlReply {
  // When somebody is at the file it is not looked at; the commit will wait for him.
  if (reserved.ok || reserved.error.code === "busy") {
    return { status: 0, data: encode(u64Codec, U64_ZERO) };
  }
  const { code, reason } = reserved.error;
  const error = `No transaction can be committed on "${name}": ${reason}`;
  return code === "no_space" ? { status: NO_SPACE, error } : failure(error);
}
