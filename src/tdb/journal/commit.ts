/**
 * Commits a transaction: journal first, then the changed blocks, each part synced before the next
 * begins (docs/tdb.md, "Transactions and the journal"). Runs in slices.
 *
 * Invariants:
 * 1. Until the journal is in force on disk nothing of the old contents is overwritten except the
 *    recovery area; room.ts makes that longer, or makes free space of a longer end of the file.
 * 2. Once the journal is in force the commit ends in one of two ways: all blocks are in place and the
 *    magic is cleared, or the journal is replayed. If neither works the magic stays for others.
 * 3. The recovery area's own bytes are never part of a block that is written or journaled.
 *
 * Must not: take or release locks other than through `CommitLocks`.
 */
import type { CrashPoints } from "../../base/crash_points.ts";
import { type TdbFailure, tdbFailure } from "../errors.ts";
import { HEADER, RECORD, RECOVERY_INVALID_MAGIC, RECOVERY_MAGIC } from "../format/format.ts";
import { Space } from "../records/space.ts";
import type { Slice } from "../sliced.ts";
import type { TdbResult } from "../types.ts";
import { type AreaParts, planArea } from "./area_plan.ts";
import type { Pausing } from "./durable_file.ts";
import { outsideArea, type RecoveryArea } from "./journal.ts";
import { replayJournal } from "./replay.ts";
import { makeRoom } from "./room.ts";
import { writeJournal } from "./write_journal.ts";

/** The commit's own part of the locks; the rest was taken when the transaction began. */
export interface CommitLocks {
  /** From reading to writing all records, and the open lock. False: busy, nothing changed. */
  tryUpgrade(): TdbResult<boolean>;
}

export interface CommitParts extends AreaParts {
  readonly locks: CommitLocks;
  readonly crashPoints?: CrashPoints | undefined;
  /** From here on it cannot be cancelled. */
  writingBegins(): void;
}

const DONE: TdbResult<void> = { ok: true, value: undefined };

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
  const { crashPoints } = parts;
  crashPoints?.at("write-blocks", "before");
  let outcome = yield* writeBlocks(slice, parts, area);
  if (outcome.ok) outcome = yield* parts.disk.sync(slice, doing);
  crashPoints?.at("write-blocks", "after");
  const magic = area.offset + RECORD.magic;
  crashPoints?.at("disarm-journal", "before");
  if (outcome.ok) outcome = parts.disk.writeWord(doing, magic, RECOVERY_INVALID_MAGIC);
  crashPoints?.at("disarm-journal", "after");
  if (!outcome.ok) return yield* undo(slice, parts, outcome);
  return yield* parts.disk.sync(slice, doing);
}

type Prepared = Generator<"more" | "wait", TdbResult<RecoveryArea>>;

/** Everything up to the valid journal on disk. */
function* prepare(slice: Slice, parts: CommitParts): Prepared {
  const { space, base, disk, overlay } = parts;
  const doing = `write the journal of "${space.path}"`;
  const plan = planArea(parts);
  if (!("area" in plan)) return plan;
  const { area, end, movesFrom, pieces } = plan;
  const roomy = yield* makeRoom(slice, parts, plan);
  if (!roomy.ok) return roomy;
  base.refresh();
  const { crashPoints } = parts;
  crashPoints?.at("write-journal", "before");
  const magic = movesFrom === undefined ? RECOVERY_INVALID_MAGIC : RECOVERY_MAGIC;
  const content = { area, end, magic, overlay, pieces };
  const journaled = yield* writeJournal(slice, disk, base, content, doing);
  if (!journaled.ok) return journaled;
  // Last, if the room is not there yet: zeros at the end are in nobody's way as long as nobody adds to them.
  const extended = yield* disk.extend(slice, doing, end);
  if (!extended.ok) return extended;
  const synced = yield* disk.sync(slice, doing);
  if (!synced.ok) return synced;
  crashPoints?.at("write-journal", "after");
  crashPoints?.at("arm-journal", "before");
  const [at, armedBy, disarmedBy] =
    movesFrom === undefined
      ? [area.offset + RECORD.magic, RECOVERY_MAGIC, RECOVERY_INVALID_MAGIC]
      : [HEADER.recoveryStart, area.offset, movesFrom];
  const armed = disk.writeWord(doing, at, armedBy);
  if (!armed.ok) return armed;
  const armedOnDisk = yield* disk.sync(slice, doing);
  crashPoints?.at("arm-journal", "after");
  if (armedOnDisk.ok) return { ok: true, value: area };
  // Not a block was overwritten yet: with the journal out of force the file is as before.
  disk.writeWord(doing, at, disarmedBy);
  return armedOnDisk;
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
