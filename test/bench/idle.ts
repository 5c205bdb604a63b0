/** What a node uses of the processor when nobody wants anything. */
import type { BenchCluster, Figure } from "./figures.ts";
import { metered } from "./processor_time.ts";

/** New nodes are busier: their code is not compiled yet, and the first rounds of the recovery daemon have more to do. */
const SETTLE_MS = 30_000;
const IDLE_MS = 10_000;
const DAEMONS = /^ctdbd$|^ctdb[-_]recoverd$/;

/** For figures that come before all loads. */
export async function settled(cluster: BenchCluster): Promise<void> {
  await Bun.sleep(Math.max(0, cluster.readyAtMs + SETTLE_MS - performance.now()));
}

/** Of ctdbd and the recovery daemon together, the mean of all nodes: the leader has more to do. */
async function idleProcessorTime(cluster: BenchCluster): Promise<number> {
  await settled(cluster);
  const pids = Array.from({ length: cluster.nodes }, (_, pnn) =>
    cluster.processes(pnn).filter(({ role }) => DAEMONS.test(role)),
  )
    .flat()
    .map(({ pid }) => pid);
  if (pids.length !== 2 * cluster.nodes) {
    throw new Error(`expected ${2 * cluster.nodes} daemons, found ${pids.length}`);
  }
  const { processorMs, elapsedMs } = await metered(pids, async () => {
    await Bun.sleep(IDLE_MS);
    return 1;
  });
  return (processorMs * 1000) / elapsedMs / cluster.nodes;
}

export const idleTime: Figure = {
  name: "processor time of an idle node, ctdbd and recovery daemon",
  unit: "ms/s",
  better: "lower",
  measure: idleProcessorTime,
};
