/** The files of an installation, below its root (src/install/files.ts). Calls block: nothing else runs. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { bytesText } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Found, InstallFiles } from "../install/files.ts";
import { pathForCall } from "../platform/node/path.ts";
import { systemErrorFrom } from "../platform/node/thrown_error.ts";

const CHUNK_BYTES = 1 << 20;

export class RootedFiles implements InstallFiles {
  readonly #root: string;
  readonly #executable: string;

  /** `root`: absolute; "" or "/" is the machine's own. */
  constructor(root: string, executable: string) {
    this.#root = root === "/" ? "" : root;
    this.#executable = executable;
  }

  look(path: string): Result<Found | undefined> {
    return this.#attempt("look at", path, (real) => {
      const stat = fs.lstatSync(real, { throwIfNoEntry: false });
      if (stat === undefined) return undefined;
      if (stat.isSymbolicLink()) return { kind: "link", target: linkTarget(real) };
      if (stat.isDirectory()) return { kind: "directory" };
      if (!stat.isFile()) return { kind: "other" };
      return { kind: "file", inode: `${stat.dev}:${stat.ino}`, mode: stat.mode & 0o7777 };
    });
  }

  digest(path: string, algorithm: "sha256" | "md5"): Result<string> {
    return this.#attempt("read", path, (real) => digestOfFile(real, algorithm));
  }
  digestOf(content: Uint8Array): string {
    return createHash("sha256").update(content).digest("hex");
  }
  executableDigest(): Result<string> {
    return attempt("read", this.#executable, () => digestOfFile(this.#executable, "sha256"));
  }

  readText(path: string): Result<string> {
    return this.#attempt("read", path, (real) => bytesText(fs.readFileSync(real)));
  }

  makeDirectory(path: string, mode: number): Result<void> {
    return this.#attempt("make the directory", path, (real) => {
      fs.mkdirSync(real, { recursive: true, mode });
    });
  }

  write(path: string, content: Uint8Array, mode: number): Result<void> {
    return this.#attempt("write", path, (real) => {
      const descriptor = fs.openSync(real, "wx", mode);
      try {
        fs.writeFileSync(descriptor, content);
        fs.fchmodSync(descriptor, mode);
        fs.fsyncSync(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  copyExecutable(path: string): Result<void> {
    return this.#attempt("write", path, (real) => copyFile(this.#executable, real, 0o755));
  }

  copy(from: string, to: string): Result<void> {
    return this.#attempt("copy to", to, (target) => {
      const source = this.#real(from);
      const stat = fs.lstatSync(source);
      fs.rmSync(target, { force: true });
      if (stat.isSymbolicLink()) fs.symlinkSync(pathForCall(linkTarget(source)), target);
      else copyFile(source, target, stat.mode & 0o7777);
      fs.lchownSync(target, stat.uid, stat.gid);
    });
  }

  hardLink(target: string, path: string): Result<void> {
    return this.#attempt("link", path, (real) => fs.linkSync(this.#real(target), real));
  }
  symbolicLink(target: string, path: string): Result<void> {
    return this.#attempt("link", path, (real) => fs.symlinkSync(pathForCall(target), real));
  }
  rename(from: string, to: string): Result<void> {
    return this.#attempt("replace", to, (real) => fs.renameSync(this.#real(from), real));
  }
  remove(path: string): Result<void> {
    return this.#attempt("remove", path, (real) => fs.rmSync(real, { force: true }));
  }
  removeEmptyDirectory(path: string): void {
    try {
      fs.rmdirSync(this.#real(path));
    } catch {
      // Somebody has files there, or it is not there.
    }
  }

  #real(path: string): fs.PathLike {
    return pathForCall(`${this.#root}${path}`);
  }

  #attempt<T>(what: string, path: string, act: (real: fs.PathLike) => T): Result<T> {
    return attempt(what, `${this.#root}${path}`, () => act(this.#real(path)));
  }
}

function attempt<T>(what: string, path: string, act: () => T): Result<T> {
  try {
    return ok(act());
  } catch (error) {
    return err(`Cannot ${what} "${path}": ${systemErrorFrom(error, what, path).code}`);
  }
}

function linkTarget(path: fs.PathLike): string {
  return bytesText(fs.readlinkSync(path, { encoding: "buffer" }));
}

function copyFile(from: fs.PathLike, to: fs.PathLike, mode: number): void {
  fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
  const descriptor = fs.openSync(to, "r+");
  try {
    fs.fchmodSync(descriptor, mode);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function digestOfFile(path: fs.PathLike, algorithm: string): string {
  const hash = createHash(algorithm);
  const chunk = new Uint8Array(CHUNK_BYTES);
  const descriptor = fs.openSync(path, "r");
  try {
    for (;;) {
      const count = fs.readSync(descriptor, chunk);
      if (count === 0) return hash.digest("hex");
      hash.update(chunk.subarray(0, count));
    }
  } finally {
    fs.closeSync(descriptor);
  }
}
