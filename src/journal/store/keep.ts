/**
 * What of a batch is new, and what is missing before it.
 *
 *     kept 7, batch begins at 7   → its first event is known: left out
 *     kept 7, batch begins at 8   → all of it
 *     kept 7, batch begins at 11  → a gap of three, with the number 8, and all of it
 *
 * A gap has the number of the first event that is missing, so it has a place of its own. What a ring had that ended
 * before it was read to its end is a gap too, without a count, unless its ctdbd was told to shut down.
 */
import type { JournalBatch, JournalEntry } from "../../wire/journal_messages.ts";
import { processSchema, readEvent } from "../event_schemas.ts";
import type { GapEvent, KeptEvent } from "../types.ts";
import type { JournalTables, NewEvent, RingRow } from "./journal_tables.ts";

const OVERFLOW = "more happened than could wait to be kept";
const ENDED =
  "ctdbd ended before all that it had written down was kept: the last moments before it ended may be missing";
const NO_EVENT = "something was reported that is no event";

/** In one transaction. `lostFile`: why this file knows nothing of what was before, when it should. */
export function keepBatch(
  tables: JournalTables,
  batch: JournalBatch,
  lostFile: string | undefined,
): readonly KeptEvent[] {
  return tables.transaction(() => {
    const entries = batch.entries.map(readEntry);
    const known = tables.ring(batch.ring);
    const fresh = entries.slice(Math.max(0, (known?.kept ?? 0) + 1 - batch.first));
    if (fresh.length === 0) return [];
    const gaps = gapsBefore(tables, batch, known, lostFile);
    const ring = known ?? tables.addRing(batch.ring, batch.node);
    const place = { ring: ring.name, node: ring.node };
    const firstNumber = batch.first + entries.length - fresh.length;
    const timed = withTimes(fresh);
    const begin = timed[0] as TimedEntry;
    const events: NewEvent[] = [
      ...gaps.map((gap) => ({ ...begin, ...place, ...gap })),
      ...timed.map((entry, index) => ({ ...place, ...entry, number: firstNumber + index })),
    ];
    tables.setKept(ring, firstNumber + fresh.length - 1);
    return tables.insert(ring, events);
  });
}

interface Gap {
  readonly number: number;
  readonly event: GapEvent;
}

function gapsBefore(
  tables: JournalTables,
  { ring, first }: JournalBatch,
  known: RingRow | undefined,
  lostFile: string | undefined,
): readonly Gap[] {
  const gap = (number: number, missing: number | null, reason: string): Gap => ({
    number,
    event: { kind: "gap", missing, reason },
  });
  if (lostFile !== undefined) return [gap(first - 1, null, lostFile)];
  const gaps: Gap[] = [];
  const before = known === undefined ? tables.newestRing() : undefined;
  if (before !== undefined && before.name !== ring && !tables.ringHasKind(before, "shutdown")) {
    gaps.push(gap(0, null, ENDED));
  }
  const next = (known?.kept ?? 0) + 1;
  if (first > next) gaps.push(gap(next, first - next, OVERFLOW));
  return gaps;
}

type TimedEntry = Omit<NewEvent, "ring" | "node" | "number">;
type Times = Pick<NewEvent, "time_us" | "monotonic_ms" | "process">;
type ReadEntry = Partial<Times> & Pick<NewEvent, "event">;

/** Children's entries come as they sent them. */
function readEntry(entry: unknown): ReadEntry {
  const { time_us, monotonic_ms, process, event } = (entry ?? {}) as Partial<JournalEntry>;
  const read = readEvent(event);
  const gap = (reason: string): GapEvent => ({
    kind: "gap",
    missing: 1,
    reason: `${NO_EVENT}: ${reason}`,
  });
  const isProcess = (processSchema.options as readonly unknown[]).includes(process);
  return {
    ...(isTime(time_us) ? { time_us: Math.round(time_us) } : {}),
    ...(isTime(monotonic_ms) ? { monotonic_ms } : {}),
    ...(isProcess && process !== undefined ? { process } : {}),
    event: read.ok ? read.value : gap(read.error),
  };
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

/** What an entry does not say is as in the one before it, or the next that says it. */
function withTimes(entries: readonly ReadEntry[]): readonly TimedEntry[] {
  let last: Times = {
    time_us: entries.find(({ time_us }) => time_us !== undefined)?.time_us ?? 0,
    monotonic_ms: entries.find(({ monotonic_ms }) => monotonic_ms !== undefined)?.monotonic_ms ?? 0,
    process: "ctdbd",
  };
  return entries.map(({ event, ...said }) => {
    last = { ...last, process: "ctdbd", ...said };
    return { ...last, event };
  });
}
