/**
 * The matrix of mixed clusters: cells by layouts. Cells of one group share a running cluster; one that does not pass
 * has its cluster started anew, so that the next is judged by itself. Clusters run side by side, each on loopback
 * addresses of its own.
 */
import type { LockKind } from "../../../src/local/cluster_description.ts";
import { type Cell, type CellGroup, LEADING, LEAVING } from "./cells.ts";
import { type Layout, withLayout } from "./kinds.ts";
import type { MixedCluster } from "./mixed_cluster.ts";
import { replacedAndBack } from "./rolling_cells.ts";

export const PASSES = "passes";

/** What a cell came to: "passes", or the reason why not. */
export interface Outcome {
  readonly layout: Layout;
  readonly cell: string;
  readonly result: string;
  readonly seconds: number;
}

/** Clusters of layouts with the odd node elsewhere: who is first and who leads is all that a number can change. */
const SHORT = new Set(["OSO", "SOO", "SOS", "SSO"]);
const SHORT_CELLS = /^all start|leads and recovers$|leads and is killed$|is there first/;

/** Two kinds of nodes in every number and order. */
export const MIXED_LAYOUTS: readonly Layout[] = [
  "OS",
  "SO",
  "OOS",
  "OSS",
  "OSO",
  "SOO",
  "SOS",
  "SSO",
];
/** What every node becomes, one after the other, and back: "SSS to OOO". */
export const ROLLING: readonly (readonly [from: Layout, to: Layout])[] = [
  ["SS", "OO"],
  ["SSS", "OOO"],
];
export const ROLLING_CELL = "rolling replacement and back, counting all the time";

const GROUPS: readonly CellGroup[] = [LEADING, LEAVING];

export function cellsOf(layout: Layout): readonly Cell[] {
  return GROUPS.flatMap((group) => cellsOfGroup(group, layout));
}

function cellsOfGroup(group: CellGroup, layout: Layout): readonly Cell[] {
  const short = SHORT.has(layout);
  return group.cells.filter(
    (cell) => cell.concerns(layout) && (!short || SHORT_CELLS.test(cell.name)),
  );
}

/** Nodes without a cluster lock elect by themselves: layouts of two have none, and half of those of three. */
export function lockOf(layout: Layout): LockKind {
  return layout.length > 2 && layout.startsWith("O") ? "file" : "none";
}

type Job = () => Promise<readonly Outcome[]>;

export type Tell = (outcome: Outcome) => void;

/** At most `width` clusters at a time. */
export async function runMatrix(
  layouts: readonly Layout[],
  rolling: readonly (readonly [Layout, Layout])[],
  width: number,
  tell: Tell = () => {},
): Promise<readonly Outcome[]> {
  const jobs: Job[] = [
    // The longest first.
    ...rolling.map(
      ([from, to]) =>
        () =>
          runRolling(from, to, tell),
    ),
    ...layouts.flatMap((layout) => GROUPS.map((group) => () => runGroup(group, layout, tell))),
  ];
  const outcomes: Outcome[] = [];
  const work = async (): Promise<void> => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
      outcomes.push(...(await job()));
    }
  };
  await Promise.all(Array.from({ length: width }, work));
  return outcomes;
}

async function runGroup(group: CellGroup, layout: Layout, tell: Tell): Promise<readonly Outcome[]> {
  const cells = cellsOfGroup(group, layout);
  const outcomes: Outcome[] = [];
  if (cells.length === 0) return outcomes;
  await withLayout(layout, lockOf(layout), async (mixed) => {
    let broken: string | undefined = await reasonOf(() => startAll(mixed));
    for (const cell of cells) {
      const startMs = performance.now();
      const round = `${layout} ${cell.name}`;
      const reason = broken ?? (await reasonOf(() => cell.run({ mixed, layout, round })));
      const seconds = (performance.now() - startMs) / 1000;
      const outcome = { layout, cell: cell.name, result: reason ?? PASSES, seconds };
      outcomes.push(outcome);
      tell(outcome);
      if (reason === undefined) continue;
      if (process.env["CTDB_TEST_VERBOSE"] !== undefined) {
        process.stderr.write(mixed.cluster.logTails());
      }
      broken = await reasonOf(() => startAll(mixed));
    }
  });
  return outcomes;
}

async function runRolling(from: Layout, to: Layout, tell: Tell): Promise<readonly Outcome[]> {
  const startMs = performance.now();
  const reason = await reasonOf(() =>
    withLayout(from, "file", (mixed) => replacedAndBack(mixed, to)),
  );
  const seconds = (performance.now() - startMs) / 1000;
  const layout = `${from} to ${to}`;
  const outcome = { layout, cell: ROLLING_CELL, result: reason ?? PASSES, seconds };
  tell(outcome);
  return [outcome];
}

/** Also of a cluster that somebody has left broken. */
async function startAll(mixed: MixedCluster): Promise<void> {
  await mixed.cluster.stop();
  await mixed.start(...mixed.pnns);
}

async function reasonOf(action: () => Promise<void>): Promise<string | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return text.replaceAll(/\s+/g, " ").trim();
  }
}
