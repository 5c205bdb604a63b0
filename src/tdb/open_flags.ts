/** The flags with which a TDB is opened (docs/tdb.md, "Opening"): which go together, and what they bring with them. */
import { tdbFailure } from "./errors.ts";
import { TDB_FLAGS, type TdbOpenOptions, type TdbResult } from "./types.ts";

/** What C puts together from the flags asked for, or why they do not go together. */
export function effectiveFlags(
  options: TdbOpenOptions,
  here: { readonly mutexesWork: boolean; readonly noSync?: boolean },
): TdbResult<number> {
  let flags = options.flags;
  if ((flags & (TDB_FLAGS.INTERNAL | TDB_FLAGS.MUTEX_LOCKING)) !== 0) {
    flags |= TDB_FLAGS.INCOMPATIBLE_HASH;
  }
  if (options.readOnly === true) {
    flags |= TDB_FLAGS.NOLOCK;
    flags &= ~(TDB_FLAGS.CLEAR_IF_FIRST | TDB_FLAGS.MUTEX_LOCKING);
  }
  if ((flags & (TDB_FLAGS.CONVERT | TDB_FLAGS.BIGENDIAN)) !== 0) {
    return tdbFailure("unsupported", `Cannot open "${options.path}" in the other byte order`);
  }
  const both = TDB_FLAGS.ALLOW_NESTING | TDB_FLAGS.DISALLOW_NESTING;
  if ((flags & both) === both) {
    return tdbFailure("unsupported", `Cannot both allow and disallow nesting in "${options.path}"`);
  }
  if ((flags & TDB_FLAGS.MUTEX_LOCKING) !== 0) {
    if ((flags & (TDB_FLAGS.INTERNAL | TDB_FLAGS.NOMMAP)) !== 0) {
      return tdbFailure("unsupported", `"${options.path}": mutexes need a mapped file`);
    }
    if (!here.mutexesWork) {
      return tdbFailure("unsupported", `"${options.path}": robust mutexes do not work here`);
    }
  }
  if (here.noSync === true) flags |= TDB_FLAGS.NOSYNC;
  if ((flags & TDB_FLAGS.DISALLOW_NESTING) === 0) flags |= TDB_FLAGS.ALLOW_NESTING;
  if ((flags & TDB_FLAGS.INTERNAL) !== 0) {
    flags |= TDB_FLAGS.NOLOCK | TDB_FLAGS.NOMMAP;
    flags &= ~TDB_FLAGS.CLEAR_IF_FIRST;
  }
  return { ok: true, value: flags };
}
