/** What a waiter must know of a TDB to take its locks through an open file of its own. */
import type { SharedFile } from "../../platform/types/shared_files.ts";
import { HEADER_BYTES, type MutexLayout, mutexLayout } from "../format/format.ts";
import { judgeHeader } from "../format/header.ts";
import { journalWaits } from "../journal/journal.ts";
import { DirectPages } from "../records/pages.ts";

export interface LockTarget {
  readonly hashSize: number;
  readonly mutexes: MutexLayout | undefined;
  readonly headerOffset: number;
}

/** Read from the file itself; the reason as text when it is no TDB (any more). */
export function lockTargetOf(file: SharedFile, pageSize: number): LockTarget | string {
  const fileBytes = file.size();
  if (fileBytes < HEADER_BYTES) return `"${file.path}" is too short for a TDB`;
  const judged = judgeHeader(new Uint8Array(file.view(HEADER_BYTES), 0, HEADER_BYTES), fileBytes);
  if (!judged.ok) return `"${file.path}" cannot be locked: ${judged.error.reason}`;
  const { hashSize, hasMutexes, mutexAreaBytes } = judged.value;
  const mutexes = hasMutexes ? mutexLayout(file.mutexBytes, hashSize, pageSize) : undefined;
  return { hashSize, mutexes, headerOffset: mutexAreaBytes };
}

/** To be asked after the lock was granted. */
export function targetHasJournal(file: SharedFile, target: LockTarget): boolean {
  return journalWaits(new DirectPages(file, target.headerOffset));
}
