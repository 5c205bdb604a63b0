/** The programs that are shell scripts, as [name, path]. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

const FOLDERS = ["bin", "helpers"];

export function scriptPrograms(project: string): readonly (readonly [string, string])[] {
  return FOLDERS.flatMap((folder) => {
    const directory = join(project, "scripts", folder);
    return readdirSync(directory).map((name) => [name, join(directory, name)] as const);
  });
}
