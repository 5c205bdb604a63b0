/** What several figures share of one cluster is measured once. */
import type { BenchCluster } from "./figures.ts";

export function oncePerCluster<T>(
  measure: (cluster: BenchCluster) => Promise<T>,
): (cluster: BenchCluster) => Promise<T> {
  const measured = new WeakMap<BenchCluster, Promise<T>>();
  return (cluster) => {
    let result = measured.get(cluster);
    if (result === undefined) {
      result = measure(cluster);
      measured.set(cluster, result);
    }
    return result;
  };
}
