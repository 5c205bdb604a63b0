/**
 * A text file that is replaced in two steps: the new content lies beside it, under its name with PENDING_SUFFIX, until
 * it is installed. Nothing waits (rules for all interfaces: docs/platform.md, "Interfaces").
 */
import type { Result } from "../../base/result.ts";

/** Behind the name of a file: what is to take its place. */
export const PENDING_SUFFIX = ".new";

export interface FileContent {
  readonly text: string;
  /** SHA-256 of its bytes, in hex. */
  readonly digest: string;
}

export interface PendingFileState {
  readonly present: FileContent | undefined;
  readonly next: FileContent | undefined;
}

type Done<T> = (outcome: Result<T>) => void;

/** Reasons name the path of the call that failed. What an operation did survives a loss of power once it is done. */
export interface PendingFile {
  readonly path: string;
  look(done: Done<PendingFileState>): void;
  /** Writes what is to be installed; nothing may lie there. */
  prepare(text: string, done: Done<void>): void;
  install(done: Done<void>): void;
  drop(done: Done<void>): void;
}
