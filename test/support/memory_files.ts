/** A FileSystem in memory, for tests of code that reads configuration. Directories exist by being named. */
import { textBytes } from "../../src/base/byte_text.ts";
import { SystemError } from "../../src/base/errors.ts";
import { done, err, ok, type Result } from "../../src/base/result.ts";
import type { FileKind, FileSystem } from "../../src/platform/types/files.ts";

export class MemoryFiles implements FileSystem {
  readonly #files = new Map<string, string>();
  readonly #directories = new Set<string>();

  constructor(files: Readonly<Record<string, string>> = {}, directories: readonly string[] = []) {
    for (const [path, text] of Object.entries(files)) this.#files.set(path, text);
    for (const path of directories) this.#directories.add(path);
  }

  readText(path: string, bytesMax = Number.POSITIVE_INFINITY): Result<string, SystemError> {
    const text = this.#files.get(path);
    if (text !== undefined && textBytes(text).length > bytesMax) {
      return err(new SystemError("EFBIG", "read", path));
    }
    return text === undefined ? err(new SystemError("ENOENT", "open", path)) : ok(text);
  }
  writeText(path: string, text: string): Result<void, SystemError> {
    this.#files.set(path, text);
    return done;
  }
  exists(path: string): boolean {
    return this.#files.has(path) || this.isWritableDirectory(path);
  }
  /** Every file may be executed. */
  kindOf(path: string): FileKind | undefined {
    if (this.#files.has(path)) return "executable";
    return this.isWritableDirectory(path) ? "directory" : undefined;
  }
  makeDirectory(path: string): Result<void, SystemError> {
    this.#directories.add(path);
    return done;
  }
  list(path: string): Result<readonly string[], SystemError> {
    if (!this.isWritableDirectory(path)) return err(new SystemError("ENOENT", "opendir", path));
    const names = [...this.#files.keys(), ...this.#directories]
      .filter((entry) => entry.startsWith(`${path}/`))
      .map((entry) => entry.slice(path.length + 1).split("/")[0] as string);
    return ok([...new Set(names)].sort());
  }
  remove(path: string): Result<void, SystemError> {
    if (this.#files.delete(path) || this.#directories.delete(path)) return done;
    return err(new SystemError("ENOENT", "unlink", path));
  }
  rename(from: string, to: string): Result<void, SystemError> {
    const text = this.#files.get(from);
    if (text === undefined) return err(new SystemError("ENOENT", "rename", from));
    this.#files.delete(from);
    this.#files.set(to, text);
    return done;
  }
  isWritableDirectory(path: string): boolean {
    if (this.#directories.has(path)) return true;
    return [...this.#files.keys()].some((entry) => entry.startsWith(`${path}/`));
  }
}
