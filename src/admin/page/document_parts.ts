/** What of the page is shipped as it stands: the document, its style and its icon. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bytesText } from "../../base/byte_text.ts";

const PARTS: readonly (readonly [path: string, contentType: string, source: string])[] = [
  ["/", "text/html; charset=utf-8", "page.html"],
  ["/page.css", "text/css; charset=utf-8", "page.css"],
  ["/icon.svg", "image/svg+xml", "icon.svg"],
];

/** As [path of the URL, content type, text]. */
export function documentParts(): [string, string, string][] {
  return PARTS.map(([path, contentType, source]) => {
    return [
      path,
      contentType,
      bytesText(readFileSync(fileURLToPath(new URL(source, import.meta.url)))),
    ];
  });
}
