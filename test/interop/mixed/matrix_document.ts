/** The table of docs/mixed.md: written from outcomes, and read back by the test. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../support/source_tree.ts";
import { LEADING, LEAVING } from "./cells.ts";
import type { Layout } from "./kinds.ts";
import { cellsOf, type Outcome, PASSES } from "./matrix.ts";

const DOCUMENT = join(PROJECT, "docs/mixed.md");
const MARKS = ["<!-- matrix -->\n", "<!-- end of matrix -->\n"] as const;
/** A cell that is none of the layout. */
const NONE = "–";
const RED = "red";

/** A row for each cell of any of the layouts. */
export function tableOf(outcomes: readonly Outcome[], layouts: readonly Layout[]): string {
  const names = [...LEADING.cells, ...LEAVING.cells].map(({ name }) => name);
  const rows = names.filter((name) =>
    layouts.some((layout) => cellsOf(layout).some((cell) => cell.name === name)),
  );
  const result = (layout: Layout, cell: string) =>
    outcomes.find((outcome) => outcome.layout === layout && outcome.cell === cell)?.result;
  const cellText = (layout: Layout, cell: string) => {
    const text = result(layout, cell);
    if (text === undefined) return NONE;
    return text === PASSES ? PASSES : RED;
  };
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return [
    line(["", ...layouts]),
    line(["---", ...layouts.map(() => "---")]),
    ...rows.map((cell) => line([cell, ...layouts.map((layout) => cellText(layout, cell))])),
  ].join("");
}

export function writeTable(table: string): void {
  const [before, , after] = parts();
  writeFileSync(DOCUMENT, `${before}${MARKS[0]}${table}${MARKS[1]}${after}`);
}

/** Layout → cell → what the document says of it, without the cells that are none. */
export function readTable(): ReadonlyMap<Layout, ReadonlyMap<string, string>> {
  const [, table] = parts();
  const [head = [], , ...rows] = table
    .trimEnd()
    .split("\n")
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return new Map(
    head.slice(2, -1).map((layout, column) => {
      const cells = rows.map((row) => [row[1] ?? "", row[column + 2] ?? ""] as const);
      return [layout, new Map(cells.filter(([, text]) => text !== NONE))];
    }),
  );
}

/** Before the table, the table, after it. */
function parts(): readonly [string, string, string] {
  const text = readFileSync(DOCUMENT, "utf8");
  const [before, rest] = text.split(MARKS[0]);
  const [table, after] = rest?.split(MARKS[1]) ?? [];
  if (before === undefined || table === undefined || after === undefined) {
    throw new Error(`expected the marks of the matrix in "${DOCUMENT}"`);
  }
  return [before, table, after];
}
