/**
 * Where a commit's journal goes, and how the file gets room for it: the present recovery area, that one made
 * longer, or a new one at the end, with the space in between and the old area made free (docs/tdb.md,
 * "Making room").
 *
 * Must not: change the file; room.ts and commit.ts do.
 */
import { type TdbFailure, tdbFailure } from "../errors.ts";
import {
  alignUp,
  grownSize,
  HEADER,
  MAP_BYTES_MAX,
  RECORD_BYTES,
  SPLIT_REST_BYTES,
  TAILER_BYTES,
} from "../format/format.ts";
import type { FreeSpace } from "../records/freelist.ts";
import type { DirectPages } from "../records/pages.ts";
import { Space } from "../records/space.ts";
import type { DurableFile } from "./durable_file.ts";
import { freePieces, freeRecord, type Piece } from "./free_pieces.ts";
import {
  ENTRY_HEADER_BYTES,
  endOf,
  JOURNAL_END_BYTES,
  outsideArea,
  outsidePointer,
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

/**
 * What the space behind the last record is until the journal is in force: the end of the file, which holds
 * zeros; a recovery area up to the end, the present one made longer or the first; a free record, which a small
 * journal in the present area puts into the freelist.
 */
export type Room =
  | { readonly kind: "zeros" }
  | { readonly kind: "area"; readonly area: RecoveryArea; readonly isFirst: boolean }
  | { readonly kind: "free"; readonly present: RecoveryArea; readonly pieces: readonly Piece[] };

export interface AreaPlan {
  readonly area: RecoveryArea;
  /** Size of the map with everything that the commit adds. */
  readonly end: number;
  readonly room: Room;
  /** What the header leads to until then, when the area is another one: making it lead there arms the journal. */
  readonly movesFrom: number | undefined;
  /**
   * What undoing the commit writes after the old contents: added space and the former area are free records
   * then, so that the longer file is sound.
   */
  readonly pieces: readonly Piece[];
}

/** A little more than needed, so that the area is not moved by every somewhat larger commit. */
const AREA_SLACK_FACTOR = 1.25;
/** Enough for the commits of a few records, so that these go on when the disk is full. */
const AREA_BYTES_MIN = 128 * 1024;

export function planArea(parts: AreaParts): AreaPlan | TdbFailure {
  const { space, overlay, base } = parts;
  // The header's block changes if the area moves: count it.
  overlay.setWord(HEADER.recoveryStart, overlay.word(HEADER.recoveryStart));
  const present = recoveryArea(base);
  const oldEnd = new Space(base, space).endOfRecords();
  const grows = overlay.size > overlay.oldSize;
  if (present !== undefined) {
    const pieces = grows
      ? freePieces(base, [{ offset: oldEnd, bytes: overlay.size - oldEnd }])
      : [];
    const needed = journalSize(overlay, present, pieces);
    if (needed <= present.bytes - RECORD_BYTES) {
      const fits = { area: present, end: overlay.size, pieces };
      return { ...fits, room: { kind: "zeros" }, movesFrom: undefined };
    }
  }
  // Zeros that a killed process has left; a wipe may have taken them.
  const areLeft = !grows && space.endOfRecords() < overlay.size;
  const newEnd = areLeft ? oldEnd : overlay.size;
  const isLast = present === undefined || endOf(present) === oldEnd;
  if (!isLast || newEnd > oldEnd) return planMove(parts, present, oldEnd, newEnd);
  const area = areaFor(parts, present?.offset ?? oldEnd, []);
  if (!("bytes" in area)) return area;
  const room: Room = { kind: "area", area, isFirst: present === undefined };
  return { area, end: endOf(area), room, movesFrom: undefined, pieces: [] };
}

/** A new area behind everything. What lies between the ends of file and transaction was added. */
function planMove(
  parts: AreaParts,
  present: RecoveryArea | undefined,
  oldEnd: number,
  newEnd: number,
): AreaPlan | TdbFailure {
  const { overlay, base, free } = parts;
  let offset = newEnd;
  if (offset === oldEnd) {
    // The room has its header there, as a free record: the area must not lie over that.
    offset += SPLIT_REST_BYTES;
    const failed = offset > overlay.size ? overlay.grow(offset) : undefined;
    if (failed !== undefined) return { ok: false, error: failed };
    free.releaseRegion(oldEnd, offset - oldEnd);
  }
  const places = [{ offset: oldEnd, bytes: offset - oldEnd }];
  if (present !== undefined) {
    for (const { offset: at, bytes } of freeRecord(present, 0)) overlay.write(at, bytes);
    free.release(present.offset);
    places.push(present);
  }
  const pieces = freePieces(base, places);
  const area = areaFor(parts, offset, pieces);
  if (!("bytes" in area)) return area;
  const end = endOf(area);
  const from = present?.offset ?? oldEnd;
  const plan = { area, end, movesFrom: from, pieces };
  if (present !== undefined && endOf(present) < oldEnd) {
    const freed = freePieces(base, [{ offset: oldEnd, bytes: end - oldEnd }]);
    return { ...plan, room: { kind: "free", present, pieces: freed } };
  }
  const room = { offset: from, bytes: end - from };
  return { ...plan, room: { kind: "area", area: room, isFirst: present === undefined } };
}

/** The area that starts here and reaches to the new end of the file. */
function areaFor(
  { space, overlay }: AreaParts,
  offset: number,
  pieces: readonly Piece[],
): RecoveryArea | TdbFailure {
  const needed = journalSize(overlay, { offset, bytes: MAP_BYTES_MAX - offset }, pieces);
  const wanted = Math.max(alignUp(offset + areaBytes(needed), space.pageSize), overlay.size);
  const end = Math.min(wanted, MAP_BYTES_MAX - 3);
  if (end - offset < RECORD_BYTES + needed) {
    return tdbFailure("no_space", `"${space.path}" has no room for a journal below 4 GiB`);
  }
  overlay.setWord(HEADER.recoveryStart, offset);
  return { offset, bytes: end - offset };
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
  return growth + alignUp(SPLIT_REST_BYTES + areaBytes(journal), pageSize);
}

function areaBytes(journalBytes: number): number {
  return Math.max(RECORD_BYTES + Math.ceil(journalBytes * AREA_SLACK_FACTOR), AREA_BYTES_MIN);
}

type Range = readonly [offset: number, length: number];

/** What the commit will overwrite and must be able to put back. */
export function* journaledRanges(overlay: OverlayPages, area: RecoveryArea): Generator<Range> {
  for (let from = 0; from < overlay.oldSize; ) {
    const run = overlay.nextChange(from, overlay.oldSize);
    if (run === undefined) break;
    for (const [offset, length] of outsideArea(area, run.offset, run.bytes.length)) {
      yield* outsidePointer(offset, length);
    }
    from = run.offset + run.bytes.length;
  }
}

/** Bytes of a journal without its header. */
export function journalSize(
  overlay: OverlayPages | undefined,
  area: RecoveryArea,
  pieces: readonly Piece[],
): number {
  let bytes = JOURNAL_END_BYTES;
  if (overlay !== undefined) {
    for (const [, length] of journaledRanges(overlay, area)) bytes += ENTRY_HEADER_BYTES + length;
  }
  for (const piece of pieces) bytes += ENTRY_HEADER_BYTES + piece.bytes.length;
  return bytes;
}
