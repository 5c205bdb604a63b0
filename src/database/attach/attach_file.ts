/** The file of a database as its kind wants it opened (docs/database.md, "Attach"). */
import { ok } from "../../base/result.ts";
import { TDB_FLAGS, type Tdb, type TdbResult } from "../../tdb/types.ts";
import type { DatabaseIdentity, DatabaseKind } from "../database.ts";
import type { DatabaseHost } from "../host.ts";
import { runTdbWork } from "../slices.ts";

/**
 * One attempt, in slices. "busy" also for a file that has to be empty and is not, because it is still open in a process of
 * an earlier ctdbd.
 */
export function openDatabaseFile(
  host: DatabaseHost,
  { kind, path }: DatabaseIdentity,
  tried: (outcome: TdbResult<Tdb>) => void,
): { cancel(): void } {
  const work = host.tdbs.openInSlices({
    path,
    flags: tdbFlags(host, kind),
    hashSize: host.tunable("DatabaseHashSize"),
    create: true,
    mode: 0o600,
  });
  const run = runTdbWork(host, "open", work, (opened) => {
    tried(opened.ok && kind !== "persistent" ? emptyOnly(opened.value) : opened);
  });
  return {
    cancel() {
      run.cancel();
      work.cancel();
    },
  };
}

function emptyOnly(tdb: Tdb): TdbResult<Tdb> {
  if (tdb.nextUsedChain(0) >= tdb.hashSize) return ok(tdb);
  const holder = tdb.otherUser();
  tdb.close();
  const reason = "another process holds the file, which is not empty";
  return { ok: false, error: { code: "busy", reason, ...(holder !== undefined && { holder }) } };
}

function tdbFlags(host: DatabaseHost, kind: DatabaseKind): number {
  if (kind === "persistent") return TDB_FLAGS.DISALLOW_NESTING;
  const flags =
    TDB_FLAGS.NOSYNC |
    TDB_FLAGS.CLEAR_IF_FIRST |
    TDB_FLAGS.INCOMPATIBLE_HASH |
    TDB_FLAGS.DISALLOW_NESTING;
  const mutexes = kind === "volatile" && host.tdbMutexes && host.tdbs.mutexesWork;
  return mutexes ? flags | TDB_FLAGS.MUTEX_LOCKING : flags;
}
