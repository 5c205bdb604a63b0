/** The table of docs/breakages.md. */
import type { Breakage } from "./breakage.ts";

export function documentRow({ edits, breaks, tests }: Breakage): string {
  const files = [...new Set(edits.map(({ file }) => file.replace(/^src\//, "")))].join(", ");
  return `| ${files} | ${breaks} | ${tests.map(shortTest).join(", ")} |`;
}

function shortTest(path: string): string {
  return path.replace(/\.test\.ts$/, "");
}
