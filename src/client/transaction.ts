/**
 * One transaction on a persistent or replicated database, under the g_lock of the database (docs/client.md,
 * "Transactions").
 *
 * Invariants:
 * 1. A transaction reads what it has written itself, and else what is committed; nobody sees what it
 *    writes before its commit.
 * 2. A commit is all or nothing on all active nodes. It ends in success, in a failure that has changed
 *    nothing, or in "unknown": then it may be found committed later.
 * 3. A header carries the old sequence number of the record plus one, and our node as data master.
 * 4. The g_lock is given back however the transaction ends.
 */
import { err, ok, type Result } from "../base/result.ts";
import { sameBytes } from "../base/same_bytes.ts";
import { type U64, u64Add, u64Equal } from "../base/u64.ts";
import { EMPTY, encode, u64Codec } from "../wire/codec.ts";
import { DB_FLAGS, RECOVERY_ACTIVE, SEQUENCE_KEY } from "../wire/constants.ts";
import { NO_SPACE } from "../wire/controls.ts";
import { type LtdbHeader, ltdbHeader } from "../wire/structs/records.ts";
import type { AttachedDatabase } from "./database.ts";
import type { HeldLock, LockEnvironment } from "./g_lock.ts";
import type { RecordFailure } from "./local_file.ts";
import type { CtdbClient } from "./types.ts";

export interface TransactionFailure {
  readonly kind:
    | RecordFailure["kind"]
    /** The commit may be done, or may become done by a recovery that is still to come. */
    | "unknown"
    /** A node has no disk space for it; nothing has changed. */
    | "no_space"
    /** Somebody else has written what was read: without the lock, or on the other side of a partition. */
    | "conflict";
  readonly reason: string;
  readonly status: number;
}

const FIRST_RETRY_MS = 10;
const RETRY_MAX_MS = 1000;
/** A commit that is refused later than this had begun. */
const REFUSAL_MAX_MS = 5000;

/** For giving back the lock, however the transaction ends. */
export const CANCEL_TIMEOUT_MS = 10_000;

export interface StoredRecord {
  readonly header: LtdbHeader;
  readonly data: Uint8Array;
}

/** What is committed, in this node's copy. */
export interface CommittedRecords {
  readonly database: Pick<AttachedDatabase, "id" | "name" | "flags">;
  read(key: Uint8Array, timeoutMs: number): Promise<Result<StoredRecord, RecordFailure>>;
  sequenceNumber(timeoutMs: number): Promise<Result<U64, RecordFailure>>;
}

interface KeyedRecord extends StoredRecord {
  readonly key: Uint8Array;
}

export class Transaction {
  readonly #client: CtdbClient;
  readonly #environment: LockEnvironment;
  readonly #database: CommittedRecords;
  readonly #readonly: boolean;
  readonly #changes = new Map<string, KeyedRecord>();
  /** What was read, as it was then. */
  readonly #reads = new Map<string, KeyedRecord>();
  #lock: HeldLock | undefined;

  constructor(
    client: CtdbClient,
    environment: LockEnvironment,
    database: CommittedRecords,
    lock: HeldLock,
    readonly: boolean,
  ) {
    this.#client = client;
    this.#environment = environment;
    this.#database = database;
    this.#lock = lock;
    this.#readonly = readonly;
  }

  async fetch(key: Uint8Array, timeoutMs: number): Promise<Result<Uint8Array, TransactionFailure>> {
    const changed = this.#changes.get(mapKey(key));
    if (changed !== undefined) return ok(changed.data);
    const record = await this.#read(key, timeoutMs);
    return record.ok ? ok(record.value.data) : record;
  }

