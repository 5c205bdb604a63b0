/** The page as the bundler has read and bundled it; on runtimes without macros: plain_parts.ts. */
import { shippedPage } from "./page.macro.ts" with { type: "macro" };

/** As [path of the URL, content type, text]. */
export function pageParts(): [string, string, string][] {
  return shippedPage();
}
