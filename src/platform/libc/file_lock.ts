/** flock(2): locks that belong to an open file, and so to all who inherited it. */
import { ok, type Result } from "../../base/result.ts";
import { FILE_LOCK_FUNCTIONS } from "./functions.ts";
import { ERRNO, errno, openLibc } from "./libc.ts";

const OPERATIONS = { shared: 1, exclusive: 2, unlock: 8 } as const;
const DO_NOT_WAIT = 4;

export type FileLockOperation = keyof typeof OPERATIONS;

/** Blocks the thread if it is to wait. False: somebody else holds it. The error is an errno. */
export function lockFile(
  descriptor: number,
  operation: FileLockOperation,
  waits: boolean,
): Result<boolean, number> {
  const { flock } = openLibc(FILE_LOCK_FUNCTIONS);
  const how = OPERATIONS[operation] | (waits ? 0 : DO_NOT_WAIT);
  while (flock(descriptor, how) !== 0) {
    const number = errno();
    if (number === ERRNO.EAGAIN) return ok(false);
    if (number !== ERRNO.EINTR) return { ok: false, error: number };
  }
  return ok(true);
}
