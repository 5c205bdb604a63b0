/**
 * Runs in the bundler, so that the one executable carries what it installs: the product imports it
 * `with { type: "macro" }` and never otherwise.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, normalize } from "node:path";
import { bytesText } from "../base/byte_text.ts";
import { type LockedPart, lockedParts } from "./locked_parts.ts";

const PROJECT = normalize(join(import.meta.dir, "../.."));
const DOCUMENTS: readonly (readonly [name: string, source: string])[] = [
  ["changelog", "CHANGELOG.md"],
  ["copyright", "docs/copyright"],
  ["selinux.md", "docs/selinux.md"],
];

/** Below scripts/, units, and documents, as [path, mode, text]. */
export function shippedScripts(): [string, number, string][] {
  return [
    ...filesBelow(join(PROJECT, "scripts")),
    ...filesOf("systemd", "systemd"),
    ...filesOf("documents/runbooks", "docs/runbooks"),
    ...DOCUMENTS.map(([name, source]): [string, number, string] => {
      return [`documents/${name}`, 0o644, textOf(join(PROJECT, source))];
    }),
  ];
}

function filesOf(name: string, folder: string): [string, number, string][] {
  return filesBelow(join(PROJECT, folder)).map(([path, mode, text]): [string, number, string] => {
    return [`${name}/${path}`, mode, text];
  });
}

/** What the executable is made of besides our sources. */
export function shippedParts(): LockedPart[] {
  return lockedParts(textOf(join(PROJECT, "package-lock.json")));
}

function filesBelow(root: string): [string, number, string][] {
  const names = readdirSync(root, { recursive: true }) as string[];
  return names.sort().flatMap((name): [string, number, string][] => {
    const path = join(root, name);
    const stat = statSync(path);
    if (!stat.isFile()) return [];
    // The rest is the umask of whoever has checked the sources out.
    return [[name, (stat.mode & 0o100) === 0 ? 0o644 : 0o755, textOf(path)]];
  });
}

function textOf(path: string): string {
  return bytesText(readFileSync(path));
}
