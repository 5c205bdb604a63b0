/** How TDB operations fail: prebuilt results for the frequent cases, one maker for the others. */
import type { SystemError } from "../base/errors.ts";
import type { TdbError, TdbErrorCode } from "./types.ts";

export interface TdbFailure {
  readonly ok: false;
  readonly error: TdbError;
}

function tdbError(code: TdbErrorCode, reason: string, cause?: SystemError): TdbError {
  return cause === undefined ? { code, reason } : { code, reason, cause };
}

export function tdbFailure(code: TdbErrorCode, reason: string, cause?: SystemError): TdbFailure {
  return { ok: false, error: tdbError(code, reason, cause) };
}

/** A system call that failed while `doing`. */
export function systemFailure(doing: string, cause: SystemError): TdbFailure {
  const full = cause.code === "ENOSPC" || cause.code === "EDQUOT" || cause.code === "EFBIG";
  return tdbFailure(full ? "no_space" : "io", `Cannot ${doing}: ${cause.message}`, cause);
}

/** Busy, for whoever reports that somebody keeps him waiting. */
export function busyBecauseOf(holder: number | undefined): TdbFailure {
  if (holder === undefined) return BUSY;
  return { ok: false, error: { ...BUSY.error, holder } };
}

/** Not worth an allocation each: it happens in the ordinary course. */
export const BUSY: TdbFailure = tdbFailure("busy", "a lock is held elsewhere");
export const READ_ONLY: TdbFailure = tdbFailure("read_only", "the TDB was opened read-only");
export const MISSING: TdbFailure = tdbFailure("missing", "the key is not there");
export const EXISTS: TdbFailure = tdbFailure("exists", "the key is there already");
export const COMMITTING: TdbFailure = tdbFailure(
  "busy",
  "the transaction is being committed: nothing can be changed",
);
