/** The table of docs/mixed.md: written from outcomes, and read back by the test. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT } from "../../support/source_tree.ts";
import { LEADING, LEAVING } from "./cells.ts";
import type { Layout } from "./kinds.ts";
import { cellsOf, type Outcome, PASSES } from "./matrix.ts";

const DOCUMENT = join(PROJECT, "docs/mixed.md");
/** Between marks of this name stands a table. */
export type TableName = "matrix" | "newest";
const marksOf = (name: TableName) => [`<!-- ${name} -->\n`, `<!-- end of ${name} -->\n`] as const;
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

/** What each red cell says, with the cells of a layout that say the same in one line. */
export function reasonsOf(outcomes: readonly Outcome[]): string {
  const red = outcomes.filter(({ result }) => result !== PASSES);
  const cells = new Map<string, { readonly layout: Layout; readonly names: string[] }>();
  for (const { layout, cell, result } of red) {
    const reason = `${layout}: ${result}`;
    const known = cells.get(reason) ?? { layout, names: [] };
    known.names.push(cell);
    cells.set(reason, known);
  }
  const lines = [...cells].map(([reason, { layout, names }]) => {
    const all = names.length === cellsOf(layout).length;
    return `* ${all ? "all cells" : names.join("; ")} of ${reason}\n`;
  });
  return lines.length === 0 ? "" : `\n${lines.join("")}`;
}

export function writeTable(name: TableName, table: string): void {
  const [before, , after] = parts(name);
  const [begin, end] = marksOf(name);
  writeFileSync(DOCUMENT, `${before}${begin}${table}${end}${after}`);
}

/** Layout → cell → what the document says of it, without the cells that are none. */
export function readTable(name: TableName): ReadonlyMap<Layout, ReadonlyMap<string, string>> {
  const [, table] = parts(name);
  const [head = [], , ...rows] = table
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").map((cell) => cell.trim()));
  return new Map(
    head.slice(2, -1).map((layout, column) => {
      const cells = rows.map((row) => [row[1] ?? "", row[column + 2] ?? ""] as const);
      return [layout, new Map(cells.filter(([, text]) => text !== NONE))];
    }),
  );
}

/** Before the table, the table, after it. */
function parts(name: TableName): readonly [string, string, string] {
  const text = readFileSync(DOCUMENT, "utf8");
  const [begin, end] = marksOf(name);
  const [before, rest] = text.split(begin);
  const [table, after] = rest?.split(end) ?? [];
  if (before === undefined || table === undefined || after === undefined) {
    throw new Error(`expected the marks of the table "${name}" in "${DOCUMENT}"`);
  }
  return [before, table, after];
}
