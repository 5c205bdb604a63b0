/** Small files of configuration and state. Calls block: for starts, reloads and tools, not for data. */
import * as fs from "node:fs";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { FileSystem } from "../types.ts";
import { systemErrorFrom } from "./libc.ts";

export class BunFileSystem implements FileSystem {
  readText(path: string): Result<string, SystemError> {
    return attempt("open", path, () => fs.readFileSync(path, "utf8"));
  }

  writeText(path: string, text: string, mode = 0o644): Result<void, SystemError> {
    return attempt("write", path, () => fs.writeFileSync(path, text, { mode }));
  }

  exists(path: string): boolean {
    return fs.existsSync(path);
  }

  makeDirectory(path: string, mode = 0o755): Result<void, SystemError> {
    return attempt("mkdir", path, () => fs.mkdirSync(path, { mode }));
  }

  list(path: string): Result<readonly string[], SystemError> {
    return attempt("opendir", path, () => fs.readdirSync(path).sort());
  }

  remove(path: string): Result<void, SystemError> {
    return attempt("unlink", path, () => fs.unlinkSync(path));
  }

  rename(from: string, to: string): Result<void, SystemError> {
    return attempt("rename", from, () => fs.renameSync(from, to));
  }

  isWritableDirectory(path: string): boolean {
    const outcome = attempt("access", path, () => {
      fs.accessSync(path, fs.constants.W_OK | fs.constants.X_OK);
      return fs.statSync(path).isDirectory();
    });
    return outcome.ok && outcome.value;
  }
}

export const bunFileSystem: FileSystem = new BunFileSystem();

function attempt<T>(call: string, path: string, action: () => T): Result<T, SystemError> {
  try {
    return ok(action());
  } catch (error) {
    return err(systemErrorFrom(error, call, path));
  }
}
