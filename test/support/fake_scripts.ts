/** Directories of scripts in memory: a path is a file that may be executed or not, or a link to another path. */
import { SystemError } from "../../src/base/errors.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import type { EntryKind, ScriptFiles } from "../../src/platform/types/script_files.ts";

type Entry = { readonly executable: boolean } | { readonly link: string };

export class FakeScripts implements ScriptFiles {
  readonly entries = new Map<string, Entry>();
  readonly directories = new Set<string>();

  /** `names` of scripts of a directory; those with a minus in front are not executable. */
  constructor(directory: string, names: readonly string[]) {
    this.directories.add(directory);
    for (const name of names) {
      const executable = !name.startsWith("-");
      this.entries.set(`${directory}/${name.replace(/^-/, "")}`, { executable });
    }
  }

  list(directory: string): Result<readonly string[], SystemError> {
    if (!this.directories.has(directory)) return missing("opendir", directory);
    const names = [...this.entries.keys()]
      .filter((path) => path.slice(0, path.lastIndexOf("/")) === directory)
      .map((path) => path.slice(directory.length + 1));
    return ok(names.sort());
  }
  isDirectory(path: string): boolean {
    return this.directories.has(path);
  }
  isExecutable(path: string): boolean {
    const entry = this.entries.get(path);
    if (entry === undefined) return false;
    return "link" in entry ? this.isExecutable(entry.link) : entry.executable;
  }
  kindOf(path: string): Result<EntryKind, SystemError> {
    if (this.directories.has(path)) return ok("other");
    const entry = this.entries.get(path);
    if (entry === undefined) return missing("lstat", path);
    return ok("link" in entry ? "link" : "file");
  }
  setExecutable(path: string, executable: boolean): Result<void, SystemError> {
    const entry = this.entries.get(path);
    if (entry === undefined) return missing("open", path);
    if ("link" in entry) return err(new SystemError("ELOOP", "open", path));
    this.entries.set(path, { executable });
    return ok(undefined);
  }
  realPath(path: string): Result<string, SystemError> {
    const entry = this.entries.get(path);
    if (entry === undefined && !this.directories.has(path)) return missing("realpath", path);
    return entry !== undefined && "link" in entry ? this.realPath(entry.link) : ok(path);
  }
  readLink(path: string): Result<string, SystemError> {
    const entry = this.entries.get(path);
    if (entry !== undefined && "link" in entry) return ok(entry.link);
    return err(new SystemError("EINVAL", "readlink", path));
  }
  makeLink(target: string, path: string): Result<void, SystemError> {
    this.entries.set(path, { link: target });
    return ok(undefined);
  }
  remove(path: string): Result<void, SystemError> {
    return this.entries.delete(path) ? ok(undefined) : missing("unlink", path);
  }
}

function missing(call: string, path: string): Result<never, SystemError> {
  return err(new SystemError("ENOENT", call, path));
}
