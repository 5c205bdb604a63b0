/** The files of a package below a directory, from the table of the layout that `ctdb-appliance install` uses. */
import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { executableOf, type Layout } from "../src/install/layout.ts";

/** The unit once more, for postinst. */
export const UNIT_COPY = "/usr/share/ctdb/ctdb.service";

/** Owners and times are the archivers' part. */
export function writeTree(root: string, layout: Layout, executable: string): void {
  const place = (path: string): string => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    return join(root, path);
  };
  for (const { path } of layout.directories) mkdirSync(join(root, path), { recursive: true });
  const file = place(executableOf(layout.paths));
  copyFileSync(executable, file);
  chmodSync(file, 0o755);
  for (const path of layout.roles) linkSync(file, place(path));
  for (const { path, mode, content } of layout.files) {
    writeFileSync(place(path), content);
    chmodSync(join(root, path), mode);
  }
  linkSync(join(root, layout.paths.unit), place(UNIT_COPY));
  for (const { path, target, onlyInNewDirectory } of layout.links) {
    // Those that an administrator may take away are made when the package is set up.
    if (onlyInNewDirectory !== true) symlinkSync(target, place(path));
  }
  // Whatever the umask is.
  for (const path of directoriesBelow(root)) chmodSync(path, 0o755);
  for (const { path, mode } of layout.directories) chmodSync(join(root, path), mode);
}

function directoriesBelow(root: string): readonly string[] {
  const names = readdirSync(root, { recursive: true }) as string[];
  return [root, ...names.map((name) => join(root, name))].filter((path) =>
    lstatSync(path).isDirectory(),
  );
}

/** Regular files below a directory, sorted, each with its path in the package. */
export function filesBelow(root: string): readonly string[] {
  const names = readdirSync(root, { recursive: true }) as string[];
  return names.filter((name) => lstatSync(join(root, name)).isFile()).sort();
}
