/**
 * Prints how the stock tool and ours differ: `bun run test/interop/compare_tool/run.ts [tool|nodes]`.
 *   tool   both tools against stock nodes (the default)
 *   nodes  the stock tool against stock nodes and against ours
 */
import { join } from "node:path";
import { compiledExecutables } from "../../support/executables.ts";
import { STOCK_CTDB, withCluster } from "../../support/local_cluster.ts";
import {
  compareRuns,
  type Difference,
  differenceText,
  placesOf,
  type Run,
  runCases,
  startInOrder,
} from "./compare.ts";

/** Recoveries that commands ask for come one after another: the usual 10 s between them only wait. */
const COMMON = { nodes: 3, startNothing: true, tunables: { RerecoveryTimeout: 1 } } as const;
const ALL_STOCK = { ...COMMON, stock: [0, 1, 2] } as const;
const ALL_OURS = COMMON;

export interface Comparison {
  readonly cases: number;
  readonly differences: readonly Difference[];
}

type Progress = (line: string) => void;

/** The stock tool and ours against the same stock nodes. */
export async function compareTools(progress?: Progress): Promise<Comparison> {
  const ours = join(await compiledExecutables(), "ctdb");
  return await withCluster(ALL_STOCK, async (cluster) => {
    await startInOrder(cluster);
    const [expected = [], got = []] = await runCases(cluster, [STOCK_CTDB, ours], progress);
    const places = placesOf(cluster);
    const differences = compareRuns({ places, outcomes: expected }, { places, outcomes: got });
    return { cases: expected.length, differences };
  });
}

/** The stock tool against stock nodes and, meanwhile, against our nodes in the same situations. */
export async function compareNodes(progress?: Progress): Promise<Comparison> {
  const [expected, got] = await Promise.all(
    [ALL_STOCK, ALL_OURS].map((options) =>
      withCluster(options, async (cluster): Promise<Run> => {
        await startInOrder(cluster);
        const [outcomes = []] = await runCases(cluster, [STOCK_CTDB], progress);
        return { places: placesOf(cluster), outcomes };
      }),
    ),
  );
  if (expected === undefined || got === undefined) throw new Error("both clusters were run");
  return { cases: expected.outcomes.length, differences: compareRuns(expected, got) };
}

if (import.meta.main) {
  const compare = process.argv[2] === "nodes" ? compareNodes : compareTools;
  const { cases, differences } = await compare((line) => process.stderr.write(`${line}\n`));
  for (const difference of differences) process.stdout.write(differenceText(difference));
  process.stdout.write(`${cases} command lines, ${differences.length} differences\n`);
  process.exitCode = differences.length === 0 ? 0 : 1;
}
