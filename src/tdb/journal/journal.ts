/**
 * The recovery area: where a commit keeps the old contents of what it overwrites, so that whoever
 * finds a commit that was cut short can undo it (docs/tdb.md, "Transactions and the journal").
 *
 * A journal is a record header (length = capacity, data length = journal bytes, key length = old size
 * of the map, magic), then entries of offset, length, old bytes, then four bytes.
 *
 * Must not: write; commit.ts and replay.ts do.
 */
import {
  HEADER,
  RECORD,
  RECORD_BYTES,
  RECOVERY_INVALID_MAGIC,
  RECOVERY_MAGIC,
  TAILER_BYTES,
} from "../format/format.ts";
import type { Pages } from "../records/pages.ts";

export const ENTRY_HEADER_BYTES = 8;
/** Behind the last entry; libtdb puts a tailer there. */
export const JOURNAL_END_BYTES = 4;
export interface RecoveryArea {
  readonly offset: number;
  /** Bytes with header. */
  readonly bytes: number;
}

export function endOf({ offset, bytes }: RecoveryArea): number {
  return offset + bytes;
}

/** The area that the header names; undefined when there is none, or what is there is none. */
export function recoveryArea(pages: Pages): RecoveryArea | undefined {
  const offset = pages.word(HEADER.recoveryStart);
  if (offset === 0 || offset % 4 !== 0 || !pages.contains(offset, RECORD_BYTES)) return undefined;
  const magic = pages.word(offset + RECORD.magic);
  if (magic !== RECOVERY_MAGIC && magic !== RECOVERY_INVALID_MAGIC) return undefined;
  const length = pages.word(offset + RECORD.length);
  if (length < TAILER_BYTES || length % 4 !== 0) return undefined;
  const bytes = RECORD_BYTES + length;
  return pages.contains(offset, bytes) ? { offset, bytes } : undefined;
}

/** Does a commit that was cut short wait to be undone? */
export function journalWaits(pages: Pages): boolean {
  const offset = pages.word(HEADER.recoveryStart);
  if (offset === 0 || offset % 4 !== 0 || !pages.contains(offset, RECORD_BYTES)) return false;
  return pages.word(offset + RECORD.magic) === RECOVERY_MAGIC;
}

export interface JournalEntry {
  readonly target: number;
  /** Where the old bytes stand. */
  readonly source: number;
  readonly length: number;
}

export interface Journal {
  readonly area: RecoveryArea;
  /** Size of the map before the transaction. */
  readonly oldSize: number;
  readonly entries: readonly JournalEntry[];
}

/** The whole journal with every bound checked, or the reason why it cannot be used. */
export function readJournal(pages: Pages, dataStart: number): Journal | string {
  const area = recoveryArea(pages);
  if (area === undefined) return "its recovery area lies outside the file";
  const oldSize = pages.word(area.offset + RECORD.keyLength);
  const journalBytes = pages.word(area.offset + RECORD.dataLength);
  if (journalBytes > area.bytes - RECORD_BYTES)
    return "its journal is longer than its recovery area";
  if (oldSize < dataStart || oldSize % 4 !== 0 || !pages.contains(0, oldSize)) {
    return `its journal says that the map had ${oldSize} bytes`;
  }
  const entries: JournalEntry[] = [];
  const end = area.offset + RECORD_BYTES + journalBytes;
  let at = area.offset + RECORD_BYTES;
  while (at + ENTRY_HEADER_BYTES < end) {
    const [target, length] = entryHeader(pages, at);
    const source = at + ENTRY_HEADER_BYTES;
    if (source + length > end || !pages.contains(target, length)) {
      return `its journal has an entry of ${length} bytes for offset ${target}`;
    }
    entries.push({ target, source, length });
    at = source + length;
  }
  return { area, oldSize, entries };
}

/** Entries of odd length leave the following ones unaligned. */
function entryHeader(pages: Pages, at: number): [number, number] {
  if (at % 4 === 0) return [pages.word(at), pages.word(at + 4)];
  const header = pages.copy(at, ENTRY_HEADER_BYTES);
  const view = new DataView(header.buffer);
  return [view.getUint32(0, true), view.getUint32(4, true)];
}

/** The parts of a range that lie outside the area, as pairs of offset and length. */
export function outsideArea(
  area: RecoveryArea,
  offset: number,
  length: number,
): readonly (readonly [number, number])[] {
  const end = offset + length;
  const areaEnd = area.offset + area.bytes;
  if (end <= area.offset || offset >= areaEnd) return [[offset, length]];
  const parts: [number, number][] = [];
  if (offset < area.offset) parts.push([offset, area.offset - offset]);
  if (end > areaEnd) parts.push([areaEnd, end - areaEnd]);
  return parts;
}

/** The parts of a range without the word that leads to the journal: a replay that is cut short must find it again. */
export function outsidePointer(
  offset: number,
  length: number,
): readonly (readonly [number, number])[] {
  return outsideArea({ offset: HEADER.recoveryStart, bytes: 4 }, offset, length);
}
