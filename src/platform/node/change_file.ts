/**
 * Changing a small text file of somebody else as a whole: whoever reads it finds the old content or the new one, also
 * after a loss of power. Calls block.
 *
 * Invariants:
 * 1. A link is followed, and stays. The file keeps its mode and owner.
 * 2. After an error the file is as it was, and nothing lies beside it; but when it was the last call, an fsync of the
 *    directory, the new content may be lost again.
 */
import * as fs from "node:fs";
import { bytesText, textBytes } from "../../base/byte_text.ts";
import { SystemError } from "../../base/errors.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { pathForCall, realPath } from "./path.ts";
import { systemErrorFrom } from "./thrown_error.ts";

const MODE_BITS = 0o7777;
const NEW_FILE_MODE = 0o644;
const WHILE_WRITTEN_MODE = 0o600;

/**
 * `change` gets what is in the file, nothing of one that is not there, and gives what is to be in it; the same text
 * or a reason leave the file alone. The error says what failed, with the path of that call.
 */
export function changeTextFile(
  path: string,
  change: (text: string) => Result<string>,
): Result<"changed" | "unchanged"> {
  try {
    const target = followed(path);
    const before = read(target);
    const text = bytesText(before?.bytes ?? new Uint8Array(0));
    const changed = change(text);
    if (!changed.ok) return changed;
    if (changed.value === text) return ok("unchanged");
    const problem = replace(target, textBytes(changed.value), before?.stat);
    return problem === undefined ? ok("changed") : err(problem);
  } catch (error) {
    return err(
      (error instanceof SystemError ? error : systemErrorFrom(error, "change", path)).message,
    );
  }
}

/** A link that leads nowhere is an error: where its file should be is not ours to guess. */
function followed(path: string): string {
  const isThere = call("lstat", path, () =>
    fs.lstatSync(pathForCall(path), { throwIfNoEntry: false }),
  );
  return isThere === undefined ? path : call("realpath", path, () => realPath(path));
}

interface Content {
  readonly bytes: Uint8Array;
  readonly stat: fs.Stats;
}

function read(path: string): Content | undefined {
  // Without waiting for the other end, should it be a pipe.
  const { O_RDONLY, O_NONBLOCK } = fs.constants;
  const found = call("stat", path, () => fs.statSync(pathForCall(path), { throwIfNoEntry: false }));
  if (found === undefined) return undefined;
  if (!found.isFile()) throw new SystemError("EINVAL", "open", path);
  const descriptor = call("open", path, () =>
    fs.openSync(pathForCall(path), O_RDONLY | O_NONBLOCK),
  );
  try {
    return call("read", path, () => ({
      stat: fs.fstatSync(descriptor),
      bytes: fs.readFileSync(descriptor),
    }));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Why it was not done, where no call has failed. */
function replace(
  target: string,
  bytes: Uint8Array,
  before: fs.Stats | undefined,
): string | undefined {
  const slash = target.lastIndexOf("/") + 1;
  const directory = openDirectory(target.slice(0, slash) || ".");
  const beside = `${target.slice(0, slash)}.${target.slice(slash)}.${crypto.randomUUID()}`;
  try {
    write(beside, bytes, before);
    if (!isUnchanged(target, before)) return "somebody else has changed it meanwhile";
    call("rename", target, () => fs.renameSync(pathForCall(beside), pathForCall(target)));
    call("fsync", target, () => fs.fsyncSync(directory));
    return undefined;
  } finally {
    // After the rename it is not there any more.
    fs.rmSync(pathForCall(beside), { force: true });
    fs.closeSync(directory);
  }
}

function openDirectory(path: string): number {
  const { O_RDONLY, O_DIRECTORY } = fs.constants;
  return call("open", path, () => fs.openSync(pathForCall(path), O_RDONLY | O_DIRECTORY));
}

function write(path: string, bytes: Uint8Array, before: fs.Stats | undefined): void {
  const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants;
  const descriptor = call("open", path, () =>
    fs.openSync(pathForCall(path), O_WRONLY | O_CREAT | O_EXCL, WHILE_WRITTEN_MODE),
  );
  try {
    call("write", path, () => {
      // The owner first: changing it takes away bits of the mode.
      if (before !== undefined) fs.fchownSync(descriptor, before.uid, before.gid);
      fs.fchmodSync(descriptor, before === undefined ? NEW_FILE_MODE : before.mode & MODE_BITS);
      fs.writeFileSync(descriptor, bytes);
      fs.fsyncSync(descriptor);
    });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Somebody who has saved the file since we read it does not lose that. */
function isUnchanged(target: string, before: fs.Stats | undefined): boolean {
  const now = call("stat", target, () =>
    fs.statSync(pathForCall(target), { throwIfNoEntry: false }),
  );
  return now?.ino === before?.ino && now?.mtimeMs === before?.mtimeMs && now?.size === before?.size;
}

function call<T>(name: string, path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw systemErrorFrom(error, name, path);
  }
}
