/**
 * Writes a journal, whole but not synced: its header, the old contents of what will be overwritten, then the
 * pieces that a replay writes as well.
 *
 * Must not: touch anything outside the recovery area.
 */
import { RECORD, RECORD_BYTES } from "../format/format.ts";
import type { Pages } from "../records/pages.ts";
import type { Slice } from "../sliced.ts";
import { journaledRanges, journalSize } from "./area_plan.ts";
import type { DurableFile, Pausing } from "./durable_file.ts";
import type { Piece } from "./free_pieces.ts";
import { ENTRY_HEADER_BYTES, type RecoveryArea } from "./journal.ts";
import type { OverlayPages } from "./overlay.ts";

export interface JournalContent {
  readonly area: RecoveryArea;
  /** Size of the map after undoing: with all that was added, as it is part of the file by then. */
  readonly end: number;
  readonly magic: number;
  /** What is going to be overwritten. */
  readonly overlay: OverlayPages | undefined;
  readonly pieces: readonly Piece[];
}

export function* writeJournal(
  slice: Slice,
  disk: DurableFile,
  base: Pages,
  { area, end, magic, overlay, pieces }: JournalContent,
  doing: string,
): Pausing {
  const journalBytes = journalSize(overlay, area, pieces);
  const header = areaHeader(area, { end, journalBytes, magic });
  const headed = yield* disk.write(slice, doing, area.offset, header);
  if (!headed.ok) return headed;
  let at = area.offset + RECORD_BYTES;
  for (const { offset, bytes } of entries(base, area, overlay, pieces)) {
    const entry = new Uint8Array(new Uint32Array([offset, bytes.length]).buffer);
    const begun = yield* disk.write(slice, doing, at, entry);
    if (!begun.ok) return begun;
    const written = yield* disk.write(slice, doing, at + ENTRY_HEADER_BYTES, bytes);
    if (!written.ok) return written;
    at += ENTRY_HEADER_BYTES + bytes.length;
  }
  return disk.writeWord(doing, at, area.bytes);
}

function* entries(
  base: Pages,
  area: RecoveryArea,
  overlay: OverlayPages | undefined,
  pieces: readonly Piece[],
): Generator<Piece> {
  if (overlay !== undefined) {
    for (const [offset, length] of journaledRanges(overlay, area)) {
      yield { offset, bytes: base.view(offset, length) };
    }
  }
  yield* pieces;
}

export function areaHeader(
  area: RecoveryArea,
  { end, journalBytes, magic }: { end: number; journalBytes: number; magic: number },
): Uint8Array {
  const words = new Uint32Array(RECORD_BYTES / 4);
  words[RECORD.length / 4] = area.bytes - RECORD_BYTES;
  words[RECORD.keyLength / 4] = end;
  words[RECORD.dataLength / 4] = journalBytes;
  words[RECORD.magic / 4] = magic;
  return new Uint8Array(words.buffer);
}
