/** Questions to the tables: ids first, as the indexes have them, then the events (journal_tables.ts, invariant 4). */
import { QUERY_EVENTS_MAX } from "../limits.ts";
import type { JournalQuery, KeptEvent, KeptKind } from "../types.ts";
import { type IdRange, runsOf } from "./chunk_runs.ts";
import type { JournalTables, Order, TimeRange } from "./journal_tables.ts";

export function findEvents(tables: JournalTables, query: JournalQuery): readonly KeptEvent[] {
  const order: Order = query.newestFirst === true ? "DESC" : "ASC";
  const limit = Math.max(0, Math.min(query.limit, QUERY_EVENTS_MAX));
  const times = timesOf(query);
  const ids: number[] = [];
  for (const range of rangesOf(tables, query, times)) {
    if (ids.length >= limit) break;
    ids.push(...idsOf(tables, range, times, query.kinds, order, limit - ids.length));
  }
  return ids.length === 0 ? [] : tables.events(ids, order);
}

function timesOf({ sinceUs, untilUs }: JournalQuery): TimeRange | undefined {
  if (sinceUs === undefined && untilUs === undefined) return undefined;
  return { sinceUs: sinceUs ?? 0, untilUs: untilUs ?? Number.MAX_SAFE_INTEGER };
}

/** In the order of the answer. */
function rangesOf(
  tables: JournalTables,
  query: JournalQuery,
  times: TimeRange | undefined,
): readonly IdRange[] {
  const all: IdRange = {
    first: (query.afterId ?? 0) + 1,
    last: (query.beforeId ?? Number.MAX_SAFE_INTEGER) - 1,
  };
  if (times === undefined) return [all];
  const runs = runsOf(tables.chunks(times, all), all);
  return query.newestFirst === true ? runs.toReversed() : runs;
}

function idsOf(
  tables: JournalTables,
  range: IdRange,
  times: TimeRange | undefined,
  kinds: readonly KeptKind[] | undefined,
  order: Order,
  limit: number,
): readonly number[] {
  if (kinds === undefined) return tables.ids(range, times, order, limit);
  const ids = [...new Set(kinds)].flatMap((kind) =>
    tables.idsOfKind(kind, range, times, order, limit),
  );
  const sign = order === "ASC" ? 1 : -1;
  return ids.sort((one, other) => sign * (one - other)).slice(0, limit);
}
