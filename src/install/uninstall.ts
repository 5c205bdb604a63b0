/** Takes an installation away: what it replaced is there again, and what the administrator has changed since stays. */
import { ok, type Result } from "../base/result.ts";
import type { InstalledPaths } from "../config/layouts.ts";
import type { InstallFiles } from "./files.ts";
import { executableOf, manifestOf, savedDirectoryOf } from "./layout.ts";
import type { Manifest, ManifestEntry } from "./manifest.ts";
import { contentOf } from "./plan.ts";

const OLD = ".ctdb-restored";

/** The sentences for the administrator. */
export function uninstall(
  files: InstallFiles,
  paths: InstalledPaths,
  manifest: Manifest,
): Result<readonly string[]> {
  const executable = executableOf(paths);
  const notices: string[] = [];
  // The executable last: its other names are told by it.
  const order = [...manifest.entries].sort(
    (a, b) => Number(a.path === executable) - Number(b.path === executable),
  );
  for (const entry of order) {
    const back = putBack(files, entry, executable);
    if (!back.ok) return back;
    if (back.value === "changed") {
      const kept = entry.saved === undefined ? "" : `; what was there before is "${entry.saved}"`;
      notices.push(`"${entry.path}" was changed since it was installed: it stays${kept}`);
    }
  }
  const removed = files.remove(manifestOf(paths));
  if (!removed.ok) return removed;
  const kept = savedDirectoryOf(paths);
  for (const { saved } of order) if (saved !== undefined) removeEmptyAbove(files, saved, kept);
  files.removeEmptyDirectory(paths.stateDirectory);
  for (const path of [...manifest.directories].reverse()) files.removeEmptyDirectory(path);
  return ok(notices);
}

/** Only over what the entry says. */
export function putBack(
  files: InstallFiles,
  entry: ManifestEntry,
  executable: string,
): Result<"restored" | "removed" | "changed" | "gone"> {
  const { path, saved } = entry;
  const found = files.look(path);
  if (!found.ok) return found;
  if (found.value === undefined) return ok("gone");
  if (found.value.kind === "directory" || found.value.kind === "other") return ok("changed");
  const content = contentOf(files, { path, found: found.value, before: entry, executable });
  if (!content.ok) return content;
  if (content.value !== entry.content) return ok("changed");
  if (saved === undefined) {
    const removed = files.remove(path);
    return removed.ok ? ok("removed") : removed;
  }
  const there = files.look(saved);
  if (!there.ok) return there;
  if (there.value === undefined) return ok("changed");
  files.remove(`${path}${OLD}`);
  const copied = files.copy(saved, `${path}${OLD}`);
  if (!copied.ok) return copied;
  const renamed = files.rename(`${path}${OLD}`, path);
  if (!renamed.ok) return renamed;
  const cleared = files.remove(saved);
  return cleared.ok ? ok("restored") : cleared;
}

/** Directories of a file that was there, up to the last one. */
export function removeEmptyAbove(files: InstallFiles, path: string, last: string): void {
  for (
    let directory = path.slice(0, path.lastIndexOf("/"));
    directory.startsWith(last);
    directory = directory.slice(0, directory.lastIndexOf("/"))
  ) {
    files.removeEmptyDirectory(directory);
  }
}
