/**
 * Persistent and replicated databases: every node has every record, read in the local file and
 * written by transactions (docs/client.md, "Transactions").
 */
import { err, ok, type Result } from "../base/result.ts";
import { type U64, U64_ZERO } from "../base/u64.ts";
import type { Tdb } from "../tdb/types.ts";
import { decodeExact, EMPTY, u64Codec } from "../wire/codec.ts";
import { DB_FLAGS, SEQUENCE_KEY } from "../wire/constants.ts";
import { LTDB_HEADER_BYTES, type LtdbHeader, ltdbHeader } from "../wire/structs/records.ts";
import { type AttachedDatabase, attachDatabase } from "./database.ts";
import { GlobalLocks, type LockEnvironment } from "./g_lock.ts";
import { notAllowed, openAttachedFile, type RecordFailure, whileBusy } from "./local_file.ts";
import {
  CANCEL_TIMEOUT_MS,
  type StoredRecord,
  Transaction,
  type TransactionFailure,
} from "./transaction.ts";
import type { CtdbClient } from "./types.ts";

export interface TransactionOptions {
  /** For the lock. */
  readonly timeoutMs: number;
  /** Excludes writers only, and nothing can be stored. */
  readonly readonly?: boolean;
}

const NO_DMASTER = 0xffffffff;
const NO_HEADER: LtdbHeader = { rsn: U64_ZERO, dmaster: NO_DMASTER, reserved1: 0, flags: 0 };

/** Attaches, opens the file for reading, and opens the database of locks. `flags`: PERSISTENT or REPLICATED. */
export async function openPersistentDatabase(
  client: CtdbClient,
  environment: LockEnvironment,
  name: string,
  flags: number,
  timeoutMs: number,
): Promise<Result<PersistentDatabase, RecordFailure>> {
  const attached = await attachDatabase(client, name, flags, timeoutMs);
  if (!attached.ok) return attached;
  return openPersistent(client, environment, attached.value, timeoutMs);
}

export async function openPersistent(
  client: CtdbClient,
  environment: LockEnvironment,
  database: AttachedDatabase,
  timeoutMs: number,
): Promise<Result<PersistentDatabase, RecordFailure>> {
  if ((database.flags & (DB_FLAGS.PERSISTENT | DB_FLAGS.REPLICATED)) === 0) {
    return notAllowed(`The database "${database.name}" is volatile: it has no transactions`);
  }
  const file = await openAttachedFile(environment, database, timeoutMs);
  if (!file.ok) return file;
  const locks = await GlobalLocks.open(client, environment, timeoutMs);
  if (!locks.ok) {
    file.value.close();
    return locks;
  }
  return ok(new PersistentDatabase(client, environment, database, file.value, locks.value));
}

export class PersistentDatabase {
  readonly database: AttachedDatabase;
  readonly #client: CtdbClient;
  readonly #environment: LockEnvironment;
  readonly #tdb: Tdb;
  readonly #locks: GlobalLocks;

  constructor(
    client: CtdbClient,
    environment: LockEnvironment,
    database: AttachedDatabase,
    tdb: Tdb,
    locks: GlobalLocks,
  ) {
    this.#client = client;
    this.#environment = environment;
    this.database = database;
    this.#tdb = tdb;
    this.#locks = locks;
  }

  /** What is committed; empty for a key that is not there. Waits while a recovery has the file. */
  async fetch(key: Uint8Array, timeoutMs: number): Promise<Result<Uint8Array, RecordFailure>> {
    const record = await this.read(key, timeoutMs);
    return record.ok ? ok(record.value.data) : record;
  }

  /** Number of the last commit, of this node's copy. */
  async sequenceNumber(timeoutMs: number): Promise<Result<U64, RecordFailure>> {
    const data = await this.fetch(SEQUENCE_KEY, timeoutMs);
    if (!data.ok) return data;
    if (data.value.length === 0) return ok(U64_ZERO);
    const number = decodeExact(u64Codec, data.value);
    if (number.ok) return number;
    const reason = `The sequence number of "${this.database.name}" has ${data.value.length} bytes, expected 8`;
    return err({ kind: "file", reason, status: 0 });
  }

  async begin(options: TransactionOptions): Promise<Result<Transaction, RecordFailure>> {
    const { id } = this.database;
    const name = `transaction_db_0x${id.toString(16).padStart(8, "0")}`;
    const type = options.readonly === true ? "read" : "write";
    const lock = await this.#locks.lock(name, type, id, options.timeoutMs);
    if (!lock.ok) return lock;
    return ok(new Transaction(this.#client, this.#environment, this, lock.value, type === "read"));
  }

  /**
   * One transaction around `change`, which stores; it is cancelled when `change` fails or throws.
   * `timeoutMs` is for the whole.
   */
  async transact<T>(
    timeoutMs: number,
    change: (transaction: Transaction) => Promise<Result<T, TransactionFailure>>,
  ): Promise<Result<T, TransactionFailure>> {
    const { clock } = this.#environment;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const leftMs = (): number => Math.max(0, deadlineMs - clock.monotonicMs());
    const begun = await this.begin({ timeoutMs });
    if (!begun.ok) return begun;
    const transaction = begun.value;
    try {
      const changed = await change(transaction);
      if (!changed.ok) return changed;
      const committed = await transaction.commit(leftMs());
      return committed.ok ? changed : committed;
    } finally {
      await transaction.cancel(CANCEL_TIMEOUT_MS);
    }
  }

  close(): void {
    this.#locks.close();
    this.#tdb.close();
  }

  /** For transactions: the record with its header. */
  async read(key: Uint8Array, timeoutMs: number): Promise<Result<StoredRecord, RecordFailure>> {
    const fetched = await whileBusy(this.#environment, timeoutMs, () => this.#tdb.fetch(key));
    if (!fetched.ok) return fetched;
    const value = fetched.value ?? EMPTY;
    const header = decodeExact(ltdbHeader, value.subarray(0, LTDB_HEADER_BYTES));
    if (!header.ok) return ok({ header: NO_HEADER, data: EMPTY });
    return ok({ header: header.value, data: value.subarray(LTDB_HEADER_BYTES) });
  }
}
