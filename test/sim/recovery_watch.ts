/**
 * Shows the checkers what recoveries do to the databases of a node: it stands between the
 * daemon and its database part, looks, and lets everything pass.
 *
 * Whether the content of a node counts is judged here and not asked of the product: it does not from the moment in
 * which the node became inactive until a recovery commits on the active node, or until the product says that it does:
 * which it may as long as no recovery has committed on any of those that take part in the present one after the last that
 * did here, be it while the node was inactive.
 */
import { ok } from "../../src/base/result.ts";
import type { ControlHandlers } from "../../src/control/control_request.ts";
import type { Database } from "../../src/database/database.ts";
import type { DatabaseSet } from "../../src/database/database_set.ts";
import { withWholeDatabase } from "../../src/database/recovery/marked.ts";
import { type Content, type RecordChecker, readContent } from "./record_checker.ts";
import { groupContents, type TransactionChecker } from "./transaction_checker.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function watchRecoveries(
  checkers: { readonly records: RecordChecker; readonly transactions: TransactionChecker },
  node: {
    readonly pnn: number;
    readonly inactive: boolean;
    /** Those that have a place in the vnn map. */
    readonly map: readonly number[];
  },
  set: DatabaseSet,
): void {
  const { pnn } = node;
  const { records: checker, transactions } = checkers;
  const controls = set.controls as Mutable<ControlHandlers>;
  const byId = (dbId: number) => [...set.databases()].find((database) => database.dbId === dbId);
  const worthless = new Set<Database>();

  const invalidate = set.invalidateGenerations.bind(set);
  set.invalidateGenerations = () => {
    invalidate();
    checker.becameInactive(pnn);
    for (const database of set.databases()) worthless.add(database);
  };

  const mayCount = ({ name }: Database) => {
    const own = checker.lastCommit(pnn, name);
    return node.map.every((other) => checker.lastCommit(other, name) === own);
  };

  const start = controls.DB_TRANSACTION_START;
  controls.DB_TRANSACTION_START = (request, from, later) => {
    const started = () => {
      const database = byId(request.db_id);
      if (database === undefined || database.freeze.transaction !== "started") return;
      if (database.kind !== "volatile") {
        const group = wholeGroup(transactions, pnn, database);
        if (group !== undefined) transactions.joined(pnn, database.name, request.tid, group);
        return;
      }
      const content = wholeContent(database);
      if (content === undefined) return;
      if (!database.invalidRecords && mayCount(database)) worthless.delete(database);
      checker.joined(pnn, database.name, request.tid, {
        generation: database.generation,
        content: worthless.has(database) ? undefined : content,
      });
    };
    const reply = start?.(request, from, (answer) => {
      started();
      later(answer);
    });
    if (reply !== "later") started();
    return reply ?? "later";
  };

  const commit = controls.DB_TRANSACTION_COMMIT;
  controls.DB_TRANSACTION_COMMIT = (request, from, later) => {
    const replaced = byId(request.db_id);
    if (replaced?.freeze.transaction === "started" && replaced.kind !== "volatile") {
      const group = wholeGroup(transactions, pnn, replaced);
      if (group !== undefined) transactions.replaces(pnn, replaced.name, group);
    }
    const committed = (status: number) => {
      const database = byId(request.db_id);
      if (database === undefined || status !== 0) return;
      // Also one that was attached while the node was out of the cluster.
      checker.committed(pnn, database.name, request.tid);
      if (node.inactive) worthless.add(database);
      else worthless.delete(database);
    };
    const reply = commit?.(request, from, (answer) => {
      committed(answer.status);
      later(answer);
    });
    if (reply !== undefined && reply !== "later") committed(reply.status);
    return reply ?? "later";
  };

  /** Read after it: a thaw may undo the transaction of a second coordinator. */
  const thawed = (database: Database) => {
    if (database.freeze.state !== "thawed") return;
    if (database.kind !== "volatile") {
      const group = node.inactive ? undefined : wholeGroup(transactions, pnn, database);
      if (group === undefined) return;
      transactions.thawed(pnn, database.name, database.generation, group);
      return;
    }
    if (worthless.has(database)) return;
    const content = wholeContent(database);
    if (content !== undefined) checker.thawed(pnn, database.name, database.generation, content);
  };
  const isFrozen = ({ freeze }: Database) => freeze.state === "frozen";

  const thaw = controls.DB_THAW;
  controls.DB_THAW = (dbId, from, later) => {
    const database = byId(dbId);
    const wasFrozen = database !== undefined && isFrozen(database);
    const reply = thaw?.(dbId, from, later);
    if (wasFrozen) thawed(database);
    return reply ?? "later";
  };

  const thawAll = set.thawAll.bind(set);
  set.thawAll = () => {
    const frozen = [...set.databases()].filter(isFrozen);
    thawAll();
    for (const database of frozen) thawed(database);
  };
}

function wholeContent(database: Database): Content | undefined {
  const read = withWholeDatabase(database, () => ok(readContent(database.tdb)));
  return read.ok ? read.value : undefined;
}

/** The transaction that the keys of a locked database hold. */
function wholeGroup(
  checker: TransactionChecker,
  pnn: number,
  database: Database,
): number | undefined {
  const read = withWholeDatabase(database, () => ok(groupContents(database.tdb)));
  if (!read.ok || read.value === undefined) return undefined;
  return checker.oneContent(`${database.name} on node ${pnn}`, read.value);
}
