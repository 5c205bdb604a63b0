/**
 * Ids in pieces of CHUNK_EVENTS, and which of them a question about times has to look into. Ids grow in the order in
 * which events were kept, and times almost do: pieces that cover a span of time are few runs.
 */
import { CHUNK_EVENTS } from "../limits.ts";

/** Both ids are part of it. */
export interface IdRange {
  readonly first: number;
  readonly last: number;
}

export function chunkOf(id: number): number {
  return Math.floor(id / CHUNK_EVENTS);
}

export function chunkRange(chunk: number): IdRange {
  return { first: chunk * CHUNK_EVENTS, last: (chunk + 1) * CHUNK_EVENTS - 1 };
}

/** Chunks, in ascending order, as few ranges of ids within `bounds`, in ascending order. */
export function runsOf(chunks: readonly number[], bounds: IdRange): readonly IdRange[] {
  const runs: IdRange[] = [];
  let begin = 0;
  for (let at = 1; at <= chunks.length; at++) {
    const previous = chunks[at - 1] as number;
    if (at < chunks.length && chunks[at] === previous + 1) continue;
    const first = Math.max(bounds.first, chunkRange(chunks[begin] as number).first);
    const last = Math.min(bounds.last, chunkRange(previous).last);
    if (first <= last) runs.push({ first, last });
    begin = at;
  }
  return runs;
}
