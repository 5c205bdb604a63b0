/**
 * Undoes a commit that was cut short: writes the journal's old contents back. The caller holds all
 * records and the open lock, for writing.
 *
 * Invariants:
 * 1. The journal stays valid, byte for byte, until everything is written back and on disk: a replay
 *    that is itself cut short can be repeated.
 * 2. A journal that does not make sense is refused before anything is written.
 * 3. What the transaction had added behind the old end becomes free space, last.
 */

import { tdbFailure } from "../errors.ts";
import { HEADER, RECORD, RECOVERY_INVALID_MAGIC } from "../format/format.ts";
import { FreeSpace } from "../records/freelist.ts";
import type { Space } from "../records/space.ts";
import type { Slice } from "../sliced.ts";
import type { DurableFile, Pausing } from "./durable_file.ts";
import { type Journal, journalWaits, outsideArea, readJournal } from "./journal.ts";

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
  const synced = yield* disk.sync(slice, doing);
  if (!synced.ok) return synced;
  const ended = yield* endJournal(slice, space, disk, journal, doing);
  if (!ended.ok) return ended;
  pages.refresh();
  // An area that the transaction had made longer reaches past the old end and stays.
  const { area, oldSize } = journal;
  const unused = area.offset < oldSize ? Math.max(oldSize, area.offset + area.bytes) : oldSize;
  if (pages.size > unused) new FreeSpace(space).releaseRegion(unused, pages.size - unused);
  return { ok: true, value: undefined };
}

function* restore(
  slice: Slice,
  space: Space,
  disk: DurableFile,
  journal: Journal,
  doing: string,
): Pausing {
  for (const entry of journal.entries) {
    // libtdb journals whole blocks, which may hold an end of the area: that must not be touched.
    for (const [offset, length] of outsideArea(journal.area, entry.target, entry.length)) {
      const source = entry.source + (offset - entry.target);
      const old = space.pages.view(source, length);
      const written = yield* disk.write(slice, doing, offset, old);
      if (!written.ok) return written;
    }
  }
  return { ok: true, value: undefined };
}

/** The area goes when it lies behind the old end. */
function* endJournal(
  slice: Slice,
  space: Space,
  disk: DurableFile,
  journal: Journal,
  doing: string,
): Pausing {
  const { area, oldSize } = journal;
  if (oldSize <= area.offset) {
    const removed = disk.writeWord(doing, HEADER.recoveryStart, 0);
    if (!removed.ok) return removed;
  } else if (space.pages.word(HEADER.recoveryStart) !== area.offset) {
    const kept = disk.writeWord(doing, HEADER.recoveryStart, area.offset);
    if (!kept.ok) return kept;
  }
  const magic = area.offset + RECORD.magic;
  const ended = disk.writeWord(doing, magic, RECOVERY_INVALID_MAGIC);
  if (!ended.ok) return ended;
  return yield* disk.sync(slice, doing);
}
