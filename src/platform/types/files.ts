/** Files, as interfaces (rules for all of them: docs/platform.md, "Interfaces"). */
import type { SystemError } from "../../base/errors.ts";
import type { Result } from "../../base/result.ts";

/**
 * A path that is no UTF-8 as node:fs of the runtime takes it: `platform/bun/byte_path.ts` and
 * `platform/deno/byte_path.ts` export it, and `#byte_path` (package.json, "imports") is the one of the runtime that
 * runs. Throws an error with the code EILSEQ where there is no way.
 */
export type BytePath = (bytes: Uint8Array) => Buffer;

/** `executable`: a regular file that its owner may execute. */
export type FileKind = "directory" | "executable" | "other";

export interface FileSystem {
  /** More than `bytesMax` bytes, if that is given, are not read: EFBIG. */
  readText(path: string, bytesMax?: number): Result<string, SystemError>;
  /** Creates or replaces; the mode applies on creation. */
  writeText(path: string, text: string, mode?: number): Result<void, SystemError>;
  exists(path: string): boolean;
  /** Undefined when there is nothing; links are followed. */
  kindOf(path: string): FileKind | undefined;
  makeDirectory(path: string, mode?: number): Result<void, SystemError>;
  /** Names in the directory, sorted, without . and .. */
  list(path: string): Result<readonly string[], SystemError>;
  remove(path: string): Result<void, SystemError>;
  rename(from: string, to: string): Result<void, SystemError>;
  /** Can this process create files in the directory? */
  isWritableDirectory(path: string): boolean;
}
