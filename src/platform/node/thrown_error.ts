/** What node's own functions throw, as errors of ours. */
import { SystemError } from "../../base/errors.ts";

export function systemErrorFrom(error: unknown, call: string, path: string): SystemError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const name = typeof code === "string" ? code : "EIO";
  return new SystemError(name, call, path, { cause: error });
}
