/**
 * What a busy ctdb-admind costs its ctdbd: two clusters of our nodes, one of which has a ctdb-admind on each node, and a
 * thousand event streams at that of node 0, which asks the cluster every two seconds for them.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "bun";
import { type TestCluster, withCluster } from "../support/local_cluster.ts";
import { until, when } from "../support/until.ts";
import { benchCluster, measureInTurn } from "./cluster_group.ts";
import type { BenchCluster, Kind } from "./figures.ts";
import type { Group } from "./group.ts";
import { idleTime } from "./idle.ts";
import { messageFigures } from "./messages.ts";
import { recordFigures } from "./records.ts";
import { ringFigures } from "./rings.ts";
import { transactionFigures } from "./transactions.ts";

const ROUNDS = 6;
const NODES = 3;
const STREAMS = 1000;
const START_MS_MAX = 60_000;
const FIGURES = [
  idleTime,
  ...messageFigures,
  ...ringFigures,
  ...recordFigures,
  ...transactionFigures,
];

export const admindGroup: Group = {
  names: FIGURES.map(({ name }) => name),
  rounds: ROUNDS,
  columns: ["with", "without"],
  missing: () => undefined,
  async measure({ rounds, wanted }, results) {
    const chosen = FIGURES.filter(({ name }) => wanted(name));
    for (let round = 1; round <= rounds; round++) {
      process.stderr.write(`round ${round} of ${rounds}\n`);
      await withNodes("ours", (watched, cluster) =>
        withStreams(cluster, () =>
          withNodes("stock", (alone) =>
            measureInTurn({ ours: watched, stock: alone }, chosen, round, results),
          ),
        ),
      );
    }
  },
};

/** `ours`: with ctdb-admind. */
async function withNodes(
  kind: Kind,
  action: (bench: BenchCluster, cluster: TestCluster) => Promise<void>,
): Promise<void> {
  await withCluster({ nodes: NODES, startNothing: true }, async (cluster) => {
    if (kind === "ours") for (const pnn of cluster.pnns) enableAdmind(cluster, pnn);
    const started = performance.now();
    await cluster.start();
    await action(benchCluster("ours", cluster, performance.now() - started), cluster);
  });
}

function enableAdmind(cluster: TestCluster, pnn: number): void {
  const long = pnn === 0 ? process.env["CTDB_BENCH_JOURNAL"] : undefined;
  const directory = long ?? join(cluster.base(pnn), "journal");
  mkdirSync(directory, { recursive: true });
  const lines = [
    "[admin]",
    "enabled = true",
    "[journal]",
    `directory = ${directory}`,
    "keep megabytes = 100000",
  ];
  writeFileSync(`${cluster.base(pnn)}/ctdb-appliance.conf`, `${lines.join("\n")}\n`);
}

/** In a process of their own: the clients of the figures are in this one. */
async function withStreams(cluster: TestCluster, action: () => Promise<void>): Promise<void> {
  const socket = join(cluster.base(0), "run/admind.socket");
  const program = join(import.meta.dir, "open_streams.ts");
  const child = spawn([process.execPath, "run", program, socket, String(STREAMS)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  try {
    const reader = child.stdout.getReader();
    let isOpen = false;
    void reader.read().then(() => {
      isOpen = true;
    });
    await until(`${STREAMS} streams are open`, START_MS_MAX, () => when(isOpen));
    await action();
    if (child.exitCode !== null) throw new Error("the streams ended early");
  } finally {
    child.kill();
    await child.exited;
  }
}
