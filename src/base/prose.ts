/**
 * Texts of the manual as data: help shows them on a terminal, pages set them in roff (src/manual/roff.ts).
 * What is typed or shown as it is stands between backticks. A paragraph is one line of ASCII.
 */

/** A paragraph, a list of terms with their meaning, lines as a terminal shows them, or the title of what follows. */
export type Block =
  | string
  | { readonly terms: readonly (readonly [term: string, meaning: string])[] }
  | { readonly screen: string }
  | { readonly heading: string };

/** Narrower than this nothing is wrapped: lines of two words help nobody. */
const COLUMNS_MIN = 20;
const INDENT = "  ";
const TERM_INDENT = "      ";

/** For a terminal of so many columns; each block ends with a newline, and an empty line is between two. */
export function proseText(blocks: readonly Block[], columns: number): string {
  return blocks.map((block) => blockText(block, columns)).join("\n");
}

function blockText(block: Block, columns: number): string {
  if (typeof block === "string") return wrapped(plain(block), columns, INDENT);
  if ("heading" in block) return `${INDENT}${block.heading}\n`;
  if ("screen" in block) {
    return block.screen.replace(/^(?=.)/gm, `${INDENT}${INDENT}`).replace(/\n*$/, "\n");
  }
  return block.terms
    .map(([term, meaning]) => `${INDENT}${term}\n${wrapped(plain(meaning), columns, TERM_INDENT)}`)
    .join("");
}

/** Words that are longer than a line have one for themselves. */
export function wrapped(text: string, columns: number, indent: string): string {
  const width = Math.max(columns, COLUMNS_MIN);
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    const longer = line === "" ? indent + word : `${line} ${word}`;
    if (line !== "" && longer.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines.map((each) => `${each}\n`).join("");
}

function plain(text: string): string {
  return text.replaceAll("`", "");
}
