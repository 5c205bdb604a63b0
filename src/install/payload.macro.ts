/**
 * Runs in the bundler, so that the one executable carries the scripts that it installs. Imported
 * `with { type: "macro" }` and never otherwise.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, normalize } from "node:path";
import { bytesText } from "../base/byte_text.ts";

/** Below scripts/, and the unit, as [path, mode, text]. */
export function shippedScripts(): [string, number, string][] {
  const project = normalize(join(import.meta.dir, "../.."));
  const unit = "systemd/ctdb.service";
  return [
    ...filesBelow(join(project, "scripts")),
    [unit, 0o644, bytesText(readFileSync(join(project, unit)))],
  ];
}

function filesBelow(root: string): [string, number, string][] {
  const names = readdirSync(root, { recursive: true }) as string[];
  return names.sort().flatMap((name): [string, number, string][] => {
    const path = join(root, name);
    const stat = statSync(path);
    if (!stat.isFile()) return [];
    return [[name, stat.mode & 0o777, bytesText(readFileSync(path))]];
  });
}
