/**
 * Every cell of the matrix of mixed clusters that consists of our nodes and Debian's, and that docs/mixed.md tells of
 * just these cells.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { stockInstalled } from "../../support/local_cluster.ts";
import {
  cellsOf,
  MIXED_LAYOUTS,
  type Outcome,
  PASSES,
  ROLLING,
  ROLLING_CELL,
  runMatrix,
} from "./matrix.ts";
import { readTable } from "./matrix_document.ts";

const TIMEOUT_MS = 600_000;
/** Clusters mostly wait. */
const CLUSTERS_AT_A_TIME = 6;
const interop = test.skipIf(!stockInstalled());

test("docs/mixed.md has every cell of every layout, and no other", () => {
  const table = readTable();
  expect([...table.keys()]).toEqual([...MIXED_LAYOUTS]);
  for (const layout of MIXED_LAYOUTS) {
    const cells = cellsOf(layout).map(({ name }): [string, string] => [name, PASSES]);
    expect([...(table.get(layout) ?? [])].sort()).toEqual(cells.sort());
  }
});

describe("mixed clusters", () => {
  let outcomes: readonly Outcome[] = [];
  beforeAll(async () => {
    if (!stockInstalled()) return;
    outcomes = await runMatrix(MIXED_LAYOUTS, ROLLING, CLUSTERS_AT_A_TIME);
  }, TIMEOUT_MS);
  afterAll(() => {
    outcomes = [];
  });

  const expectPass = (layout: string, cell: string) => {
    const found = outcomes.find((outcome) => outcome.layout === layout && outcome.cell === cell);
    expect(found?.result ?? "did not run").toBe(PASSES);
  };
  for (const layout of MIXED_LAYOUTS) {
    for (const { name } of cellsOf(layout)) {
      interop(`${layout}: ${name}`, () => expectPass(layout, name));
    }
  }
  for (const [from, to] of ROLLING) {
    interop(`${from} to ${to}: ${ROLLING_CELL}`, () =>
      expectPass(`${from} to ${to}`, ROLLING_CELL),
    );
  }
});
