/**
 * What is too old or too much goes, the oldest first, a chunk at a time.
 *
 * Invariants:
 * 1. The newest RETAIN_EVENTS_MIN events stay, whatever the clock and the limits say.
 * 2. One call is bounded work: one chunk, or some pages that go back to the disk.
 */
import { FREE_PAGES_SHARE, GIVEN_BACK_PAGES, RETAIN_EVENTS_MIN } from "../limits.ts";
import { chunkOf } from "./chunk_runs.ts";
import type { JournalTables } from "./journal_tables.ts";

export interface Retention {
  readonly ageMaxMs: number;
  /** Of the events and their indexes; the file may be larger for a while. */
  readonly bytesMax: number;
}

/** True when there is more to do. */
export function retainOnce(
  tables: JournalTables,
  { ageMaxMs, bytesMax }: Retention,
  nowUs: number,
): boolean {
  const pages = tables.number("PRAGMA page_count");
  const free = tables.number("PRAGMA freelist_count");
  const used = (pages - free) * tables.number("PRAGMA page_size");
  const end = chunkOf(tables.newestId() - RETAIN_EVENTS_MIN);
  const chunk =
    used > bytesMax
      ? tables.oldestChunk(end, undefined)
      : tables.oldestChunk(end, nowUs - ageMaxMs * 1000);
  if (chunk !== undefined) {
    tables.transaction(() => tables.dropChunk(chunk));
    return true;
  }
  if (free <= pages * FREE_PAGES_SHARE || free <= GIVEN_BACK_PAGES) return false;
  tables.giveBack(GIVEN_BACK_PAGES);
  return tables.number("PRAGMA freelist_count") < free;
}
