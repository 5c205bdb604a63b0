/**
 * What SQLite complains of, as a SqlError. The runtimes hand on its texts, but not all of them its numbers.
 */
import { SqlError, type SqlFailure } from "../types/sql.ts";

const TEXTS: readonly (readonly [pattern: RegExp, failure: SqlFailure])[] = [
  // A constraint that our statements keep by themselves is broken by damage only.
  [/malformed|not a database|corrupt|constraint failed/i, "corrupt"],
  [/disk is full/i, "full"],
  [/is locked|locking protocol/i, "busy"],
  [/unable to open|readonly|I\/O error|authoriz|large file/i, "unusable"],
];

function sqlError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const failure = TEXTS.find(([pattern]) => pattern.test(message))?.[1] ?? "other";
  return new SqlError(failure, message, { cause: error });
}

/** `action`, whose errors are SqlErrors. */
export function asSql<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw sqlError(error);
  }
}
