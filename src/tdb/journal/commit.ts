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
import type { CrashPoints } from "../../base/crash_points.ts";
import { type TdbFailure, tdbFailure } from "../errors.ts";
import { RECORD, RECORD_BYTES, RECOVERY_INVALID_MAGIC, RECOVERY_MAGIC } from "../format/format.ts";
import { Space } from "../records/space.ts";
import type { Slice } from "../sliced.ts";
import type { TdbResult } from "../types.ts";
import {
  type AreaParts,
  type AreaPlan,
  journaledRanges,
  placeArea,
  planArea,
} from "./area_plan.ts";
import type { Pausing } from "./durable_file.ts";
import { ENTRY_HEADER_BYTES, outsideArea, type RecoveryArea } from "./journal.ts";
import { replayJournal } from "./replay.ts";

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
  const { space, base, disk } = parts;
  const doing = `write the journal of "${space.path}"`;
  const plan = planArea(parts);
  if (!("area" in plan)) return plan;
  const placed = yield* placeArea(slice, parts, plan);
  if (!placed.ok) return placed;
  base.refresh();
  const { crashPoints } = parts;
  crashPoints?.at("write-journal", "before");
  const journaled = yield* writeJournal(slice, parts, plan, doing);
  if (!journaled.ok) return journaled;
  const synced = yield* disk.sync(slice, doing);
  if (!synced.ok) return synced;
  crashPoints?.at("write-journal", "after");
  const magic = plan.area.offset + RECORD.magic;
  crashPoints?.at("arm-journal", "before");
  const armed = disk.writeWord(doing, magic, RECOVERY_MAGIC);
  if (!armed.ok) return armed;
  const armedOnDisk = yield* disk.sync(slice, doing);
  crashPoints?.at("arm-journal", "after");
  if (armedOnDisk.ok) return { ok: true, value: plan.area };
  // Not a block was overwritten yet: without the magic the file is as before.
  disk.writeWord(doing, magic, RECOVERY_INVALID_MAGIC);
  return armedOnDisk;
}

function* writeJournal(slice: Slice, parts: CommitParts, plan: AreaPlan, doing: string): Pausing {
  const { base, disk, overlay } = parts;
  let at = plan.area.offset + RECORD_BYTES;
  for (const [offset, length] of journaledRanges(overlay, plan)) {
    const header = new Uint8Array(new Uint32Array([offset, length]).buffer);
    const headed = yield* disk.write(slice, doing, at, header);
    if (!headed.ok) return headed;
    const old = base.view(offset, length);
    const written = yield* disk.write(slice, doing, at + ENTRY_HEADER_BYTES, old);
    if (!written.ok) return written;
    at += ENTRY_HEADER_BYTES + length;
  }
  return disk.writeWord(doing, at, plan.area.bytes);
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