  async #read(
    key: Uint8Array,
    timeoutMs: number,
  ): Promise<Result<StoredRecord, TransactionFailure>> {
    const id = mapKey(key);
    const known = this.#reads.get(id);
    if (known !== undefined) return ok(known);
    const record = await this.#database.read(key, timeoutMs);
    if (record.ok) this.#reads.set(id, { key: key.slice(), ...record.value });
    return record;
  }

  async store(
    key: Uint8Array,
    data: Uint8Array,
    timeoutMs: number,
  ): Promise<Result<void, TransactionFailure>> {
    if (this.#readonly) return notAllowed("it was begun for reading");
    const id = mapKey(key);
    const old = await this.#read(key, timeoutMs);
    if (!old.ok) return old;
    if (sameBytes(old.value.data, data)) {
      this.#changes.delete(id);
      return ok(undefined);
    }
    const header = {
      ...old.value.header,
      rsn: u64Add(old.value.header.rsn, 1),
      dmaster: this.#client.pnn,
    };
    this.#changes.set(id, { key: key.slice(), header, data: data.slice() });
    return ok(undefined);
  }

  /** A deleted record stays as an empty one. */
  delete(key: Uint8Array, timeoutMs: number): Promise<Result<void, TransactionFailure>> {
    return this.store(key, EMPTY, timeoutMs);
  }

  /** Ends the transaction, whatever comes of it. */
  async commit(timeoutMs: number): Promise<Result<void, TransactionFailure>> {
    if (this.#lock === undefined) return notAllowed("it is over");
    const deadlineMs = this.#environment.clock.monotonicMs() + timeoutMs;
    const outcome = this.#readonly
      ? notAllowed("it was begun for reading")
      : await this.#commit(deadlineMs);
    await this.cancel(CANCEL_TIMEOUT_MS);
    return outcome;
  }

  /** Gives up what was not committed, and the lock. */
  async cancel(timeoutMs: number): Promise<void> {
    const lock = this.#lock;
    this.#lock = undefined;
    this.#changes.clear();
    this.#reads.clear();
    // A lock that cannot be given back is free when this process ends.
    await lock?.release(timeoutMs);
  }

  async #commit(deadlineMs: number): Promise<Result<void, TransactionFailure>> {
    const { clock } = this.#environment;
    const leftMs = (): number => Math.max(0, deadlineMs - clock.monotonicMs());
    // What is there already needs no commit, and no new number.
    if (this.#changes.size === 0) return this.#readsStillHold(leftMs());
    const before = await this.#database.sequenceNumber(leftMs());
    if (!before.ok) return before;
    const after = u64Add(before.value, 1);
    const numbered = await this.store(SEQUENCE_KEY, encode(u64Codec, after), leftMs());
    if (!numbered.ok) return numbered;
    const request = {
      db_id: this.#database.database.id,
      records: [...this.#changes.values()].map(({ key, header, data }) => ({
        reqid: 0,
        key,
        data: joined(encode(ltdbHeader, header), data),
      })),
    };
    let uncertain = false;
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(2 * delayMs, RETRY_MAX_MS)) {
      const unchanged = await this.#readsStillHold(leftMs());
      if (!unchanged.ok) return uncertain ? over(true, unchanged.error.reason, 0) : unchanged;
      const askedMs = clock.monotonicMs();
      const answer = await this.#client.control("TRANS3_COMMIT", request, {
        pnn: this.#client.pnn,
        timeoutMs: leftMs(),
      });
      if (answer.ok && answer.value.status === 0) return ok(undefined);
      // Refused at once: nothing was begun. Otherwise some nodes may have written.
      const refused = !answer.ok && answer.error.kind === "refused";
      if (!refused || clock.monotonicMs() - askedMs > REFUSAL_MAX_MS) uncertain = true;
      const reason = answer.ok ? `status ${answer.value.status}` : answer.error.reason;
      if (!answer.ok && !refused) return over(uncertain, reason, answer.error.status);
      if (!answer.ok && answer.error.status === -NO_SPACE && !uncertain) {
        return err({ kind: "no_space", reason, status: answer.error.status });
      }
      if (uncertain) await this.#recovered(deadlineMs);
      const now = await this.#database.sequenceNumber(leftMs());
      if (!now.ok) return over(uncertain, `${reason}; ${now.error.reason}`, 0);
      // Nothing of ours was begun before it is uncertain: then the number is somebody else's.
      if (uncertain && u64Equal(now.value, after)) return this.#wasCommitted(leftMs());
      if (!u64Equal(now.value, before.value)) return conflict(this.#database.database.name);
      if (leftMs() === 0) return over(uncertain, reason, answer.ok ? 0 : answer.error.status);
      await this.#pause(Math.min(delayMs, leftMs()));
    }
  }

  /**
   * The lock does not outlive every recovery: one that joins two sides of a partition keeps the content of
   * one of them, perhaps not of that in which this transaction began.
   */
  async #readsStillHold(timeoutMs: number): Promise<Result<void, TransactionFailure>> {
    for (const { key, header, data } of this.#reads.values()) {
      const now = await this.#database.read(key, timeoutMs);
      if (!now.ok) return now;
      if (u64Equal(now.value.header.rsn, header.rsn) && sameBytes(now.value.data, data)) continue;
      return conflict(this.#database.database.name);
    }
    return ok(undefined);
  }

  /**
   * The number alone does not tell whose commit it was: who lost the lock, because our node was out of
   * reach for a while, may have used the same one. Nor does the data: two that add one to the same
   * number write the same. The data master is the node of the one who wrote it, in a persistent database; a
   * recovery of a replicated one sets it to its leader.
   */
  async #wasCommitted(timeoutMs: number): Promise<Result<void, TransactionFailure>> {
    const keepsMaster = (this.#database.database.flags & DB_FLAGS.PERSISTENT) !== 0;
    for (const { key, header, data } of this.#changes.values()) {
      const found = await this.#database.read(key, timeoutMs);
      if (!found.ok) return over(true, found.error.reason, 0);
      const { rsn, dmaster } = found.value.header;
      const isOurs = u64Equal(rsn, header.rsn) && (!keepsMaster || dmaster === header.dmaster);
      if (!isOurs || !sameBytes(found.value.data, data)) {
        return conflict(this.#database.database.name);
      }
    }
    return ok(undefined);
  }

  /** What a node has counts only after the recovery that decides about it. */
  async #recovered(deadlineMs: number): Promise<void> {
    const { clock } = this.#environment;
    for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(2 * delayMs, RETRY_MAX_MS)) {
      const leftMs = deadlineMs - clock.monotonicMs();
      if (leftMs <= 0) return;
      const options = { pnn: this.#client.pnn, timeoutMs: leftMs };
      const mode = await this.#client.control("GET_RECMODE", undefined, options);
      if (!mode.ok || mode.value.status !== RECOVERY_ACTIVE) return;
      await this.#pause(Math.min(delayMs, leftMs));
    }
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#environment.timers.after(delayMs, resolve);
    });
  }
}

type Failed = { readonly ok: false; readonly error: TransactionFailure };

function notAllowed(why: string): Failed {
  return err({ kind: "not_allowed", reason: `The transaction cannot go on: ${why}`, status: 0 });
}

function over(uncertain: boolean, why: string, status: number): Failed {
  const kind = uncertain ? "unknown" : "timeout";
  return err({ kind, reason: `The transaction was not committed in time: ${why}`, status });
}

function conflict(name: string): Failed {
  const reason = `Others have changed "${name}" during the transaction`;
  return err({ kind: "conflict", reason, status: 0 });
}

function mapKey(key: Uint8Array): string {
  return Buffer.from(key).toString("latin1");
}

function joined(head: Uint8Array, data: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + data.length);
  whole.set(head);
  whole.set(data, head.length);
  return whole;
}
