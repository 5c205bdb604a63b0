/**
 * Undoes a commit that was cut short: writes the journal's old contents back. The caller holds all
 * records and the open lock, for writing.
 *
 * Invariants:
 * 1. The journal stays valid, byte for byte, until everything is written back and on disk: a replay
 *    that is itself cut short can be repeated.
 * 2. A journal that does not make sense is refused before anything is written.
 * 3. What the transaction had added behind the old end becomes free space before that, and the area stays:
 *    nobody would know of them afterwards.
 */
import { tdbFailure } from "../errors.ts";
import {
  FREELIST_HEAD,
  RECORD,
  RECORD_BYTES,
  RECOVERY_INVALID_MAGIC,
  TAILER_BYTES,
} from "../format/format.ts";
import type { Pages } from "../records/pages.ts";
import type { Extent, Space } from "../records/space.ts";
import type { Slice } from "../sliced.ts";
import type { DurableFile, Pausing } from "./durable_file.ts";
import { freePieces, type Piece } from "./free_pieces.ts";
import {
  endOf,
  type Journal,
  type JournalEntry,
  journalWaits,
  outsideArea,
  outsidePointer,
  readJournal,
} from "./journal.ts";

/** `space.pages` are the file's own pages. Nothing to do when no journal waits. */
export function* replayJournal(slice: Slice, space: Space, disk: DurableFile): Pausing {
  const { pages, path } = space;
  pages.refresh();
  if (!journalWaits(pages)) return { ok: true, value: undefined };
  const journal = readJournal(pages, space.dataStart);
  if (typeof journal === "string") {
    return tdbFailure("corrupt", `Cannot undo the interrupted commit of "${path}": ${journal}`);
  }
  const doing = `undo the interrupted commit of "${path}"`;
  const restored = yield* restore(slice, space, disk, journal, doing);
  if (!restored.ok) return restored;
  const freed = yield* freeWhatWasAdded(slice, space, disk, journal, doing);
  if (!freed.ok) return freed;
  const ended = disk.writeWord(doing, journal.area.offset + RECORD.magic, RECOVERY_INVALID_MAGIC);
  if (!ended.ok) return ended;
  return yield* disk.sync(slice, doing);
}

function* restore(
  slice: Slice,
  space: Space,
  disk: DurableFile,
  journal: Journal,
  doing: string,
): Pausing {
  for (const entry of journal.entries) {
    for (const [offset, length] of toRestore(journal, entry)) {
      const source = entry.source + (offset - entry.target);
      const old = space.pages.view(source, length);
      const written = yield* disk.write(slice, doing, offset, old);
      if (!written.ok) return written;
    }
  }
  return { ok: true, value: undefined };
}

/**
 * libtdb journals whole blocks, which may hold an end of the area, or what leads to it: these must not be touched.
 */
function toRestore({ area }: Journal, { target, length }: JournalEntry) {
  const parts = outsideArea(area, target, length);
  return parts.flatMap(([from, bytes]) => [...outsidePointer(from, bytes)]);
}

/** Before and behind the area. An area that the transaction had made longer reaches past the old end. */
function placesAdded(pages: Pages, { area, oldSize }: Journal): Extent[] {
  const ends = [
    [oldSize, area.offset],
    [Math.max(oldSize, endOf(area)), pages.size],
  ] as const;
  return ends
    .map(([from, to]) => ({ offset: from, bytes: to - from }))
    .filter(({ bytes }) => bytes >= RECORD_BYTES + TAILER_BYTES);
}

/** With what is restored on disk at its end. */
function* freeWhatWasAdded(
  slice: Slice,
  { pages }: Space,
  disk: DurableFile,
  journal: Journal,
  doing: string,
): Pausing {
  const places = placesAdded(pages, journal);
  // The list begins there when a replay has come this far already and no entry has put its head back.
  const isDone = places.at(-1)?.offset === pages.word(FREELIST_HEAD);
  if (places.length === 0 || isDone) return yield* disk.sync(slice, doing);
  const pieces = freePieces(pages, places);
  for (const { offset, bytes } of pieces.slice(0, -1)) {
    const written = yield* disk.write(slice, doing, offset, bytes);
    if (!written.ok) return written;
  }
  const placed = yield* disk.sync(slice, doing);
  if (!placed.ok) return placed;
  const head = pieces.at(-1) as Piece;
  const listed = yield* disk.write(slice, doing, head.offset, head.bytes);
  if (!listed.ok) return listed;
  return yield* disk.sync(slice, doing);
}
