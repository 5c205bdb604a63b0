/** Makes a database with the parts that work on it; nobody else knows which these are. */
import type { Tdb } from "../tdb/types.ts";
import { DatabaseRevokes } from "./calls/revoke.ts";
import { Database, type DatabaseIdentity } from "./database.ts";
import type { DatabaseHost } from "./host.ts";
import { DatabaseFreeze } from "./recovery/freeze.ts";
import { PersistentUpdates } from "./transactions/persistent_updates.ts";

export function createDatabase(
  host: DatabaseHost,
  identity: DatabaseIdentity,
  flags: number,
  tdb: Tdb,
): Database {
  return new Database(host, identity, flags, tdb, (database) => ({
    freeze: new DatabaseFreeze(host, database),
    updates: new PersistentUpdates(host, database),
    revokes: new DatabaseRevokes(host, database, database.waiting),
  }));
}
