/** What TLS between nodes costs: two clusters of our nodes, one with `transport = tls`, one with plain TCP. */
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { useTls } from "../support/tls_cluster.ts";
import { benchCluster, measureInTurn } from "./cluster_group.ts";
import type { BenchCluster } from "./figures.ts";
import type { Group } from "./group.ts";
import { idleTime } from "./idle.ts";
import { messageFigures } from "./messages.ts";
import { recordFigures } from "./records.ts";
import { ringFigures } from "./rings.ts";
import { transactionFigures } from "./transactions.ts";

const ROUNDS = 3;
const NODES = 3;
const FIGURES = [
  idleTime,
  ...messageFigures,
  ...ringFigures,
  ...recordFigures,
  ...transactionFigures,
];

export const tlsGroup: Group = {
  names: FIGURES.map(({ name }) => name),
  rounds: ROUNDS,
  columns: ["TLS", "TCP"],
  missing: () => undefined,
  async measure({ rounds, wanted }, results) {
    const chosen = FIGURES.filter(({ name }) => wanted(name));
    for (let round = 1; round <= rounds; round++) {
      process.stderr.write(`round ${round} of ${rounds}\n`);
      await withNodes(
        (cluster) => useTls(cluster),
        (secured) =>
          withNodes(
            () => Promise.resolve(),
            (plain) => measureInTurn({ ours: secured, stock: plain }, chosen, round, results),
          ),
      );
    }
  },
};

async function withNodes(
  prepare: (cluster: TestCluster) => Promise<unknown>,
  action: (bench: BenchCluster) => Promise<void>,
): Promise<void> {
  await withCluster({ nodes: NODES, startNothing: true }, async (cluster) => {
    await prepare(cluster);
    const started = performance.now();
    await cluster.start();
    await action(benchCluster("ours", cluster, performance.now() - started));
  });
}
