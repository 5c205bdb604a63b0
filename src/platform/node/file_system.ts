/** Small files of configuration and state. Calls block: for starts, reloads and tools, not for data. */
import * as fs from "node:fs";
import { bytesText, textBytes } from "../../base/byte_text.ts";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { systemErrorFrom } from "../libc/libc.ts";
import type { FileSystem } from "../types/files.ts";
import { pathForCall } from "./path.ts";

export class SystemFiles implements FileSystem {
  readText(path: string): Result<string, SystemError> {
    return attempt("open", path, () => bytesText(fs.readFileSync(pathForCall(path))));
  }

  writeText(path: string, text: string, mode = 0o644): Result<void, SystemError> {
    const bytes = textBytes(text);
    return attempt("write", path, () => fs.writeFileSync(pathForCall(path), bytes, { mode }));
  }

  exists(path: string): boolean {
    return fs.existsSync(pathForCall(path));
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

function attempt<T>(call: string, path: string, action: () => T): Result<T, SystemError> {
  try {
    return ok(action());
  } catch (error) {
    return err(systemErrorFrom(error, call, path));
  }
}
