/** The disk of a simulated host: files by path. It outlives the processes of the host. */
import { SystemError } from "../../src/base/errors.ts";
import { done, err, ok } from "../../src/base/result.ts";
import type { FileKind, FileSystem } from "../../src/platform/types/files.ts";
import type { SimDisk } from "./disk.ts";

export class SimFiles implements FileSystem {
  readonly #files = new Map<string, string>();
  readonly #disk: SimDisk | undefined;
  readonly #directories = new Set<string>(["/"]);

  /** With the TDB files of a disk beside its own. */
  constructor(disk?: SimDisk) {
    this.#disk = disk;
  }

  readText(path: string) {
    const text = this.#files.get(path);
    return text === undefined ? err(new SystemError("ENOENT", "open", path)) : ok(text);
  }
  writeText(path: string, text: string) {
    this.#files.set(path, text);
    return done;
  }
  exists(path: string): boolean {
    return this.#files.has(path) || this.#directories.has(path);
  }
  kindOf(path: string): FileKind | undefined {
    if (this.#directories.has(path)) return "directory";
    return this.#files.has(path) ? "other" : undefined;
  }
  makeDirectory(path: string) {
    this.#directories.add(path);
    return done;
  }
  list(path: string) {
    if (!this.#directories.has(path)) return err(new SystemError("ENOENT", "opendir", path));
    const prefix = `${path}/`;
    const paths = [...this.#files.keys(), ...this.#directories, ...(this.#disk?.paths ?? [])];
    const names = paths
      .filter((name) => name.startsWith(prefix) && !name.slice(prefix.length).includes("/"))
      .map((name) => name.slice(prefix.length));
    return ok([...new Set(names)].sort());
  }
  remove(path: string) {
    const existed = this.#files.delete(path) || this.#directories.delete(path);
    return existed ? done : err(new SystemError("ENOENT", "unlink", path));
  }
  rename(from: string, to: string) {
    const text = this.#files.get(from);
    if (text === undefined && this.#disk?.rename(from, to) === true) return done;
    if (text === undefined) return err(new SystemError("ENOENT", "rename", from));
    this.#files.delete(from);
    this.#files.set(to, text);
    return done;
  }
  isWritableDirectory(path: string): boolean {
    return this.#directories.has(path);
  }
}
