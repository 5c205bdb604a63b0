/**
 * Deliberately broken variants of the product: proof that the checkers can fire. A variant replaces
 * pieces of text in source files while these are loaded; the product itself carries no switches.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { plugin } from "bun";

export interface Edit {
  /** Relative to the repository. */
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  /** What is broken, in words. */
  readonly breaks: string;
  readonly edits: readonly Edit[];
  /** Only disks that fill and fail show it. */
  readonly disks?: boolean;
  /** Only nodes that are cut off in a commit show it. */
  readonly commits?: boolean;
  /** Only storms show it. */
  readonly weather?: boolean;
  /** The first that caught it when it was looked for last, if that was not soon: it is tried before the others. */
  readonly seed?: number;
}

const ROOT = resolve(import.meta.dir, "../..");

/** The files of a variant as they are with all its edits made, by path. */
export function editedFiles({ name, edits }: Mutant): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const path = resolve(ROOT, file);
    const parts = (files.get(path) ?? readFileSync(path, "utf8")).split(find);
    if (parts.length !== 2) {
      throw new Error(
        `Variant "${name}": expected ${JSON.stringify(find)} once in ${file}, found it ${parts.length - 1} times`,
      );
    }
    files.set(path, parts.join(replace));
  }
  return files;
}

/** Must run before the files of the variant are imported. */
export function loadMutant(mutant: Mutant): void {
  for (const [path, contents] of editedFiles(mutant)) {
    const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    plugin({
      name: `variant ${mutant.name}: ${path}`,
      setup(build) {
        build.onLoad({ filter: new RegExp(`^${escaped}$`) }, () => ({ contents, loader: "ts" }));
      },
    });
  }
}
