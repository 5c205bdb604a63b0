/**
 * Commits a transaction: journal first, then the changed blocks, each part synced before the next
 * begins (docs/tdb.md, "Transactions and the journal"). Runs in slices.
 *
 * Invariants:
 * 1. Until the journal's magic is on disk nothing of the old contents is overwritten except the
 *    recovery area and the header's pointer to it.
 * 2. Once the magic was written the commit ends in one of two ways: all blocks are in place and the
 *    magic is cleared, or the journal is replayed. If neither works the magic stays for others.
 * 3. The recovery area's own bytes are never part of a block that is written or journaled.
 *
 * Must not: take or release locks other than through `CommitLocks`.
 */
import type { DurableFile, Pausing } from "./durable_file.ts";
import { type TdbFailure, tdbFailure } from "./errors.ts";
import {
  alignUp,
  HEADER,
  MAP_BYTES_MAX,
  RECORD,
  RECORD_BYTES,
  RECOVERY_INVALID_MAGIC,
  RECOVERY_MAGIC,
} from "./format.ts";
import type { FreeSpace } from "./freelist.ts";
import {
  AREA_NEXT_WORD,
  ENTRY_HEADER_BYTES,
  JOURNAL_END_BYTES,
  outsideArea,
  type RecoveryArea,
  recoveryArea,
} from "./journal.ts";
import type { OverlayPages } from "./overlay.ts";
import type { DirectPages } from "./pages.ts";
import { replayJournal } from "./replay.ts";
import type { Slice } from "./sliced.ts";
import { Space } from "./space.ts";
import type { TdbResult } from "./types.ts";

/** The commit's own part of the locks; the rest was taken when the transaction began. */
export interface CommitLocks {
  /** From reading to writing all records, and the open lock. False: busy, nothing changed. */
  tryUpgrade(): TdbResult<boolean>;
}

export interface CommitParts {
  /** Its pages are the overlay. */
  readonly space: Space;
  readonly overlay: OverlayPages;
  readonly base: DirectPages;
  readonly free: FreeSpace;
  readonly disk: DurableFile;
  readonly locks: CommitLocks;
  /** From here on it cannot be cancelled. */
  writingBegins(): void;
}

const DONE: TdbResult<void> = { ok: true, value: undefined };
/** A little more than needed, so that the area is not moved by every somewhat larger commit. */
const AREA_SLACK_FACTOR = 1.25;
const NO_AREA: RecoveryArea = { offset: MAP_BYTES_MAX, bytes: 0 };

export function* commitTransaction(slice: Slice, parts: CommitParts): Pausing {
  if (parts.overlay.changedBlocks === 0) return DONE;
  for (;;) {
    const upgraded = parts.locks.tryUpgrade();
    if (!upgraded.ok) return upgraded;
    if (upgraded.value) break;
    yield "wait";
  }
  parts.writingBegins();
  const prepared = yield* prepare(slice, parts);
  if (!prepared.ok) return prepared;
  const area = prepared.value;
  const doing = `finish the commit of "${parts.space.path}"`;
  let outcome = yield* writeBlocks(slice, parts, area);
  if (outcome.ok) outcome = yield* parts.disk.sync(doing);
  const magic = area.offset + RECORD.magic;
  if (outcome.ok) outcome = parts.disk.writeWord(doing, magic, RECOVERY_INVALID_MAGIC);
  if (!outcome.ok) return yield* undo(slice, parts, outcome);
  return yield* parts.disk.sync(doing);
}

type Prepared = Generator<"more" | "wait", TdbResult<RecoveryArea>>;

/** Everything up to the valid journal on disk. */
function* prepare(slice: Slice, parts: CommitParts): Prepared {
  const { space, overlay, base, disk } = parts;
  const doing = `write the journal of "${space.path}"`;
  const planned = planArea(parts);
  if (!("area" in planned)) return planned;
  const { area, journalBytes } = planned;
  const end = Math.max(area.offset + area.bytes, overlay.size);
  const extended = yield* disk.extend(slice, `grow "${space.path}" for a commit`, end);
  if (!extended.ok) return extended;
  base.refresh();
  const header = areaHeader(area, journalBytes, overlay.oldSize);
  const headed = yield* disk.write(slice, doing, area.offset, header);
  if (!headed.ok) return headed;
  const pointed = disk.writeWord(doing, HEADER.recoveryStart, area.offset);
  if (!pointed.ok) return pointed;
  overlay.setWord(HEADER.recoveryStart, area.offset);
  const journaled = yield* writeJournal(slice, parts, area, doing);
  if (!journaled.ok) return journaled;
  const synced = yield* disk.sync(doing);
  if (!synced.ok) return synced;
  const armed = disk.writeWord(doing, area.offset + RECORD.magic, RECOVERY_MAGIC);
  if (!armed.ok) return armed;
  const armedOnDisk = yield* disk.sync(doing);
  if (armedOnDisk.ok) return { ok: true, value: area };
  // Not a block was overwritten yet: without the magic the file is as before.
  disk.writeWord(doing, area.offset + RECORD.magic, RECOVERY_INVALID_MAGIC);
  return armedOnDisk;
}

