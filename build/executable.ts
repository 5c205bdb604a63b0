/**
 * How the one executable is made from src/: the options of the bundler, and what they are for
 * (docs/platform.md, "The executable").
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "./must_run.ts";

/** A worker is in the executable only when it is an entry point of its own. */
export const ENTRY_POINTS = ["src/main.ts", "src/platform/node/lock_worker.ts"];

const OPTIONS = [
  "--compile",
  // A daemon of root must not read .env or bunfig.toml from its working directory.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  // A role loads only its own chunks, already compiled: `ctdb` starts in a third of the time.
  "--splitting",
  "--format=esm",
  "--bytecode",
  // The engine compiles ten times as late, until a role says otherwise (`compileAsUsual()`).
  "--compile-jit-policy=10",
  // Names stay, for the stacks in logs.
  "--minify-syntax",
  "--minify-whitespace",
];

/** For another processor than this one's: the bundler's name of it, and the runtime for it. */
export interface OtherTarget {
  readonly target: string;
  readonly runtime: string;
}

/**
 * Bundles `<project>/src` into `outfile`; throws with the bundler's text when that fails. The bytes depend on the
 * sources and on the file's name, which is in them, and on nothing else.
 */
export async function compileExecutable(
  bun: string,
  project: string,
  outfile: string,
  other?: OtherTarget,
): Promise<void> {
  const target =
    other === undefined
      ? []
      : [`--target=${other.target}`, `--compile-executable-path=${other.runtime}`];
  const command = [bun, "build", ...OPTIONS, ...target, ...ENTRY_POINTS, "--outfile", outfile];
  try {
    await mustRun(command, "Cannot compile the executable", project);
  } catch (error) {
    rmSync(join(project, outfile), { force: true });
    rmSync(outfile, { force: true });
    throw error;
  }
}
