/** Directories of event scripts. Calls block: they are few and short, and no data path has any. */
import * as fs from "node:fs";
import { bytesText } from "../../base/byte_text.ts";
import type { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { EntryKind, ScriptFiles } from "../types/script_files.ts";
import { pathForCall, realPath } from "./path.ts";
import { systemErrorFrom } from "./thrown_error.ts";

const EXECUTE_BITS = 0o111;
const OWNER_EXECUTES = 0o100;
const MODE_BITS = 0o7777;

export class SystemScriptFiles implements ScriptFiles {
  list(directory: string): Result<readonly string[], SystemError> {
    return attempt("opendir", directory, () =>
      fs.readdirSync(pathForCall(directory), { encoding: "buffer" }).map(bytesText).sort(),
    );
  }

  isDirectory(path: string): boolean {
    const found = attempt("stat", path, () => fs.statSync(pathForCall(path)).isDirectory());
    return found.ok && found.value;
  }

  isExecutable(path: string): boolean {
    const mode = attempt("stat", path, () => fs.statSync(pathForCall(path)).mode);
    return mode.ok && (mode.value & OWNER_EXECUTES) !== 0;
  }

  kindOf(path: string): Result<EntryKind, SystemError> {
    return attempt("lstat", path, () => {
      const found = fs.lstatSync(pathForCall(path));
      if (found.isSymbolicLink()) return "link";
      return found.isFile() ? "file" : "other";
    });
  }

  setExecutable(path: string, executable: boolean): Result<void, SystemError> {
    return attempt("chmod", path, () => {
      // Of the file that was looked at, whatever has the name by now.
      const descriptor = fs.openSync(pathForCall(path), READ_NO_LINK);
      try {
        const mode = fs.fstatSync(descriptor).mode & MODE_BITS;
        fs.fchmodSync(descriptor, executable ? mode | EXECUTE_BITS : mode & ~EXECUTE_BITS);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  realPath(path: string): Result<string, SystemError> {
    return attempt("realpath", path, () => realPath(path));
  }

  readLink(path: string): Result<string, SystemError> {
    return attempt("readlink", path, () =>
      bytesText(fs.readlinkSync(pathForCall(path), { encoding: "buffer" })),
    );
  }

  makeLink(target: string, path: string): Result<void, SystemError> {
    return attempt("symlink", path, () => fs.symlinkSync(pathForCall(target), pathForCall(path)));
  }

  remove(path: string): Result<void, SystemError> {
    return attempt("unlink", path, () => fs.unlinkSync(pathForCall(path)));
  }
}

const READ_NO_LINK = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW;

function attempt<T>(call: string, path: string, action: () => T): Result<T, SystemError> {
  try {
    return ok(action());
  } catch (error) {
    return err(systemErrorFrom(error, call, path));
  }
}
