/**
 * Figures of a cluster of three nodes, measured in a new one of either kind each round. Both are up for the whole
 * round, so that each figure of one kind is followed at once by that of the other: an idle one uses little.
 */
import {
  type ClusterOptions,
  STOCK_CTDB,
  stockInstalled,
  type TestCluster,
  withCluster,
} from "../support/local_cluster.ts";
import { type BenchCluster, type Figure, type Kind, kindsInTurn } from "./figures.ts";
import type { Group } from "./group.ts";
import { processTree } from "./process_tree.ts";
import type { Results } from "./results.ts";

const ROUNDS = 3;
const NODES = 3;

export function clusterGroup(figures: readonly Figure[]): Group {
  return {
    names: figures.map(({ name }) => name),
    rounds: ROUNDS,
    missing: stockMissing,
    async measure({ rounds, wanted }, results) {
      const chosen = figures.filter(({ name }) => wanted(name));
      for (let round = 1; round <= rounds; round++) {
        process.stderr.write(`round ${round} of ${rounds}\n`);
        await withBenchCluster("ours", {}, (ours) =>
          withBenchCluster("stock", {}, (stock) =>
            measureInTurn({ ours, stock }, chosen, round, results),
          ),
        );
      }
    },
  };
}

/** For `Group.missing`. */
export function stockMissing(): string | undefined {
  return stockInstalled() ? undefined : `no ${STOCK_CTDB}, which Debian's package ctdb has`;
}

/** Each figure of one cluster, and at once of the other. */
export async function measureInTurn(
  clusters: Readonly<Record<Kind, BenchCluster>>,
  figures: readonly Figure[],
  round: number,
  results: Results,
): Promise<void> {
  for (const figure of figures) {
    for (const kind of kindsInTurn(round)) {
      results.add(kind, figure, await figure.measure(clusters[kind]));
    }
  }
}

export async function withBenchCluster(
  kind: Kind,
  options: Pick<ClusterOptions, "lock">,
  action: (cluster: BenchCluster) => Promise<void>,
): Promise<void> {
  const stock = kind === "stock" ? Array.from({ length: NODES }, (_, pnn) => pnn) : [];
  await withCluster({ ...options, nodes: NODES, stock, startNothing: true }, async (cluster) => {
    const started = performance.now();
    await cluster.start();
    await action(benchCluster(kind, cluster, performance.now() - started));
  });
}

export function benchCluster(kind: Kind, cluster: TestCluster, startMs: number): BenchCluster {
  return {
    kind,
    nodes: NODES,
    startMs,
    readyAtMs: performance.now(),
    socket: (pnn) => cluster.socket(pnn),
    processes: (pnn) => {
      const pid = cluster.local.process(pnn).daemonPid();
      if (pid === undefined) throw new Error(`node ${pnn} does not run`);
      return processTree(pid);
    },
    kill: (pnn) => {
      const { local } = cluster;
      const pid = local.process(pnn).daemonPid();
      if (pid === undefined) throw new Error(`node ${pnn} does not run`);
      local.process(pnn).signal(pid, "SIGKILL");
    },
    restart: async (pnn) => {
      await cluster.start(pnn);
      await cluster.waitReady();
    },
    runTool: async (pnn, ...args) => {
      const run = kind === "ours" ? cluster.ctdb(pnn, ...args) : cluster.stockCtdb(pnn, ...args);
      const result = await run;
      if (result.code !== 0) throw new Error(`ctdb ${args.join(" ")}: ${result.stderr}`);
    },
  };
}
