/**
 * Deliberately broken variants of the product: proof that the checkers can fire. A variant replaces one
 * piece of text in one source file while that file is loaded; the product itself carries no switches.
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { plugin } from "bun";

export interface Mutant {
  readonly name: string;
  /** What is broken, in words. */
  readonly breaks: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const ROOT = resolve(import.meta.dir, "../..");

/** Must run before the file of the variant is imported. */
export function loadMutant(mutant: Mutant): void {
  const path = resolve(ROOT, mutant.file);
  const source = readFileSync(path, "utf8");
  const parts = source.split(mutant.find);
  if (parts.length !== 2) {
    throw new Error(
      `Variant "${mutant.name}": expected the text once in ${mutant.file}, found it ${parts.length - 1} times`,
    );
  }
  const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  plugin({
    name: `mutant ${mutant.name}`,
    setup(build) {
      build.onLoad({ filter: new RegExp(`^${escaped}$`) }, () => ({
        contents: parts.join(mutant.replace),
        loader: "ts",
      }));
    },
  });
}
