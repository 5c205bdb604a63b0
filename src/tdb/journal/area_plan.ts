/**
 * Where a commit's journal goes, and how the file is brought there: the present recovery area, that
 * one made longer, or a new one at the end, with the space in between and the old area made free.
 *
 * The file is changed here before the journal exists, so each step leaves it a sound TDB with its old
 * records: new records first, then the header's words that make them part of the file, in one write.
 * Undoing the commit leads back to that state: nothing is lost, and libtdb's check finds it sound. When a
 * step fails, what nothing leads to yet is taken back; only the file stays longer.
 *
 * Must not: touch a record or a chain.
 */

import { type TdbFailure, tdbFailure } from "../errors.ts";
import {
  alignUp,
  FREE_MAGIC,
  FREELIST_HEAD,
  grownSize,
  HEADER,
  MAP_BYTES_MAX,
  RECORD,
  RECORD_BYTES,
  RECOVERY_INVALID_MAGIC,
  TAILER_BYTES,
} from "../format/format.ts";
import type { FreeSpace } from "../records/freelist.ts";
import type { DirectPages } from "../records/pages.ts";
import { Space } from "../records/space.ts";
import type { Slice } from "../sliced.ts";
import type { TdbResult } from "../types.ts";
import type { DurableFile, Pausing } from "./durable_file.ts";
import {
  ENTRY_HEADER_BYTES,
  JOURNAL_END_BYTES,
  outsideArea,
  type RecoveryArea,
  recoveryArea,
} from "./journal.ts";
import type { OverlayPages } from "./overlay.ts";

/** The file and its new contents. */
export interface AreaParts {
  /** Its pages are the overlay. */
  readonly space: Space;
  readonly overlay: OverlayPages;
  readonly base: DirectPages;
  readonly free: FreeSpace;
  readonly disk: DurableFile;
}

export interface AreaPlan {
  readonly area: RecoveryArea;
  readonly journalBytes: number;
  /** Size of the map with everything that the commit adds. */
  readonly end: number;
  /** What the transaction, or a killed process, has added behind the last record (0 bytes: nothing). */
  readonly added: RecoveryArea;
  /** The former area, when a new one is needed. */
  readonly former: RecoveryArea | undefined;
}

const DONE: TdbResult<void> = { ok: true, value: undefined };
/** A little more than needed, so that the area is not moved by every somewhat larger commit. */
const AREA_SLACK_FACTOR = 1.25;
/** Enough for the commits of a few records, so that these go on when the disk is full. */
const AREA_BYTES_MIN = 128 * 1024;
const NO_AREA: RecoveryArea = { offset: MAP_BYTES_MAX, bytes: 0 };

export function planArea(parts: AreaParts): AreaPlan | TdbFailure {
  const { space, overlay, base, free } = parts;
  // The header's block changes if the area moves: count it.
  overlay.setWord(HEADER.recoveryStart, overlay.word(HEADER.recoveryStart));
  const present = recoveryArea(base);
  const oldEnd = new Space(base, space).endOfRecords();
  let added = { offset: oldEnd, bytes: overlay.size - oldEnd };
  if (overlay.size === overlay.oldSize) added = { offset: oldEnd, bytes: 0 };
  let needed = journalSize(overlay, present ?? NO_AREA, added);
  if (present !== undefined && needed <= present.bytes - RECORD_BYTES) {
    const end = overlay.size;
    return { area: present, journalBytes: needed, end, added, former: undefined };
  }
  const grows = present !== undefined && present.offset + present.bytes === overlay.size;
  const offset = grows ? present.offset : overlay.size;
  const former = grows ? undefined : present;
  if (former !== undefined) {
    for (const [at, word] of freeHeader(former, 0)) overlay.setWord(at, word);
    free.release(former.offset);
  }
  if (!grows && oldEnd < overlay.size) {
    // A wipe has taken what was left there already.
    const isLeft = added.bytes === 0 && space.endOfRecords() < overlay.size;
    if (isLeft) free.releaseRegion(oldEnd, overlay.size - oldEnd);
    added = { offset: oldEnd, bytes: overlay.size - oldEnd };
  }
  if (!grows) needed = journalSize(overlay, NO_AREA, added);
  const wanted = areaBytes(needed);
  const end = Math.min(alignUp(offset + wanted, space.pageSize), MAP_BYTES_MAX - 3);
  if (end - offset < RECORD_BYTES + needed) {
    return tdbFailure("no_space", `"${space.path}" has no room for a journal below 4 GiB`);
  }
  overlay.setWord(HEADER.recoveryStart, offset);
  const area = { offset, bytes: end - offset };
  return { area, journalBytes: needed, end, added, former };
}

/** Blocks that storing a record changes: its own, its chain's head, neighbours in chain and freelist. */
const BLOCKS_PER_RECORD = 6;
/** The file's header, the freelist's head, the ends of the areas. */
const BLOCKS_PER_COMMIT = 6;
/** How far the freelist is looked through for one that is large enough. */
const FREELIST_STEPS_MAX = 1000;

/**
 * By how much the file may grow when a transaction stores so many records with so many bytes in all. What it
 * stores fits into one free record, or the file grows for it; likewise its journal.
 */
export function commitGrowthMax(
  space: Space,
  free: FreeSpace,
  records: number,
  bytes: number,
): number {
  const { pages, pageSize } = space;
  const stored = Math.ceil(bytes * AREA_SLACK_FACTOR) + records * (RECORD_BYTES + TAILER_BYTES);
  const fits = free.hasBlock(stored, FREELIST_STEPS_MAX);
  const growth = fits ? 0 : grownSize(pages.size, stored, pageSize) - pages.size;
  const blocks = records * BLOCKS_PER_RECORD + BLOCKS_PER_COMMIT;
  const changed = stored + blocks * (pageSize + ENTRY_HEADER_BYTES);
  const journal = RECORD_BYTES + Math.min(pages.size + growth, changed);
  const present = recoveryArea(pages);
  if (present !== undefined && present.bytes >= journal) return growth;
  return growth + alignUp(areaBytes(journal), pageSize);
}

