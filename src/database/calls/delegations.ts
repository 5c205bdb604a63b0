/**
 * Which nodes have a read-only copy of a record of which this node is data master: the tracking
 * database `<file>.RO` beside the database's own file (docs/database.md, "Read-only copies"). A record
 * there is a bitmap: bit n of byte n/8, the lowest first, for node n.
 *
 * Invariants:
 * 1. A delegate is written down before its copy leaves. One too many costs a message, one too few
 *    would be a copy that nobody revokes.
 * 2. Only this process uses the file, so nothing in it is locked and nothing waits.
 */
import { done, ok } from "../../base/result.ts";
import { TDB_FLAGS, type Tdb, type TdbOpener, type TdbResult } from "../../tdb/types.ts";

export const TRACKING_FLAGS = TDB_FLAGS.NOLOCK | TDB_FLAGS.CLEAR_IF_FIRST | TDB_FLAGS.NOSYNC;

export class Delegations {
  readonly #tdb: Tdb;
  /** Whether anything was written since the file was emptied. */
  #used = false;

  constructor(tdb: Tdb) {
    this.#tdb = tdb;
  }

  static open(tdbs: TdbOpener, databasePath: string, hashSize: number): TdbResult<Delegations> {
    const path = `${databasePath}.RO`;
    const opened = tdbs.open({ path, flags: TRACKING_FLAGS, hashSize, create: true, mode: 0o600 });
    return opened.ok ? ok(new Delegations(opened.value)) : opened;
  }

  add(key: Uint8Array, pnn: number): TdbResult<void> {
    const known = this.#tdb.fetch(key);
    if (!known.ok) return known;
    const at = pnn >>> 3;
    const bit = 1 << (pnn & 7);
    const before = known.value ?? new Uint8Array(0);
    if (((before[at] ?? 0) & bit) !== 0) return done;
    const bitmap = new Uint8Array(Math.max(at + 1, before.length));
    bitmap.set(before);
    bitmap[at] = (bitmap[at] ?? 0) | bit;
    this.#used = true;
    return this.#tdb.store(key, bitmap);
  }

  /** In ascending order. */
  delegates(key: Uint8Array): TdbResult<number[]> {
    const known = this.#tdb.fetch(key);
    if (!known.ok) return known;
    const pnns: number[] = [];
    known.value?.forEach((byte, at) => {
      for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) pnns.push(at * 8 + bit);
    });
    return ok(pnns);
  }

  remove(key: Uint8Array): TdbResult<void> {
    const removed = this.#tdb.delete(key);
    return removed.ok || removed.error.code === "missing" ? done : removed;
  }

  /** After a recovery: nobody has a copy any more. */
  clear(): TdbResult<void> {
    if (!this.#used) return done;
    const wiped = this.#tdb.wipe();
    if (wiped.ok) this.#used = false;
    return wiped;
  }

  close(): void {
    this.#tdb.close();
  }
}
