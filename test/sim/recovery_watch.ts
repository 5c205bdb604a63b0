/**
 * Shows the record checker what recoveries do to the databases of a node: it stands between the
 * daemon and its database part, looks, and lets everything pass.
 *
 * Whether the content of a node counts is judged here and not asked of the product: it does not
 * from the moment in which the node became inactive until the database thaws on an active node. A
 * recovery that was under way may thaw it on an inactive node, too: then it may count or not.
 */
import { ok } from "../../src/base/result.ts";
import type { Database } from "../../src/database/database.ts";
import type { DatabaseSet } from "../../src/database/database_set.ts";
import { withWholeDatabase } from "../../src/database/marked.ts";
import type { ControlHandlers } from "../../src/transport/control_request.ts";
import { type Content, type RecordChecker, readContent } from "./record_checker.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function watchRecoveries(
  checker: RecordChecker,
  node: { readonly pnn: number; readonly inactive: boolean },
  set: DatabaseSet,
): void {
  const { pnn } = node;
  const controls = set.controls as Mutable<ControlHandlers>;
  const byId = (dbId: number) => [...set.databases()].find((database) => database.dbId === dbId);
  const worthless = new Set<Database>();
  /** Thawed while the node was inactive. */
  const doubtful = new Set<Database>();

  const invalidate = set.invalidateGenerations.bind(set);
  set.invalidateGenerations = () => {
    invalidate();
    checker.becameInactive(pnn);
    for (const database of set.databases()) worthless.add(database);
  };

  const start = controls.DB_TRANSACTION_START;
  controls.DB_TRANSACTION_START = (request, from, later) => {
    const started = () => {
      const database = byId(request.db_id);
      if (database?.kind !== "volatile" || database.freeze.transaction !== "started") return;
      const content = frozenContent(database);
      if (content === undefined) return;
      checker.joined(pnn, database.name, request.tid, {
        generation: database.generation,
        content: worthless.has(database) ? undefined : content,
        doubtful: doubtful.has(database),
      });
    };
    const reply = start?.(request, from, (answer) => {
      started();
      later(answer);
    });
    if (reply !== "later") started();
    return reply ?? "later";
  };

  const report = (database: Database, content: Content | undefined) => {
    if (content === undefined || database.freeze.state !== "thawed") return;
    worthless.delete(database);
    if (node.inactive) doubtful.add(database);
    else doubtful.delete(database);
    checker.thawed(pnn, database.name, database.generation, content);
  };

  const thaw = controls.DB_THAW;
  controls.DB_THAW = (dbId, from, later) => {
    const database = byId(dbId);
    const content = database === undefined ? undefined : contentToThaw(database);
    const reply = thaw?.(dbId, from, later);
    if (database !== undefined) report(database, content);
    return reply ?? "later";
  };

  const thawAll = set.thawAll.bind(set);
  set.thawAll = () => {
    const before = [...set.databases()].map(
      (database) => [database, contentToThaw(database)] as const,
    );
    thawAll();
    for (const [database, content] of before) report(database, content);
  };
}

/** What a thaw would make valid; undefined when it is none, or undoes a transaction. */
function contentToThaw(database: Database): Content | undefined {
  const { freeze, kind } = database;
  if (kind !== "volatile" || freeze.state !== "frozen" || freeze.transaction !== "none") {
    return undefined;
  }
  return frozenContent(database);
}

function frozenContent(database: Database): Content | undefined {
  const read = withWholeDatabase(database, () => ok(readContent(database.tdb)));
  return read.ok ? read.value : undefined;
}
