/** The project's own sources as the tidy tests see them: paths, text without comments, imports. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import packageJson from "../../package.json" with { type: "json" };

export const PROJECT = normalize(join(import.meta.dir, "../.."));

export interface SourceFile {
  /** From the project's root: "src/wire/codec.ts". */
  readonly path: string;
  readonly text: string;
  /** Without comments; strings are kept. */
  readonly code: string;
  /** Without comments and without what stands in string literals. */
  readonly bareCode: string;
  /** Project files that it imports or names as entry points, from the root. */
  readonly references: readonly string[];
  /** Those of them that are loaded with it, types included; not what `import()` loads when it is needed. */
  readonly imports: readonly string[];
  /** Other modules: "node:fs", "valibot". */
  readonly packages: readonly string[];
}

export function sourceFiles(folders: readonly string[]): readonly SourceFile[] {
  return folders.flatMap(listFolder).map(readSource);
}

function listFolder(folder: string): readonly string[] {
  const names = readdirSync(join(PROJECT, folder), { recursive: true }) as string[];
  return names
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/${name}`)
    .sort();
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(PROJECT, path), "utf8");
  const code = strip(text, false);
  const named = (pattern: RegExp): readonly string[] =>
    [...code.matchAll(pattern)].flatMap(([, reference]) => targetsOf(path, reference as string));
  const references = named(/["'](\.{1,2}\/[^"'\s]+\.ts|#\w+)["']/g);
  const imports = named(/\b(?:from|import)\s*["'](\.{1,2}\/[^"'\s]+\.ts|#\w+)["']/g);
  const packages: string[] = [];
  for (const [, name] of code.matchAll(/(?:\bfrom|\bimport\(?)\s*["']([^.#"'][^"']*)["']/g)) {
    packages.push(name as string);
  }
  return { path, text, code, bareCode: strip(text, true), references, imports, packages };
}

/** By the runtime that runs: package.json, "imports". */
const RUNTIME_FILES: Readonly<Record<string, Readonly<Record<string, string>>>> =
  packageJson.imports;

/** The project files that a reference in `path` means, from the root: of "#foreign" the one of each runtime. */
export function targetsOf(path: string, reference: string): readonly string[] {
  if (reference.startsWith(".")) return [normalize(join(dirname(path), reference))];
  return Object.values(RUNTIME_FILES[reference] ?? {}).map(normalize);
}

/**
 * One pass over the text that knows comments, quotes and templates. Regular expression literals are not
 * known; one that holds a quote would need care, and the tests would show it.
 */
function strip(text: string, stringsToo: boolean): string {
  const pattern =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/g;
  return text.replace(pattern, (match) => {
    const lines = match.replace(/[^\n]/g, "");
    if (match.startsWith("/*") || match.startsWith("//")) return lines;
    // What a template computes stays visible.
    if (match.startsWith("`")) return stringsToo ? substitutions(match) : match;
    return stringsToo ? `""${lines}` : match;
  });
}

function substitutions(template: string): string {
  return `(${[...template.matchAll(/\$\{([^}]*)\}/g)].map(([, inner]) => inner).join(", ")})`;
}
