/** A scripted node with three databases that have names: a volatile one, a persistent one, and smbd's locks. */
import { TDB_FLAGS } from "../../src/tdb/types.ts";
import { EMPTY } from "../../src/wire/codec.ts";
import { DB_FLAGS } from "../../src/wire/constants.ts";
import type { FakeCtdbd } from "../support/fake_ctdbd.ts";

export const [VOLATILE, KEPT, LOCKS] = [1, 2, 3];
export const NAMES: ReadonlyMap<string, number> = new Map([
  ["v.tdb", VOLATILE],
  ["p.tdb", KEPT],
  ["g_lock.tdb", LOCKS],
] as [string, number][]);

/** What it says of them; their files are `/db/ID`. */
export function withNamedDatabases(ctdbd: FakeCtdbd): FakeCtdbd {
  return ctdbd
    .on("GET_DBMAP", () => ({
      data: [...NAMES.values()].map((id) => ({
        db_id: id,
        flags: id === KEPT ? DB_FLAGS.PERSISTENT : 0,
      })),
    }))
    .on("GET_DBNAME", (id) => ({ data: [...NAMES].find(([, each]) => each === id)?.[0] ?? "" }))
    .on("DB_ATTACH", (name) => ({ data: NAMES.get(name) ?? 0 }))
    .on("DB_ATTACH_PERSISTENT", (name) => ({ data: NAMES.get(name) ?? 0 }))
    .on("GETDBPATH", (id) => ({ data: `/db/${id}` }))
    .on("DB_GET_HEALTH", () => ({ data: EMPTY }))
    .on("DB_OPEN_FLAGS", () => ({ data: TDB_FLAGS.VOLATILE }));
}
