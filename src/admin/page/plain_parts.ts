/**
 * The page on a runtime that runs the sources as they are, and knows no macros: the same document and style, and each
 * module of the script as a file of its own, without its types. In the executable it is bundled_parts.ts.
 */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { bytesText } from "../../base/byte_text.ts";
import { documentParts } from "./document_parts.ts";

const SOURCES = fileURLToPath(new URL("../../", import.meta.url));
const ENTRY = join(SOURCES, "admin/page/view/main.ts");
const SCRIPT = "text/javascript; charset=utf-8";
const IMPORTED = /(\bfrom\s*|\bimport\s*)"(\.{1,2}\/[^"]+)\.ts"/g;

/** As [path of the URL, content type, text]. */
export function pageParts(): [string, string, string][] {
  const modules = new Map<string, string>();
  addModule(ENTRY, modules);
  return [
    ...documentParts(),
    ["/page.js", SCRIPT, `import "${urlOf(ENTRY)}";\n`],
    ...[...modules].map(([path, text]): [string, string, string] => [urlOf(path), SCRIPT, text]),
  ];
}

function addModule(path: string, modules: Map<string, string>): void {
  if (modules.has(path)) return;
  const text = stripTypeScriptTypes(bytesText(readFileSync(path)));
  modules.set(path, text.replaceAll(IMPORTED, '$1"$2.js"'));
  for (const [, , name] of text.matchAll(IMPORTED)) {
    addModule(join(dirname(path), `${name}.ts`), modules);
  }
}

function urlOf(path: string): string {
  return `/page/${relative(SOURCES, path).replace(/\.ts$/, ".js")}`;
}
