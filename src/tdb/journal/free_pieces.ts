/**
 * What is to be written so that places of a file become free records of its freelist: as entries of a journal, or
 * by a replay itself.
 *
 * Must not: write.
 */
import { FREE_MAGIC, FREELIST_HEAD, RECORD, RECORD_BYTES, TAILER_BYTES } from "../format/format.ts";
import type { Pages } from "../records/pages.ts";
import type { Extent } from "../records/space.ts";

export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** A free record in this place, which `next` follows in its list. */
export function freeRecord(place: Extent, next: number): Piece[] {
  const header = new Uint32Array(RECORD_BYTES / 4);
  header[RECORD.next / 4] = next;
  header[RECORD.length / 4] = place.bytes - RECORD_BYTES;
  header[RECORD.magic / 4] = FREE_MAGIC;
  return [
    { offset: place.offset, bytes: new Uint8Array(header.buffer) },
    wordPiece(place.offset + place.bytes - TAILER_BYTES, place.bytes),
  ];
}

function wordPiece(offset: number, word: number): Piece {
  return { offset, bytes: new Uint8Array(new Uint32Array([word]).buffer) };
}

/** These places become free records at the beginning of the list that the file has now: its head comes last. */
export function freePieces(pages: Pages, places: readonly Extent[]): Piece[] {
  let head = pages.word(FREELIST_HEAD);
  const pieces: Piece[] = [];
  for (const place of places) {
    pieces.push(...freeRecord(place, head));
    head = place.offset;
  }
  return [...pieces, wordPiece(FREELIST_HEAD, head)];
}
