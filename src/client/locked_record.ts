/**
 * A record of a volatile database whose chain this process has locked (docs/client.md, "Records").
 *
 * Invariants:
 * 1. Until it is released the local copy is the cluster's record.
 * 2. The header is changed by `push` only; otherwise ctdbd alone moves rsn, dmaster and flags.
 */
import { assert } from "../base/assert.ts";
import { ok, type Result } from "../base/result.ts";
import { u64Add } from "../base/u64.ts";
import type { Tdb } from "../tdb/types.ts";
import { decodePadded, EMPTY, encode } from "../wire/codec.ts";
import { RECORD_FLAGS } from "../wire/constants.ts";
import { BROADCAST_ACTIVE } from "../wire/packet.ts";
import { LTDB_HEADER_BYTES, type LtdbHeader, ltdbHeader } from "../wire/structs/records.ts";
import type { AttachedDatabase } from "./database.ts";
import { notAllowed, type RecordEnvironment, type RecordFailure, whileBusy } from "./local_file.ts";
import type { CtdbClient } from "./types.ts";

const READONLY_COPY = RECORD_FLAGS.RO_HAVE_READONLY | RECORD_FLAGS.RO_HAVE_DELEGATIONS;

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
    return whileBusy(this.#environment, timeoutMs, () =>
      this.#tdb.storeParts(this.key, head, data),
    );
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

/** The header of a local copy that may be used for this access. */
export function usableHeader(
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
