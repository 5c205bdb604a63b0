/**
 * A volatile database as clients use it: lock the chain in the local file, migrate the
 * record here if it is elsewhere, read and write it in place (docs/client.md, "Records").
 *
 * Invariants:
 * 1. While a LockedRecord is not released this process holds its chain lock, the local copy is the
 *    cluster's record, and no other record of the same database is locked through this object:
 *    who waits for ctdbd holding a chain would wait for himself.
 * 2. Nothing blocks: a busy lock is tried again on timers with growing delays, until the deadline.
 */
import { err, ok, type Result } from "../base/result.ts";
import type { Tdb } from "../tdb/types.ts";
import { CALL_FLAGS, DB_FLAGS, FETCH_WITH_HEADER_FUNC, NULL_FUNC } from "../wire/constants.ts";
import { LTDB_HEADER_BYTES } from "../wire/structs/records.ts";
import { type AttachedDatabase, attachDatabase } from "./database.ts";
import {
  busy,
  fileFailure,
  notAllowed,
  openAttachedFile,
  type RecordEnvironment,
  type RecordFailure,
  whileBusy,
} from "./local_file.ts";
import { LockedRecord, usableHeader } from "./locked_record.ts";
import { TurnQueue } from "./turns.ts";
import type { CtdbClient } from "./types.ts";

export interface LockOptions {
  readonly timeoutMs: number;
  /** A read-only copy is enough (databases with the READONLY flag). */
  readonly readonly?: boolean;
}

const READING = true;

/** Attaches and opens the file; `flags` are DB_FLAGS without PERSISTENT and REPLICATED. */
export async function openRecordDatabase(
  client: CtdbClient,
  environment: RecordEnvironment,
  name: string,
  flags: number,
  timeoutMs: number,
): Promise<Result<RecordDatabase, RecordFailure>> {
  const attached = await attachDatabase(client, name, flags, timeoutMs);
  if (!attached.ok) return attached;
  return openAttached(client, environment, attached.value, timeoutMs);
}

export async function openAttached(
  client: CtdbClient,
  environment: RecordEnvironment,
  database: AttachedDatabase,
  timeoutMs: number,
): Promise<Result<RecordDatabase, RecordFailure>> {
  if ((database.flags & (DB_FLAGS.PERSISTENT | DB_FLAGS.REPLICATED)) !== 0) {
    return notAllowed(`The database "${database.name}" is not volatile`);
  }
  const opened = await openAttachedFile(environment, database, timeoutMs);
  if (!opened.ok) return opened;
  return ok(new RecordDatabase(client, environment, database, opened.value));
}

export class RecordDatabase {
  readonly database: AttachedDatabase;
  readonly #client: CtdbClient;
  readonly #environment: RecordEnvironment;
  readonly #tdb: Tdb;
  readonly #turns: TurnQueue;

  constructor(
    client: CtdbClient,
    environment: RecordEnvironment,
    database: AttachedDatabase,
    tdb: Tdb,
  ) {
    this.#client = client;
    this.#environment = environment;
    this.database = database;
    this.#tdb = tdb;
    this.#turns = new TurnQueue(environment.timers);
  }

  /**
   * Brings the record here if need be and locks it. A key that is nowhere has empty data. Further tasks
   * that want a record of this object wait until it is released.
   */
  async fetchLock(
    key: Uint8Array,
    options: LockOptions,
  ): Promise<Result<LockedRecord, RecordFailure>> {
    const { clock } = this.#environment;
    const deadlineMs = clock.monotonicMs() + options.timeoutMs;
    if (!(await this.#turns.enter(options.timeoutMs))) {
      return busy(
        `Another record of "${this.database.name}" was locked for ${options.timeoutMs} ms`,
      );
    }
    const outcome = await this.#fetchLock(key, options, deadlineMs);
    if (!outcome.ok) this.#turns.leave();
    return outcome;
  }

  /**
   * The data as it was at some moment during the call, without keeping a lock or moving the record:
   * from the local copy if that may be read, otherwise from the data master, which lends this node a
   * copy if the database has the READONLY flag (without it the record comes here). Any number may be
   * under way. A key that is nowhere has empty data.
   */
  async read(key: Uint8Array, timeoutMs: number): Promise<Result<Uint8Array, RecordFailure>> {
    const { clock } = this.#environment;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const local = await whileBusy(this.#environment, timeoutMs, () => this.#tdb.fetch(key));
    if (!local.ok) return local;
    const value = local.value;
    if (value !== undefined && usableHeader(value, this.#client.pnn, READING) !== undefined) {
      return ok(value.subarray(LTDB_HEADER_BYTES));
    }
    const leftMs = deadlineMs - clock.monotonicMs();
    if (leftMs <= 0) return busy(`A lock was held elsewhere for ${timeoutMs} ms`);
    const callid = FETCH_WITH_HEADER_FUNC;
    const request = { db_id: this.database.id, flags: CALL_FLAGS.WANT_READONLY, callid, key };
    const called = await this.#client.call(request, leftMs);
    if (!called.ok) return called;
    const { length } = called.value;
    if (length >= LTDB_HEADER_BYTES) return ok(called.value.subarray(LTDB_HEADER_BYTES));
    const reason = `A read of a record was answered with ${length} bytes, at least ${LTDB_HEADER_BYTES} are expected`;
    return err({ kind: "malformed", reason, status: 0 });
  }

  close(): void {
    this.#tdb.close();
  }

  async #fetchLock(
    key: Uint8Array,
    options: LockOptions,
    deadlineMs: number,
  ): Promise<Result<LockedRecord, RecordFailure>> {
    const { clock } = this.#environment;
    const readonly = options.readonly ?? false;
    const flags = CALL_FLAGS.IMMEDIATE_MIGRATION | (readonly ? CALL_FLAGS.WANT_READONLY : 0);
    const request = { db_id: this.database.id, flags, callid: NULL_FUNC, key };
    for (;;) {
      const local = await this.#lockLocal(key, readonly, deadlineMs - clock.monotonicMs());
      if (!local.ok) return local;
      if (local.value !== undefined) return ok(local.value);
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) return busy(`The record did not stay here long enough to lock it`);
      const called = await this.#client.call(request, leftMs);
      if (!called.ok) return called;
    }
  }

  /** The locked record if the local copy may be used; undefined, without a lock, if not. */
  async #lockLocal(
    key: Uint8Array,
    readonly: boolean,
    timeoutMs: number,
  ): Promise<Result<LockedRecord | undefined, RecordFailure>> {
    const tdb = this.#tdb;
    const chain = tdb.chainOf(key);
    const granted = await whileBusy(this.#environment, timeoutMs, () => {
      const outcome = tdb.tryLockChain(chain, "write");
      if (outcome === "granted") return ok(undefined);
      return err(outcome === "busy" ? { code: outcome, reason: "the chain is locked" } : outcome);
    });
    if (!granted.ok) return granted;
    const fetched = tdb.fetch(key);
    if (!fetched.ok) {
      tdb.unlockChain(chain);
      return fileFailure(fetched.error);
    }
    const header = usableHeader(fetched.value, this.#client.pnn, readonly);
    if (header === undefined || fetched.value === undefined) {
      tdb.unlockChain(chain);
      return ok(undefined);
    }
    const data = fetched.value.subarray(LTDB_HEADER_BYTES);
    return ok(
      new LockedRecord(
        this.#client,
        this.#environment,
        tdb,
        this.database,
        key,
        header,
        data,
        () => {
          tdb.unlockChain(chain);
          this.#turns.leave();
        },
      ),
    );
  }
}
