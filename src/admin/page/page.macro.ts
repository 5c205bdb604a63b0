/**
 * Runs in the bundler, so that the executable carries the page: bundled_parts.ts imports it `with { type: "macro" }`,
 * and nobody otherwise. The script is bundled by a bundler of its own, since it is for another kind of program.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { bytesText } from "../../base/byte_text.ts";
import { documentParts } from "./document_parts.ts";

const ENTRY = join(import.meta.dirname, "view/main.ts");
const OPTIONS = [
  "--target=browser",
  "--format=esm",
  // Names stay, for the stacks in a browser's console.
  "--minify-syntax",
  "--minify-whitespace",
];

/** As [path of the URL, content type, text]. */
export function shippedPage(): [string, string, string][] {
  const script = execFileSync(process.execPath, ["build", ...OPTIONS, ENTRY]);
  return [...documentParts(), ["/page.js", "text/javascript; charset=utf-8", bytesText(script)]];
}
