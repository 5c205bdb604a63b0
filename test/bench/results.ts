/** Collects values round by round, each shown at once, into the rows of a table. */
import type { Heading, Kind, Row } from "./figures.ts";

interface Values extends Heading {
  readonly ours: number[];
  readonly stock: number[];
}

export class Results {
  readonly #rows = new Map<string, Values>();
  readonly #show: (line: string) => void;

  constructor(show: (line: string) => void) {
    this.#show = show;
  }

  add(kind: Kind, { name, unit, better }: Heading, value: number): void {
    let row = this.#rows.get(name);
    if (row === undefined) {
      row = { name, unit, better, ours: [], stock: [] };
      this.#rows.set(name, row);
    }
    row[kind].push(value);
    this.#show(`  ${kind.padEnd(5)} ${name}: ${value.toFixed(2)} ${unit}\n`);
  }

  /** In the order in which they were first measured. A kind that was never measured has no number. */
  rows(): readonly Row[] {
    const orNone = (values: readonly number[]) => (values.length > 0 ? values : [Number.NaN]);
    return [...this.#rows.values()].map((row) => ({
      ...row,
      ours: orNone(row.ours),
      stock: orNone(row.stock),
    }));
  }
}
