/**
 * Makes the file longer for a commit and what was added part of it, before the journal is in force: at each
 * point in between the file is a sound TDB with its old records, to us and to libtdb (docs/tdb.md, "Making
 * room"). Room that a commit has made and then failed is used by the next one.
 *
 * Must not: touch a record or a chain.
 */
import { tdbFailure } from "../errors.ts";
import {
  HEADER,
  RECORD,
  RECORD_BYTES,
  RECOVERY_INVALID_MAGIC,
  RECOVERY_MAGIC,
} from "../format/format.ts";
import { Space } from "../records/space.ts";
import type { Slice } from "../sliced.ts";
import type { TdbResult } from "../types.ts";
import { type AreaParts, type AreaPlan, journalSize, type Room } from "./area_plan.ts";
import type { Pausing } from "./durable_file.ts";
import { replayJournal } from "./replay.ts";
import { areaHeader, writeJournal } from "./write_journal.ts";

const DONE: TdbResult<void> = { ok: true, value: undefined };

export function* makeRoom(slice: Slice, parts: AreaParts, { end, room }: AreaPlan): Pausing {
  const doing = `make room for the journal of "${parts.space.path}"`;
  switch (room.kind) {
    case "area":
      return yield* areaUpToEnd(slice, parts, room, doing);
    case "free":
      return yield* freeUpToEnd(slice, parts, room, end, doing);
    case "zeros":
      return DONE;
  }
}

/** An area of zeros has no bytes and is none yet: the first one is led to before it has a length. */
function* areaUpToEnd(
  slice: Slice,
  { disk }: AreaParts,
  { area, isFirst }: Extract<Room, { kind: "area" }>,
  doing: string,
): Pausing {
  const extended = yield* disk.extend(slice, doing, area.offset + area.bytes);
  if (!extended.ok) return extended;
  // What leads to the new end comes when that is on disk.
  const extendedOnDisk = yield* disk.sync(slice, doing);
  if (!extendedOnDisk.ok) return extendedOnDisk;
  if (isFirst) {
    const linked = disk.writeWord(doing, HEADER.recoveryStart, area.offset);
    if (!linked.ok) return linked;
    const linkedOnDisk = yield* disk.sync(slice, doing);
    if (!linkedOnDisk.ok) return linkedOnDisk;
  }
  const empty = { end: 0, journalBytes: 0, magic: RECOVERY_INVALID_MAGIC };
  const placed = yield* disk.write(slice, doing, area.offset, areaHeader(area, empty));
  if (!placed.ok) return placed;
  return yield* disk.sync(slice, doing);
}

/** A journal of what is to be written, not of what was there: replaying it is what makes the free record. */
function* freeUpToEnd(
  slice: Slice,
  { space, base, disk }: AreaParts,
  { present: area, pieces }: Extract<Room, { kind: "free" }>,
  end: number,
  doing: string,
): Pausing {
  const needed = RECORD_BYTES + journalSize(undefined, area, pieces);
  if (area.bytes < needed) {
    return tdbFailure(
      "corrupt",
      `Cannot ${doing}: its recovery area has ${area.bytes} bytes, expected ${needed} at least`,
    );
  }
  const content = { area, end, magic: RECOVERY_INVALID_MAGIC, overlay: undefined, pieces };
  const journaled = yield* writeJournal(slice, disk, base, content, doing);
  if (!journaled.ok) return journaled;
  const extended = yield* disk.extend(slice, doing, end);
  if (!extended.ok) return extended;
  const synced = yield* disk.sync(slice, doing);
  if (!synced.ok) return synced;
  const magic = area.offset + RECORD.magic;
  const armed = disk.writeWord(doing, magic, RECOVERY_MAGIC);
  if (!armed.ok) return armed;
  const armedOnDisk = yield* disk.sync(slice, doing);
  if (!armedOnDisk.ok) {
    disk.writeWord(doing, magic, RECOVERY_INVALID_MAGIC);
    return armedOnDisk;
  }
  return yield* replayJournal(slice, new Space(base, space), disk);
}