/** Finds room for the journal: the present area, that one made longer, or a new one at the end. */
function planArea(parts: CommitParts): { area: RecoveryArea; journalBytes: number } | TdbFailure {
  const { space, overlay, base, free } = parts;
  // The header's block will change if the area moves: count it now.
  overlay.setWord(HEADER.recoveryStart, overlay.word(HEADER.recoveryStart));
  const present = recoveryArea(base);
  let needed = journalSize(overlay, present ?? NO_AREA);
  if (present !== undefined && needed <= present.bytes - RECORD_BYTES) {
    return { area: present, journalBytes: needed };
  }
  let offset = overlay.size;
  if (present !== undefined && present.offset + present.bytes === overlay.size) {
    offset = present.offset;
  } else if (present !== undefined) {
    for (const [at, word] of freshFreeRecord(present)) overlay.setWord(at, word);
    free.release(present.offset);
    needed = journalSize(overlay, NO_AREA);
  }
  const wanted = RECORD_BYTES + Math.ceil(needed * AREA_SLACK_FACTOR);
  const end = Math.min(alignUp(offset + wanted, space.pageSize), MAP_BYTES_MAX - 3);
  if (end - offset < RECORD_BYTES + needed) {
    return tdbFailure("no_space", `"${space.path}" has no room for a journal below 4 GiB`);
  }
  return { area: { offset, bytes: end - offset }, journalBytes: needed };
}

/** The words by which a former area looks like a record that is about to be released. */
function freshFreeRecord(area: RecoveryArea): readonly (readonly [number, number])[] {
  return [
    [area.offset + RECORD.length, area.bytes - RECORD_BYTES],
    [area.offset + RECORD.keyLength, 0],
    [area.offset + RECORD.dataLength, 0],
    [area.offset + RECORD.hash, 0],
  ];
}

function journalSize(overlay: OverlayPages, area: RecoveryArea): number {
  let bytes = JOURNAL_END_BYTES;
  for (let from = 0; ; ) {
    const run = overlay.nextChange(from, overlay.oldSize);
    if (run === undefined) return bytes;
    for (const [, length] of outsideArea(area, run.offset, run.bytes.length)) {
      bytes += ENTRY_HEADER_BYTES + length;
    }
    from = run.offset + run.bytes.length;
    if (from >= overlay.oldSize) return bytes;
  }
}

function areaHeader(area: RecoveryArea, journalBytes: number, oldSize: number): Uint8Array {
  const words = new Uint32Array(RECORD_BYTES / 4);
  words[RECORD.next / 4] = AREA_NEXT_WORD;
  words[RECORD.length / 4] = area.bytes - RECORD_BYTES;
  words[RECORD.keyLength / 4] = oldSize;
  words[RECORD.dataLength / 4] = journalBytes;
  words[RECORD.magic / 4] = RECOVERY_INVALID_MAGIC;
  return new Uint8Array(words.buffer);
}

function* writeJournal(
  slice: Slice,
  parts: CommitParts,
  area: RecoveryArea,
  doing: string,
): Pausing {
  const { overlay, base, disk } = parts;
  let at = area.offset + RECORD_BYTES;
  for (let from = 0; from < overlay.oldSize; ) {
    const run = overlay.nextChange(from, overlay.oldSize);
    if (run === undefined) break;
    for (const [offset, length] of outsideArea(area, run.offset, run.bytes.length)) {
      const header = new Uint8Array(new Uint32Array([offset, length]).buffer);
      const headed = yield* disk.write(slice, doing, at, header);
      if (!headed.ok) return headed;
      const old = base.view(offset, length);
      const written = yield* disk.write(slice, doing, at + ENTRY_HEADER_BYTES, old);
      if (!written.ok) return written;
      at += ENTRY_HEADER_BYTES + length;
    }
    from = run.offset + run.bytes.length;
  }
  return disk.writeWord(doing, at, area.bytes);
}

function* writeBlocks(slice: Slice, parts: CommitParts, area: RecoveryArea): Pausing {
  const { overlay, disk, space } = parts;
  const doing = `write the transaction of "${space.path}"`;
  for (let from = 0; from < overlay.size; ) {
    const run = overlay.nextChange(from, overlay.size);
    if (run === undefined) break;
    for (const [offset, length] of outsideArea(area, run.offset, run.bytes.length)) {
      const start = offset - run.offset;
      const piece = run.bytes.subarray(start, start + length);
      const written = yield* disk.write(slice, doing, offset, piece);
      if (!written.ok) return written;
    }
    from = run.offset + run.bytes.length;
  }
  return DONE;
}

/** The blocks are half written: back to the old state, or leave the journal to the next opener. */
function* undo(slice: Slice, parts: CommitParts, failure: TdbFailure): Pausing {
  const { space, base, disk } = parts;
  const direct = new Space(base, space);
  const undone = yield* replayJournal(slice, direct, disk);
  if (undone.ok) return failure;
  return tdbFailure(
    failure.error.code,
    `${failure.error.reason}; undoing it failed too and is left to the next opener: ${undone.error.reason}`,
    failure.error.cause,
  );
}
