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
}

const ROOT = resolve(import.meta.dir, "../..");

/** The text of the edit's file with the edit made. */
export function editedText({ file, find, replace }: Edit, mutant: string): string {
  const parts = readFileSync(resolve(ROOT, file), "utf8").split(find);
  if (parts.length !== 2) {
    throw new Error(
      `Variant "${mutant}": expected ${JSON.stringify(find)} once in ${file}, found it ${parts.length - 1} times`,
    );
  }
  return parts.join(replace);
}

/** Must run before the files of the variant are imported. */
export function loadMutant(mutant: Mutant): void {
  for (const edit of mutant.edits) {
    const contents = editedText(edit, mutant.name);
    const escaped = resolve(ROOT, edit.file).replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    plugin({
      name: `variant ${mutant.name}: ${edit.file}`,
      setup(build) {
        build.onLoad({ filter: new RegExp(`^${escaped}$`) }, () => ({ contents, loader: "ts" }));
      },
    });
  }
}
