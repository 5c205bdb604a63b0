/** Figures of the processes themselves: memory, idle CPU, start-up, and the tool's answer time. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import type { BenchCluster, Figure } from "./figures.ts";

const IDLE_MS = 5000;
const CLOCK_TICKS_PER_SEC = 100;
const TOOL_RUNS = 5;

/** The processes of one node: ctdbd and its descendants. */
export function processTree(root: number): { role: string; pid: number }[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    const fields = statFields(Number(name));
    if (fields !== undefined) parents.set(Number(name), Number(fields[1]));
  }
  const found = [root];
  for (let i = 0; i < found.length; i++) {
    for (const [pid, parent] of parents) if (parent === found[i]) found.push(pid);
  }
  return found.map((pid) => ({ role: roleOf(pid), pid }));
}

function roleOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`));
  } catch {
    return "";
  }
}

/** Fields of /proc/PID/stat from the state on; the name before it may hold anything. */
function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const fields = statFields(pid);
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks * 1000) / CLOCK_TICKS_PER_SEC;
}

function residentMb(pid: number): number {
  const match = /^VmRSS:\s+([0-9]+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? Number.NaN) / 1024;
}

async function idleCpu(cluster: BenchCluster): Promise<number> {
  const pids = cluster.processes(0).map(({ pid }) => pid);
  const before = cpuMs(pids);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return ((cpuMs(pids) - before) * 1000) / IDLE_MS;
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
  { name: "CPU when idle, node 0", unit: "ms/s", better: "lower", measure: idleCpu },
  { name: "ctdb status", unit: "ms", better: "lower", measure: toolMs },
];
