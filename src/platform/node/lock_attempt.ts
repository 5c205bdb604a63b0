/**
 * Taking one lock of a TDB through an open file of its own, so that nothing which this process does
 * elsewhere with the file can take its byte ranges away; closing it drops them all. The event loop comes
 * with primitives that try, a waiting thread with ones that wait.
 *
 * Invariants:
 * 1. Only "granted" holds anything, until its `release()`, which the thread calls that has it: a mutex is
 *    unlocked by who locked it.
 *
 * Must not: read or write records.
 */
import { SystemError } from "../../base/errors.ts";
import { type LockPrimitives, LockProtocol } from "../../tdb/locks/lock_protocol.ts";
import { lockTargetOf, targetHasJournal } from "../../tdb/locks/lock_target.ts";
import type { TdbErrorCode } from "../../tdb/types.ts";
import type { SharedFile, SharedFiles } from "../types/shared_files.ts";
import { ALL_RECORDS } from "./lock_messages.ts";

export interface TakenLock {
  release(): void;
}

export type LockAttempt =
  | { readonly kind: "granted"; readonly lock: TakenLock }
  | { readonly kind: "busy" }
  /** The lock was free, but a journal must be replayed first. */
  | { readonly kind: "journal" }
  | { readonly kind: "failed"; readonly code: TdbErrorCode; readonly reason: string };

/** `list`: a chain, FREELIST or ALL_RECORDS; for writing. */
export function takeLock(
  files: SharedFiles,
  path: string,
  list: number,
  primitivesOf: (file: SharedFile) => LockPrimitives,
): LockAttempt {
  const opened = files.open(path, { create: false, mode: 0 });
  if (!opened.ok) return failed("io", `Cannot wait for a lock: ${opened.error.message}`);
  const file = opened.value;
  let attempt: LockAttempt | undefined;
  try {
    attempt = takeIn(file, files.pageSize, list, primitivesOf(file));
  } catch (error) {
    // There was no memory for the map, or the file system failed.
    if (!(error instanceof SystemError)) throw error;
    attempt = failed("io", `Cannot wait for a lock: ${error.message}`);
  } finally {
    if (attempt?.kind !== "granted") file.close();
  }
  return attempt;
}

function takeIn(
  file: SharedFile,
  pageSize: number,
  list: number,
  primitives: LockPrimitives,
): LockAttempt {
  const target = lockTargetOf(file, pageSize);
  if (typeof target === "string") return failed("corrupt", target);
  const locks = new LockProtocol(file, primitives, target);
  const taken = list === ALL_RECORDS ? locks.lockAll("write") : locks.lockList(list, "write");
  if (taken === "busy") return { kind: "busy" };
  if (taken !== "granted") return failed("io", `Cannot wait for a lock: ${taken.message}`);
  const unlock = (): void => (list === ALL_RECORDS ? locks.unlockAll() : locks.unlockList(list));
  if (targetHasJournal(file, target)) {
    unlock();
    return { kind: "journal" };
  }
  const release = (): void => {
    unlock();
    file.close();
  };
  return { kind: "granted", lock: { release } };
}

function failed(code: TdbErrorCode, reason: string): LockAttempt {
  return { kind: "failed", code, reason };
}
