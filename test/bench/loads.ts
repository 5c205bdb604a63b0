/**
 * A load is many equal operations on a cluster. It becomes two figures of one run: how fast they went, and
 * what one of them cost the ctdbd of all nodes in processor time.
 */
import type { BenchCluster, Figure } from "./figures.ts";
import { oncePerCluster } from "./once.ts";
import { type Metered, metered } from "./processor_time.ts";

/** Takes the time of `section`, which tells how many operations it did. */
export type Timed = (section: () => Promise<number>) => Promise<void>;

export interface Load {
  readonly name: string;
  /** Operations a second, or the time of one. */
  readonly unit: "1/s" | "µs";
  /** Sets up, and has `timed` run what counts, once. */
  run(cluster: BenchCluster, timed: Timed): Promise<void>;
}

export function loadFigures(loads: readonly Load[]): readonly Figure[] {
  return loads.flatMap((load) => {
    const once = oncePerCluster((cluster) => measure(load, cluster));
    return [
      {
        name: load.name,
        unit: load.unit,
        better: load.unit === "1/s" ? "higher" : "lower",
        measure: async (cluster) => speed(load.unit, await once(cluster)),
      },
      {
        name: `${load.name}: processor time of ctdbd`,
        unit: "µs",
        better: "lower",
        measure: async (cluster) => processorMicros(await once(cluster)),
      },
    ] satisfies readonly Figure[];
  });
}

export function speed(unit: Load["unit"], { operations, elapsedMs }: Metered): number {
  return unit === "1/s" ? (operations * 1000) / elapsedMs : (elapsedMs * 1000) / operations;
}

/** For one operation. */
export function processorMicros({ operations, processorMs }: Metered): number {
  return (processorMs * 1000) / operations;
}

async function measure(load: Load, cluster: BenchCluster): Promise<Metered> {
  const daemons = Array.from({ length: cluster.nodes }, (_, pnn) => daemonPid(cluster, pnn));
  let result: Metered | undefined;
  await load.run(cluster, async (section) => {
    result = await metered(daemons, section);
  });
  if (result === undefined) throw new Error(`the load "${load.name}" timed nothing`);
  return result;
}

function daemonPid(cluster: BenchCluster, pnn: number): number {
  const [daemon] = cluster.processes(pnn);
  if (daemon === undefined) throw new Error(`node ${pnn} does not run`);
  return daemon.pid;
}
