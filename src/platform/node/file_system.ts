/** Small files of configuration and state. Calls block: for starts, reloads and tools, not for data. */
import * as fs from "node:fs";
import { bytesText, textBytes } from "../../base/byte_text.ts";
import { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { systemErrorFrom } from "../libc/libc.ts";
import type { FileKind, FileSystem } from "../types/files.ts";
import { pathForCall } from "./path.ts";

export class SystemFiles implements FileSystem {
  readText(path: string, bytesMax?: number): Result<string, SystemError> {
    if (bytesMax === undefined) {
      return attempt("open", path, () => bytesText(fs.readFileSync(pathForCall(path))));
    }
    const bytes = attempt("open", path, () => readUpTo(path, bytesMax + 1));
    if (!bytes.ok) return bytes;
    if (bytes.value.length > bytesMax) return err(new SystemError("EFBIG", "read", path));
    return ok(bytesText(bytes.value));
  }

  writeText(path: string, text: string, mode = 0o644): Result<void, SystemError> {
    const bytes = textBytes(text);
    return attempt("write", path, () => fs.writeFileSync(pathForCall(path), bytes, { mode }));
  }

  exists(path: string): boolean {
    return fs.existsSync(pathForCall(path));
  }

  kindOf(path: string): FileKind | undefined {
    const found = fs.statSync(pathForCall(path), { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (found.isDirectory()) return "directory";
    return found.isFile() && (found.mode & fs.constants.S_IXUSR) !== 0 ? "executable" : "other";
  }

  makeDirectory(path: string, mode = 0o755): Result<void, SystemError> {
    return attempt("mkdir", path, () => fs.mkdirSync(pathForCall(path), { mode }));
  }

  list(path: string): Result<readonly string[], SystemError> {
    return attempt("opendir", path, () =>
      fs.readdirSync(pathForCall(path), { encoding: "buffer" }).map(bytesText).sort(),
    );
  }

  remove(path: string): Result<void, SystemError> {
    return attempt("unlink", path, () => fs.unlinkSync(pathForCall(path)));
  }

  rename(from: string, to: string): Result<void, SystemError> {
    return attempt("rename", from, () => fs.renameSync(pathForCall(from), pathForCall(to)));
  }

  isWritableDirectory(path: string): boolean {
    const outcome = attempt("access", path, () => {
      fs.accessSync(pathForCall(path), fs.constants.W_OK | fs.constants.X_OK);
      return fs.statSync(pathForCall(path)).isDirectory();
    });
    return outcome.ok && outcome.value;
  }
}

/** Not what the file says of its size: a device has none. A pipe that nobody writes into is empty. */
function readUpTo(path: string, bytesMax: number): Uint8Array {
  const { O_RDONLY, O_NONBLOCK } = fs.constants;
  const descriptor = fs.openSync(pathForCall(path), O_RDONLY | O_NONBLOCK);
  try {
    const size = Math.min(fs.fstatSync(descriptor).size, bytesMax - 1);
    let bytes = new Uint8Array(size + 1);
    let length = 0;
    while (true) {
      const got = fs.readSync(descriptor, bytes, length, bytes.length - length, null);
      length += got;
      if (got === 0 || length === bytesMax) return bytes.subarray(0, length);
      if (length < bytes.length) continue;
      const larger = new Uint8Array(Math.min(2 * bytes.length, bytesMax));
      larger.set(bytes);
      bytes = larger;
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function attempt<T>(call: string, path: string, action: () => T): Result<T, SystemError> {
  try {
    return ok(action());
  } catch (error) {
    return err(systemErrorFrom(error, call, path));
  }
}
