/** Corrupt files of a journal make room for a new one, and stay beside it for whoever wants to look into them. */
import { err, ok, type Result } from "../../base/result.ts";
import type { FileSystem } from "../../platform/types/files.ts";
import { SET_ASIDE_FILES_MAX } from "../limits.ts";

/** What SQLite has beside a database. */
const BESIDE = ["", "-wal", "-shm"];
const NAME = /^\.corrupt-(\d+)\.sqlite$/;

/** Paths of files that were set aside, newest last. `path` is without an ending. */
export function listSetAside(files: FileSystem, path: string): readonly string[] {
  return numbersAside(files, path).map((number) => asidePath(path, number));
}

/** The path that `file` has now. */
export function setAside(files: FileSystem, path: string, file: string): Result<string> {
  const numbers = numbersAside(files, path);
  for (const old of numbers.slice(0, Math.max(0, numbers.length + 1 - SET_ASIDE_FILES_MAX))) {
    for (const ending of BESIDE) files.remove(asidePath(path, old) + ending);
  }
  const target = asidePath(path, (numbers.at(-1) ?? 0) + 1);
  for (const ending of BESIDE) {
    if (!files.exists(file + ending)) continue;
    const renamed = files.rename(file + ending, target + ending);
    if (!renamed.ok) return err(`Cannot set aside "${file}${ending}": ${renamed.error.message}`);
  }
  return ok(target);
}

function asidePath(path: string, number: number): string {
  return `${path}.corrupt-${number}.sqlite`;
}

function numbersAside(files: FileSystem, path: string): readonly number[] {
  const slash = path.lastIndexOf("/");
  const prefix = path.slice(slash + 1);
  const names = files.list(path.slice(0, slash) || "/");
  if (!names.ok) return [];
  return names.value
    .filter((name) => name.startsWith(prefix))
    .flatMap((name) => NAME.exec(name.slice(prefix.length))?.[1] ?? [])
    .map(Number)
    .sort((one, other) => one - other);
}