function areaBytes(journalBytes: number): number {
  return Math.max(RECORD_BYTES + Math.ceil(journalBytes * AREA_SLACK_FACTOR), AREA_BYTES_MIN);
}

/** The words of a free record in this place. */
function freeHeader(place: RecoveryArea, next: number): readonly (readonly [number, number])[] {
  return [
    [place.offset, next],
    [place.offset + RECORD.length, place.bytes - RECORD_BYTES],
    [place.offset + RECORD.keyLength, 0],
    [place.offset + RECORD.dataLength, 0],
    [place.offset + RECORD.hash, 0],
    [place.offset + RECORD.magic, FREE_MAGIC],
  ];
}

type Range = readonly [offset: number, length: number];

/** What the commit will overwrite and must be able to put back. */
export function* journaledRanges(
  overlay: OverlayPages,
  plan: Pick<AreaPlan, "area" | "added">,
): Generator<Range> {
  for (let from = 0; from < overlay.oldSize; ) {
    const run = overlay.nextChange(from, overlay.oldSize);
    if (run === undefined) break;
    yield* outsideArea(plan.area, run.offset, run.bytes.length);
    from = run.offset + run.bytes.length;
  }
  const { added } = plan;
  if (added.bytes === 0) return;
  // The free record that the added space is until the commit is done.
  yield [added.offset, RECORD_BYTES];
  yield [added.offset + added.bytes - TAILER_BYTES, TAILER_BYTES];
}

function journalSize(overlay: OverlayPages, area: RecoveryArea, added: RecoveryArea): number {
  let bytes = JOURNAL_END_BYTES;
  for (const [, length] of journaledRanges(overlay, { area, added })) {
    bytes += ENTRY_HEADER_BYTES + length;
  }
  return bytes;
}

/** Grows the file and makes the area, what was added and the former area part of it. */
export function* placeArea(slice: Slice, parts: AreaParts, plan: AreaPlan): Pausing {
  const { space, base, disk } = parts;
  const { area, added, former } = plan;
  const doing = `make room for the journal of "${space.path}"`;
  const extended = yield* disk.extend(slice, doing, plan.end);
  if (!extended.ok) return extended;
  const moves = base.word(HEADER.recoveryStart) !== area.offset;
  let head = base.word(FREELIST_HEAD);
  const records = [{ offset: area.offset, bytes: areaHeader(plan) }];
  if (added.bytes > 0) {
    records.push(...freeRecord(added, head));
    head = added.offset;
  }
  if (former !== undefined) {
    records.push(...freeRecord(former, head));
    head = former.offset;
  }
  base.refresh();
  const before = records.map(({ offset, bytes }) => base.copy(offset, bytes.length));
  const placed = yield* writePlaces(slice, parts, records, { doing, moves, added, area, head });
  if (!placed.ok) {
    // Nothing leads there: what follows the last record must be as it was, or it passes for a record.
    for (const [at, { offset }] of records.entries()) base.write(offset, before[at] as Uint8Array);
    return placed;
  }
  // The header before the journal fills the area: after a power failure nothing of it lies about.
  return moves || added.bytes > 0 ? yield* disk.sync(slice, doing) : DONE;
}

/** The records, then what leads to them. */
function* writePlaces(
  slice: Slice,
  { base, disk }: AreaParts,
  records: readonly { readonly offset: number; readonly bytes: Uint8Array }[],
  how: {
    readonly doing: string;
    readonly moves: boolean;
    readonly added: RecoveryArea;
    readonly area: RecoveryArea;
    readonly head: number;
  },
): Pausing {
  const { doing, moves, added, area, head } = how;
  for (const { offset, bytes } of records) {
    const written = yield* disk.write(slice, doing, offset, bytes);
    if (!written.ok) return written;
  }
  if (!moves && added.bytes === 0) return DONE;
  // On disk before the header leads to it.
  const synced = yield* disk.sync(slice, doing);
  if (!synced.ok) return synced;
  const header = base.copy(HEADER.recoveryStart, FREELIST_HEAD + 4 - HEADER.recoveryStart);
  const words = new Uint32Array(header.buffer);
  words[0] = area.offset;
  words[words.length - 1] = head;
  return yield* disk.write(slice, doing, HEADER.recoveryStart, header);
}

function freeRecord(place: RecoveryArea, next: number): { offset: number; bytes: Uint8Array }[] {
  const header = new Uint32Array(freeHeader(place, next).map(([, word]) => word));
  const tailer = new Uint32Array([place.bytes]);
  return [
    { offset: place.offset, bytes: new Uint8Array(header.buffer) },
    { offset: place.offset + place.bytes - TAILER_BYTES, bytes: new Uint8Array(tailer.buffer) },
  ];
}

function areaHeader(plan: AreaPlan): Uint8Array {
  const words = new Uint32Array(RECORD_BYTES / 4);
  words[RECORD.length / 4] = plan.area.bytes - RECORD_BYTES;
  // The map's size after undoing: with all that was added, as it is part of the file by then.
  words[RECORD.keyLength / 4] = plan.end;
  words[RECORD.dataLength / 4] = plan.journalBytes;
  words[RECORD.magic / 4] = RECOVERY_INVALID_MAGIC;
  return new Uint8Array(words.buffer);
}
