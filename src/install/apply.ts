/**
 * Does what a plan says. Everything new lies beside its place before the first name changes, so that a full or read-only
 * disk changes nothing; the manifest is written before the names, so that what a crash left can be undone.
 */
import { textBytes } from "../base/byte_text.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { InstallFiles } from "./files.ts";
import { executableOf, manifestOf, savedDirectoryOf } from "./layout.ts";
import { manifestText } from "./manifest.ts";
import type { InstallPlan, Placed } from "./plan.ts";
import { putBack, removeEmptyAbove } from "./uninstall.ts";

const NEW = ".ctdb-new";

export function applyInstall(
  files: InstallFiles,
  plan: InstallPlan,
  release: string,
  directoriesBefore: readonly string[],
): Result<void> {
  const staged: string[] = [];
  const outcome = stage(files, plan, staged);
  if (!outcome.ok) {
    takeBack(files, plan, staged);
    return err(`${outcome.error}; nothing was changed`);
  }
  const made = plan.directories.map(({ path }) => path);
  const manifest = manifestText({
    version: 1,
    release,
    directories: [...directoriesBefore, ...made],
    entries: [...plan.entries],
  });
  const written = replaceText(files, manifestOf(plan.paths), manifest);
  if (!written.ok) return written;
  // First: names of the executable are told by the one that is still there.
  const removed = each(plan.removals, (entry) => {
    const back = putBack(files, entry, executableOf(plan.paths));
    return back.ok ? ok(undefined) : back;
  });
  if (!removed.ok) return removed;
  return each(plan.places, ({ path }) => files.rename(`${path}${NEW}`, path));
}

/** Whatever of it is there. */
function takeBack(files: InstallFiles, plan: InstallPlan, staged: readonly string[]): void {
  const { paths, saves, directories } = plan;
  for (const path of [...staged, ...saves.map(({ to }) => to)]) files.remove(path);
  for (const { to } of saves) removeEmptyAbove(files, to, savedDirectoryOf(paths));
  files.removeEmptyDirectory(paths.stateDirectory);
  for (const { path } of directories.toReversed()) files.removeEmptyDirectory(path);
}

function stage(files: InstallFiles, plan: InstallPlan, staged: string[]): Result<void> {
  const state = { path: plan.paths.stateDirectory, mode: 0o700 };
  const directories = each([...plan.directories, state], (one) =>
    files.makeDirectory(one.path, one.mode),
  );
  if (!directories.ok) return directories;
  const saved = each(plan.saves, ({ path, to }) => {
    const parent = files.makeDirectory(to.slice(0, to.lastIndexOf("/")), 0o755);
    return parent.ok ? files.copy(path, to) : parent;
  });
  if (!saved.ok) return saved;
  const isNew = plan.places.some(({ content }) => content.is === "executable");
  const executable = `${executableOf(plan.paths)}${isNew ? NEW : ""}`;
  return each(plan.places, (placed) => {
    const { path } = placed;
    const parent = files.makeDirectory(path.slice(0, path.lastIndexOf("/")), 0o755);
    if (!parent.ok) return parent;
    // What an installation that was killed has left.
    files.remove(`${path}${NEW}`);
    staged.push(`${path}${NEW}`);
    return stageOne(files, placed, executable);
  });
}

function stageOne(
  files: InstallFiles,
  { path, content }: Placed,
  executable: string,
): Result<void> {
  const temporary = `${path}${NEW}`;
  switch (content.is) {
    case "file":
      return files.write(temporary, content.bytes, content.mode);
    case "link":
      return files.symbolicLink(content.target, temporary);
    case "executable":
      return files.copyExecutable(temporary);
    case "role":
      return files.hardLink(executable, temporary);
  }
}

function replaceText(files: InstallFiles, path: string, text: string): Result<void> {
  files.remove(`${path}${NEW}`);
  const written = files.write(`${path}${NEW}`, textBytes(text), 0o644);
  return written.ok ? files.rename(`${path}${NEW}`, path) : written;
}

function each<T>(all: readonly T[], act: (one: T) => Result<void>): Result<void> {
  for (const one of all) {
    const outcome = act(one);
    if (!outcome.ok) return outcome;
  }
  return ok(undefined);
}
