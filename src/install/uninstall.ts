/** Takes an installation away: what it replaced is there again, and what the administrator has changed since stays. */
import { ok, type Result } from "../base/result.ts";
import type { InstallFiles } from "./files.ts";
import { EXECUTABLE, MANIFEST, SAVED_DIRECTORY, STATE_DIRECTORY } from "./layout.ts";
import type { Manifest, ManifestEntry } from "./manifest.ts";
import { contentOf } from "./plan.ts";

const OLD = ".ctdb-restored";

/** The sentences for the administrator. */
export function uninstall(files: InstallFiles, manifest: Manifest): Result<readonly string[]> {
  const notices: string[] = [];
  // The executable last: its other names are told by it.
  const order = [...manifest.entries].sort(
    (a, b) => Number(a.path === EXECUTABLE) - Number(b.path === EXECUTABLE),
  );
  for (const entry of order) {
    const back = putBack(files, entry);
    if (!back.ok) return back;
    if (back.value === "changed") {
      const kept = entry.saved === undefined ? "" : `; what was there before is "${entry.saved}"`;
      notices.push(`"${entry.path}" was changed since it was installed: it stays${kept}`);
    }
  }
  const removed = files.remove(MANIFEST);
  if (!removed.ok) return removed;
  for (const { saved } of order) if (saved !== undefined) removeEmptyAbove(files, saved);
  files.removeEmptyDirectory(STATE_DIRECTORY);
  for (const path of [...manifest.directories].reverse()) files.removeEmptyDirectory(path);
  return ok(notices);
}

/** Only over what the entry says. */
export function putBack(
  files: InstallFiles,
  entry: ManifestEntry,
): Result<"restored" | "removed" | "changed" | "gone"> {
  const { path, saved } = entry;
  const found = files.look(path);
  if (!found.ok) return found;
  if (found.value === undefined) return ok("gone");
  if (found.value.kind === "directory" || found.value.kind === "other") return ok("changed");
  const content = contentOf(files, path, found.value, entry);
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

function removeEmptyAbove(files: InstallFiles, path: string): void {
  for (
    let directory = path.slice(0, path.lastIndexOf("/"));
    directory.startsWith(SAVED_DIRECTORY);
    directory = directory.slice(0, directory.lastIndexOf("/"))
  ) {
    files.removeEmptyDirectory(directory);
  }
}
