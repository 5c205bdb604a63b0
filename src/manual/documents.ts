/** The manual and the completions as files, where an installation has them. */
import type { InstalledPaths } from "../config/layouts.ts";
import type { CtdbPaths } from "../config/types.ts";
import { bashCompletion } from "./completion/bash.ts";
import { grammars } from "./completion/programs.ts";
import { zshCompletion } from "./completion/zsh.ts";
import type { Programs } from "./pages/appliance.ts";
import { manualPages } from "./pages.ts";
import { pageRoff } from "./roff.ts";

export interface DocumentFiles {
  readonly files: readonly {
    readonly path: string;
    readonly text: string;
    /** It is installed compressed, under its path with `.gz`. */
    readonly compressed: boolean;
  }[];
  /** Other names: bash loads the file that has the name of the program. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
}

/** `release`: what stands in the foot of each page; `paths`: of an installation. */
export function documentFiles(
  programs: Programs,
  release: string,
  paths: CtdbPaths,
  { manualDirectory, bashDirectory, zshDirectory }: InstalledPaths,
): DocumentFiles {
  const words = grammars(programs);
  const [first, ...others] = words.map(({ program }) => `${bashDirectory}/${program}`);
  const pages = manualPages(programs, paths).map((page) => ({
    path: `${manualDirectory}/man${page.section}/${page.name}.${page.section}`,
    text: pageRoff(page, release),
    compressed: true,
  }));
  const target = first ?? bashDirectory;
  return {
    files: [
      ...pages,
      { path: target, text: bashCompletion(words), compressed: false },
      {
        path: `${zshDirectory}/_ctdb`,
        text: zshCompletion(words),
        compressed: false,
      },
    ],
    links: others.map((path) => ({ path, target })),
  };
}
