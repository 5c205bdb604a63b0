/** Figures of the processes themselves: memory, idle processor time, and the tool's answer time. */
import type { BenchCluster, Figure } from "./figures.ts";
import { idleTime } from "./idle.ts";
import { idleMemory } from "./memory.ts";
import { readOf } from "./process_tree.ts";

const TOOL_RUNS = 5;

function residentMb(pid: number): number {
  const match = /^VmRSS:\s+([0-9]+) kB/m.exec(readOf(pid, "status"));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}

async function toolMs(cluster: BenchCluster): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < TOOL_RUNS; i++) {
    const started = performance.now();
    await cluster.runTool(0, "status");
    times.push(performance.now() - started);
  }
  return times.reduce((sum, time) => sum + time, 0) / TOOL_RUNS;
}

export const processFigures: readonly Figure[] = [
  {
    name: "resident memory of ctdbd on node 0",
    unit: "MB",
    better: "lower",
    measure: async (cluster) => residentMb(cluster.processes(0)[0]?.pid ?? 0),
  },
  {
    name: "resident memory of all processes of node 0",
    unit: "MB",
    better: "lower",
    measure: async (cluster) =>
      cluster.processes(0).reduce((sum, { pid }) => sum + residentMb(pid), 0),
  },
  idleMemory,
  idleTime,
  { name: "ctdb status", unit: "ms", better: "lower", measure: toolMs },
];
