/**
 * `must(outcome, "what was tried")`: the value of an outcome that the test expects to be a success. A failure
 * is thrown with its reason. For outcomes that may fail by what is tested, look at `ok` and assert instead.
 */
import type { Result } from "../../src/base/result.ts";

/** The forms that errors of the project have: a reason, a failure with one, a failed system call. */
type Failure = string | Error | { readonly reason: string };

export function must<T>(outcome: Result<T, Failure>, tried?: string): T {
  if (outcome.ok) return outcome.value;
  const { error } = outcome;
  const reason = reasonOf(error);
  throw new Error(tried === undefined ? reason : `${tried}: ${reason}`, { cause: error });
}

function reasonOf(error: Failure): string {
  if (typeof error === "string") return error;
  return error instanceof Error ? error.message : error.reason;
}
