/**
 * Shows the record checker what recoveries do to the databases of a node: it stands between the daemon
 * and the controls of its database part, looks, and lets everything pass.
 */
import { ok } from "../../src/base/result.ts";
import type { Database } from "../../src/database/database.ts";
import type { DatabaseSet } from "../../src/database/database_set.ts";
import { withWholeDatabase } from "../../src/database/marked.ts";
import type { ControlHandlers } from "../../src/transport/control_request.ts";
import { type Content, type RecordChecker, readContent } from "./record_checker.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function watchRecoveries(checker: RecordChecker, pnn: number, set: DatabaseSet): void {
  const controls = set.controls as Mutable<ControlHandlers>;
  const byId = (dbId: number) => [...set.databases()].find((database) => database.dbId === dbId);

  const start = controls.DB_TRANSACTION_START;
  controls.DB_TRANSACTION_START = (request, from, later) => {
    const database = byId(request.db_id);
    const content = database === undefined ? undefined : frozenContent(database);
    if (database !== undefined && content !== undefined) {
      const counts = !database.invalidRecords;
      checker.joined(pnn, database.name, request.tid, counts ? content : undefined);
    }
    return start === undefined ? "later" : start(request, from, later);
  };

  const thaw = controls.DB_THAW;
  controls.DB_THAW = (dbId, from, later) => {
    const database = byId(dbId);
    const content = database === undefined ? undefined : frozenContent(database);
    const reply = thaw === undefined ? "later" : thaw(dbId, from, later);
    if (database !== undefined) report(checker, pnn, database, content);
    return reply;
  };

  const thawAll = set.thawAll.bind(set);
  set.thawAll = () => {
    const before = [...set.databases()].map((database) => [database, frozenContent(database)] as const);
    thawAll();
    for (const [database, content] of before) report(checker, pnn, database, content);
  };
}

/** undefined when the database is not frozen, or a commit is under way. */
function frozenContent(database: Database): Content | undefined {
  const { freeze, kind, tdb } = database;
  if (kind !== "volatile" || freeze.state !== "frozen" || freeze.transaction === "committing") {
    return undefined;
  }
  const read = withWholeDatabase(database, () => ok(readContent(tdb)));
  return read.ok ? read.value : undefined;
}

function report(
  checker: RecordChecker,
  pnn: number,
  database: Database,
  content: Content | undefined,
): void {
  if (content === undefined || database.freeze.state !== "thawed") return;
  checker.thawed(pnn, database.name, database.generation, content);
}
