/**
 * Records of a volatile database as clients use them: lock the chain in the local file, migrate the
 * record here if it is elsewhere, read and write it in place (docs/client.md, "Records").
 *
 * Invariants:
 * 1. While a LockedRecord is not released this process holds its chain lock, the local copy is the
 *    cluster's record, and no other record of the same database is locked through this object:
 *    who waits for ctdbd holding a chain would wait for himself.
 * 2. Nothing blocks: a busy lock is tried again on timers with growing delays, until the deadline.
 * 3. The header of a record is changed by `push` only; otherwise ctdbd alone moves rsn, dmaster and flags.
 */
import { assert } from "../base/assert.ts";
import { err, ok, type Result } from "../base/result.ts";
import { u64Add } from "../base/u64.ts";
import type { Clock, Timers } from "../platform/types/time.ts";
import type { Tdb, TdbError, TdbOpener } from "../tdb/types.ts";
import { decodePadded, EMPTY, encode } from "../wire/codec.ts";
import {
  CALL_FLAGS,
  DB_FLAGS,
  FETCH_WITH_HEADER_FUNC,
  NULL_FUNC,
  RECORD_FLAGS,
} from "../wire/constants.ts";
import { BROADCAST_ACTIVE } from "../wire/packet.ts";
import { LTDB_HEADER_BYTES, type LtdbHeader, ltdbHeader } from "../wire/structs/records.ts";
import { type AttachedDatabase, attachDatabase } from "./database.ts";
import { TurnQueue } from "./turns.ts";
import type { ClientFailure, CtdbClient } from "./types.ts";

export interface RecordFailure {
  readonly kind:
    | ClientFailure["kind"]
    /** A lock of the file was held elsewhere until the deadline. */
    | "busy"
    /** The file cannot be opened, or is damaged. */
    | "file"
    /** Written through a read-only copy, or a database that is not volatile. */
    | "not_allowed";
  readonly reason: string;
  readonly status: number;
}

export interface RecordEnvironment {
  readonly tdbs: TdbOpener;
  readonly timers: Pick<Timers, "after">;
  readonly clock: Pick<Clock, "monotonicMs">;
}

export interface LockOptions {
  readonly timeoutMs: number;
  /** A read-only copy is enough (databases with the READONLY flag). */
  readonly readonly?: boolean;
}

const FIRST_DELAY_MS = 1;
const DELAY_MAX_MS = 20;

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

/** The local file, with exactly the flags that the node has it open with. */
export function openAttachedFile(
  environment: RecordEnvironment,
  { path, openFlags }: AttachedDatabase,
  timeoutMs: number,
): Promise<Result<Tdb, RecordFailure>> {
  return whileBusy(environment, timeoutMs, () => {
    const tdb = environment.tdbs.open({ path, flags: openFlags, hashSize: 0, create: false });
    if (tdb.ok) return ok(tdb.value);
    return tdb.error.code === "busy" ? "busy" : fileFailure(tdb.error);
  });
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
    const local = await whileBusy(this.#environment, timeoutMs, () => {
      const fetched = this.#tdb.fetch(key);
      if (fetched.ok) return fetched;
      return fetched.error.code === "busy" ? "busy" : fileFailure(fetched.error);
    });
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
      return outcome === "busy" ? "busy" : fileFailure(outcome);
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

export class LockedRecord {
  readonly key: Uint8Array;
  readonly header: LtdbHeader;
  /** Without the header; empty for a record that is not there. */
  readonly data: Uint8Array;
  readonly #client: CtdbClient;
  readonly #environment: RecordEnvironment;
  readonly #tdb: Tdb;
  readonly #database: AttachedDatabase;
  #unlock: (() => void) | undefined;

  constructor(
    client: CtdbClient,
    environment: RecordEnvironment,
    tdb: Tdb,
    database: AttachedDatabase,
    key: Uint8Array,
    header: LtdbHeader,
    data: Uint8Array,
    unlock: () => void,
  ) {
    this.#client = client;
    this.#environment = environment;
    this.#tdb = tdb;
    this.#database = database;
    this.key = key;
    this.header = header;
    this.data = data;
    this.#unlock = unlock;
  }

  /** True for a copy that may only be read. */
  get readonlyCopy(): boolean {
    return (this.header.flags & READONLY_COPY) !== 0;
  }

  /** Writes new data under the same header; the record stays locked. */
  async store(data: Uint8Array, timeoutMs: number): Promise<Result<void, RecordFailure>> {
    return this.#store(this.header, data, timeoutMs);
  }

