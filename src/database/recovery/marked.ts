/**
 * Work on a whole frozen database. Its allrecord lock is held by a lock wait; inside a transaction
 * nothing needs a lock, outside the lock counts as ours while the work runs (never between turns,
 * so that nobody else works under it).
 */
import type { TdbResult } from "../../tdb/types.ts";
import type { Database } from "../database.ts";

export function withWholeDatabase<T>(database: Database, work: () => TdbResult<T>): TdbResult<T> {
  const { tdb } = database;
  if (tdb.inTransaction) return work();
  const marked = tdb.markAll();
  if (!marked.ok) return marked;
  try {
    return work();
  } finally {
    tdb.unmarkAll();
  }
}
