/** What the sources export by name and who imports it, for tests that look for code that nobody runs. */
import { type SourceFile, targetsOf } from "./source_tree.ts";

export interface Export {
  readonly path: string;
  readonly name: string;
  readonly isType: boolean;
  /** Its own file mentions it beside the declaration. */
  readonly usedInside: boolean;
}

const DECLARATION =
  /^export\s+(?:abstract\s+)?(?:async\s+)?(function\*?|class|const|let|enum|interface|type)\s+([\w$]+)/gm;
const NAMED_IMPORT = /\b(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s*["']([.#][^"']+)["']/g;
const NAMESPACE_IMPORT = /\bimport\s+(?:type\s+)?\*\s+as\s+([\w$]+)\s+from\s*["'](\.[^"']+)["']/g;
const DYNAMIC_IMPORT = /\bimport\(\s*["'](\.[^"']+)["']\s*\)/g;
const STAR_EXPORT = /\bexport\s+\*\s+from\s*["'](\.[^"']+)["']/g;

export function exportsOf(file: SourceFile): readonly Export[] {
  return [...file.code.matchAll(DECLARATION)].map(([, kind, name]) => ({
    path: file.path,
    name: name as string,
    isType: kind === "interface" || kind === "type",
    usedInside: mentions(file.bareCode, name as string) > 1,
  }));
}

function mentions(code: string, name: string): number {
  return (
    code.match(new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`, "g"))?.length ?? 0
  );
}

export class Importers {
  readonly #files: ReadonlyMap<string, SourceFile>;
  /** Paths of the importing files, by `path name`. */
  readonly #importers = new Map<string, Set<string>>();

  constructor(files: readonly SourceFile[]) {
    this.#files = new Map(files.map((file) => [file.path, file]));
    for (const file of files) this.#read(file);
  }

  of({ path, name }: Pick<Export, "path" | "name">): readonly string[] {
    return [...(this.#importers.get(`${path} ${name}`) ?? [])];
  }

  #read(file: SourceFile): void {
    for (const [, list = "", reference = ""] of file.code.matchAll(NAMED_IMPORT)) {
      for (const item of list.split(",")) {
        const name = item
          .trim()
          .replace(/^type\s+/, "")
          .split(/\s+as\s+/)[0] as string;
        if (name === "") continue;
        for (const target of targetsOf(file.path, reference)) this.#add(target, name, file.path);
      }
    }
    for (const [, alias = "", reference = ""] of file.code.matchAll(NAMESPACE_IMPORT)) {
      for (const [, name = ""] of file.code.matchAll(new RegExp(`\\b${alias}\\.([\\w$]+)`, "g"))) {
        for (const target of targetsOf(file.path, reference)) this.#add(target, name, file.path);
      }
    }
    // What the importer does with the module is not followed: any mention of a name counts.
    for (const [, reference = ""] of file.code.matchAll(DYNAMIC_IMPORT)) {
      const imported = targetsOf(file.path, reference).map((target) => this.#files.get(target));
      for (const { path, name } of imported.flatMap((one) => (one ? exportsOf(one) : []))) {
        if (mentions(file.code, name) > 0) this.#add(path, name, file.path);
      }
    }
  }

  #add(path: string, name: string, importer: string): void {
    const key = `${path} ${name}`;
    const known = this.#importers.get(key);
    if (known === undefined) this.#importers.set(key, new Set([importer]));
    else known.add(importer);
    // A file that passes on everything of others: the name is one of theirs.
    const file = this.#files.get(path);
    for (const [, reference = ""] of file?.code.matchAll(STAR_EXPORT) ?? []) {
      for (const target of targetsOf(path, reference)) this.#add(target, name, importer);
    }
  }
}