  async #store(
    header: LtdbHeader,
    data: Uint8Array,
    timeoutMs: number,
  ): Promise<Result<void, RecordFailure>> {
    assert(this.#unlock !== undefined, "a record is locked while it is stored");
    if (this.readonlyCopy) return notAllowed("A read-only copy of a record cannot be written");
    const head = encode(ltdbHeader, header);
    return whileBusy(this.#environment, timeoutMs, () => {
      const stored = this.#tdb.storeParts(this.key, head, data);
      if (stored.ok) return ok(undefined);
      return stored.error.code === "busy" ? "busy" : fileFailure(stored.error);
    });
  }

  /**
   * Writes new data here and into the copies of all active nodes (PUSH_RECORD, Samba 4.25), which keep it
   * as after a recovery. The data master's rsn is the higher one, so that a vacuum knows which is newer.
   * A node of another generation ignores its copy; it is not told whether anybody did.
   */
  async push(
    data: Uint8Array,
    generation: number,
    timeoutMs: number,
  ): Promise<Result<void, RecordFailure>> {
    const { rsn, flags } = this.header;
    const kept = { ...this.header, flags: flags | RECORD_FLAGS.MIGRATED_WITH_DATA };
    const stored = await this.#store({ ...kept, rsn: u64Add(rsn, 1) }, data, timeoutMs);
    if (!stored.ok) return stored;
    const request = {
      generation,
      db_id: this.#database.id,
      header: kept,
      key: this.key,
      data,
    };
    this.#client.controlNoReply("PUSH_RECORD", request, { pnn: BROADCAST_ACTIVE });
    return ok(undefined);
  }

  /**
   * Empties the record, releases it, and has ctdbd remove it when it can. A node that refuses to be told
   * finds it later, when it vacuums the whole file: the record is deleted all the same.
   */
  async delete(timeoutMs: number): Promise<Result<void, RecordFailure>> {
    const stored = await this.store(EMPTY, timeoutMs);
    this.release();
    if (!stored.ok) return stored;
    const request = { db_id: this.#database.id, header: this.header, key: this.key };
    const scheduled = await this.#client.control("SCHEDULE_FOR_DELETION", request, {
      pnn: this.#client.pnn,
      timeoutMs,
    });
    return scheduled.ok || scheduled.error.kind === "refused" ? ok(undefined) : scheduled;
  }

  /** Gives the chain lock back; further calls do nothing. */
  release(): void {
    const unlock = this.#unlock;
    this.#unlock = undefined;
    unlock?.();
  }
}

const READING = true;
const READONLY_COPY = RECORD_FLAGS.RO_HAVE_READONLY | RECORD_FLAGS.RO_HAVE_DELEGATIONS;

/** The header of a local copy that may be used for this access. */
function usableHeader(
  value: Uint8Array | undefined,
  pnn: number,
  readonly: boolean,
): LtdbHeader | undefined {
  if (value === undefined || value.length < LTDB_HEADER_BYTES) return undefined;
  const decoded = decodePadded(ltdbHeader, value);
  if (!decoded.ok) return undefined;
  const { dmaster, flags } = decoded.value;
  const mine = dmaster === pnn;
  const usable = readonly
    ? mine || (flags & READONLY_COPY) !== 0
    : mine && (flags & RECORD_FLAGS.RO_HAVE_DELEGATIONS) === 0;
  return usable ? decoded.value : undefined;
}

/** Repeats `attempt` while it answers "busy", with growing delays. */
export async function whileBusy<T>(
  environment: RecordEnvironment,
  timeoutMs: number,
  attempt: () => Result<T, RecordFailure> | "busy",
): Promise<Result<T, RecordFailure>> {
  const { clock, timers } = environment;
  let outcome = attempt();
  if (outcome !== "busy") return outcome;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (let delayMs = FIRST_DELAY_MS; outcome === "busy"; delayMs *= 2) {
    if (clock.monotonicMs() >= deadlineMs) {
      return busy(`A lock was held elsewhere for ${timeoutMs} ms`);
    }
    await new Promise<void>((resolve) => {
      timers.after(Math.min(delayMs, DELAY_MAX_MS), resolve);
    });
    outcome = attempt();
  }
  return outcome;
}

interface Failed {
  readonly ok: false;
  readonly error: RecordFailure;
}

function fileFailure(error: TdbError): Failed {
  return err({ kind: "file", reason: error.reason, status: 0 });
}
function busy(reason: string): Failed {
  return err({ kind: "busy", reason, status: 0 });
}
function notAllowed(reason: string): Failed {
  return err({ kind: "not_allowed", reason, status: 0 });
}
