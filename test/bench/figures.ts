/**
 * What the benchmark measures. A figure gets a running three-node cluster, of ours or of stock nodes, and
 * returns one number; the same program drives both kinds.
 */
export const KINDS = ["ours", "stock"] as const;
export type Kind = (typeof KINDS)[number];

/** What drifts with time favours nobody: the kinds change places each time. */
export function kindsInTurn(time: number): readonly Kind[] {
  return time % 2 === 1 ? KINDS : KINDS.toReversed();
}

export interface BenchCluster {
  readonly kind: Kind;
  readonly nodes: number;
  socket(pnn: number): string;
  /** ctdbd first, then what it started. */
  processes(pnn: number): readonly { readonly role: string; readonly pid: number }[];
  /** Runs the kind's own ctdb tool and waits for its end; throws when it fails. */
  runTool(pnn: number, ...args: readonly string[]): Promise<void>;
  /** Ends ctdbd with SIGKILL and does not wait. */
  kill(pnn: number): void;
  /** Starts it again, and waits until all nodes are ready. */
  restart(pnn: number): Promise<void>;
  /** How long `start` took until all nodes were ready. */
  readonly startMs: number;
  /** When they were, on the clock of `performance.now()`. */
  readonly readyAtMs: number;
}

/** What a row of the table is about. */
export interface Heading {
  readonly name: string;
  readonly unit: string;
  readonly better: "higher" | "lower";
}

export interface Figure extends Heading {
  /** NaN: this kind of node cannot tell. */
  measure(cluster: BenchCluster): Promise<number>;
}

export interface Row extends Heading {
  /** One value per round. */
  readonly ours: readonly number[];
  readonly stock: readonly number[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Half the distance of the extremes, as a share of the median: what a difference must exceed. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values);
}

/** Above 1: ours is better, whichever direction is better for the figure. */
export function ratio(row: Row): number {
  const ours = median(row.ours);
  const stock = median(row.stock);
  return row.better === "higher" ? ours / stock : stock / ours;
}

export function renderTable(
  rows: readonly Row[],
  columns: readonly [ours: string, stock: string] = KINDS,
): string {
  const cells = rows.map((row) => [
    row.name,
    row.unit,
    measured(row.ours),
    measured(row.stock),
    Number.isNaN(ratio(row)) ? "–" : ratio(row).toFixed(2),
  ]);
  const head = ["figure", "unit", ...columns, "ratio"];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...cells.map((cell) => (cell[column] ?? "").length)),
  );
  const line = (cell: readonly string[]) =>
    cell
      .map((text, i) => (i < 2 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join("  ");
  return [line(head), ...cells.map(line)].join("\n");
}

export function rowsAsJson(rows: readonly Row[]): string {
  const values = rows.map((row) => ({
    name: row.name,
    unit: row.unit,
    ours: median(row.ours),
    stock: median(row.stock),
    ratio: ratio(row),
    ours_rounds: row.ours,
    stock_rounds: row.stock,
  }));
  return `${JSON.stringify({ rows: values }, undefined, 2)}\n`;
}

function measured(values: readonly number[]): string {
  if (Number.isNaN(median(values))) return "–";
  return `${short(median(values))} ±${(100 * spread(values)).toFixed(0)}%`;
}

/** Three significant digits, without exponents. */
function short(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString("en-US").replaceAll(",", " ");
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
