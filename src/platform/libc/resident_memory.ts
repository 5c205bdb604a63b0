/** What this process has resident, and how it lets go of the pages of mapped files. */
import * as fs from "node:fs";
import type { Clock } from "../types/time.ts";
import { MEMORY_FUNCTIONS } from "./functions.ts";
import { openLibc } from "./libc.ts";

const PAGE_BYTES = 4096;
const MADV_DONTNEED = 4;
const PIECE_BYTES = 16 * 1024 * 1024;
const PIECE_MS = 1;

/** From /proc/self/statm. The pages of files are those of the executable, too. */
export function residentMemory(): { ownBytes: number; mappedBytes: number } {
  const [, resident = 0, shared = 0] = fs
    .readFileSync("/proc/self/statm", "latin1")
    .split(" ")
    .map(Number);
  return { ownBytes: (resident - shared) * PAGE_BYTES, mappedBytes: shared * PAGE_BYTES };
}

/**
 * Takes the pages of shared file mappings out of this process; the next access finds them in the system's cache
 * (locks in them are of the file, and stay). Yields after each millisecond or so.
 */
export function* releaseMappedFiles(clock: Clock): Generator<void, void, void> {
  const libc = openLibc(MEMORY_FUNCTIONS);
  let startMs = clock.monotonicMs();
  // The list is read again after each pause: a file may have been closed meanwhile, and its addresses be others'.
  for (let from = 0; ; ) {
    const mapping = sharedFileMappings().find(({ end }) => end > from);
    if (mapping === undefined) return;
    from = Math.max(from, mapping.start);
    while (from < mapping.end && clock.monotonicMs() - startMs < PIECE_MS) {
      const bytes = Math.min(PIECE_BYTES, mapping.end - from);
      // What is locked in memory is refused, and stays.
      libc.madvise(from, bytes, MADV_DONTNEED);
      from += bytes;
    }
    if (clock.monotonicMs() - startMs >= PIECE_MS) {
      yield;
      startMs = clock.monotonicMs();
    }
  }
}

/** By ascending addresses. */
function sharedFileMappings(): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (const line of fs.readFileSync("/proc/self/maps", "latin1").split("\n")) {
    const [range = "", rights = "", , , inode = "0"] = line.split(/ +/, 5);
    if (rights[3] !== "s" || inode === "0") continue;
    const [start = 0, end = 0] = range.split("-").map((text) => Number.parseInt(text, 16));
    found.push({ start, end });
  }
  return found;
}
