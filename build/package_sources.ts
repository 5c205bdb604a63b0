/**
 * A copy of all that goes into the executable, for the bundler: where node_modules is a link, the names of the chunks
 * would depend on where it leads.
 */
import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { lockedParts } from "../src/install/locked_parts.ts";

const SOURCES = [
  "src",
  "scripts",
  "systemd",
  "docs",
  "CHANGELOG.md",
  "bunfig.toml",
  "package.json",
  "package-lock.json",
  "tsconfig.json",
];

export function copySources(project: string, to: string): void {
  const parts = lockedParts(readFileSync(join(project, "package-lock.json"), "utf8"));
  const libraries = parts.filter(({ architecture }) => architecture === undefined);
  for (const path of [...SOURCES, ...libraries.map(({ name }) => `node_modules/${name}`)]) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    cpSync(join(project, path), join(to, path), { recursive: true, dereference: true });
  }
}
