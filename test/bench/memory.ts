/**
 * Memory of a node: the proportional set sizes (Pss) of its processes together, so that a page that several of
 * them share counts once. Pages of database files are the databases' and are left out. The nodes of a
 * benchmark are on one machine, so the executables' pages count for each of them in part.
 */
import type { BenchCluster, Figure } from "./figures.ts";
import { settled } from "./idle.ts";
import { readOf } from "./process_tree.ts";

/** How long after a recovery its memory should have gone back. */
const SETTLE_MS = 60_000;
const KIB_PER_MIB = 1024;

/** Of text of /proc/PID/smaps, in KiB. */
export function pssKib(smaps: string): number {
  let counted = true;
  let sum = 0;
  for (const line of smaps.split("\n")) {
    const mapping = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ [0-9]+ *(.*)$/.exec(line);
    if (mapping !== null) counted = !/\.tdb(\.[0-9]+)?$/.test(mapping[1] ?? "");
    const size = /^Pss: +([0-9]+) kB$/.exec(line);
    if (size !== null && counted) sum += Number(size[1]);
  }
  return sum;
}

/** MiB of one node, the mean of all. */
async function nodePss(cluster: BenchCluster): Promise<number> {
  let kib = 0;
  for (let pnn = 0; pnn < cluster.nodes; pnn++) {
    for (const { pid } of cluster.processes(pnn)) kib += pssKib(readOf(pid, "smaps"));
  }
  return kib / KIB_PER_MIB / cluster.nodes;
}

const memoryFigure = { unit: "MiB", better: "lower" } as const;

export const idleMemory: Figure = {
  ...memoryFigure,
  name: "memory (Pss) of all processes of an idle node",
  measure: async (cluster) => {
    await settled(cluster);
    return nodePss(cluster);
  },
};

/** Belongs behind a figure with a recovery. */
export const memoryAfterRecovery: Figure = {
  ...memoryFigure,
  name: `memory (Pss) of all processes of a node ${SETTLE_MS / 1000} s after that recovery`,
  measure: async (cluster) => {
    await Bun.sleep(SETTLE_MS);
    return nodePss(cluster);
  },
};
