/** Directories of scripts, as an interface (rules for all of them: docs/platform.md, "Interfaces"). */
import type { SystemError } from "../../base/errors.ts";
import type { Result } from "../../base/result.ts";

export type EntryKind = "file" | "link" | "other";

export interface ScriptFiles {
  /** Names in the directory, sorted, without . and .. */
  list(directory: string): Result<readonly string[], SystemError>;
  /** Links are followed. */
  isDirectory(path: string): boolean;
  /** May its owner execute what the path leads to? False where it leads nowhere. */
  isExecutable(path: string): boolean;
  /** Of the entry itself, without following a link. */
  kindOf(path: string): Result<EntryKind, SystemError>;
  /** Gives the permission to all, or takes it from all. A link is refused with ELOOP. */
  setExecutable(path: string, executable: boolean): Result<void, SystemError>;
  /** The file that a path leads to, all links followed. */
  realPath(path: string): Result<string, SystemError>;
  readLink(path: string): Result<string, SystemError>;
  makeLink(target: string, path: string): Result<void, SystemError>;
  remove(path: string): Result<void, SystemError>;
}
