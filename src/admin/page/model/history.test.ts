import { expect, test } from "bun:test";
import { curvePoints, RateHistory } from "./history.ts";
import { RATE_SAMPLES_MAX } from "./limits.ts";
import { readCluster } from "./read_cluster.ts";

function clusterWith(...rates: readonly (readonly [string, number | null])[]) {
  const databases = rates.map(([id, calls]) => ({ id, name: id, calls_per_second: calls }));
  const cluster = readCluster({ time: "2026-11-29T00:00:00Z", node: 0, databases });
  if (cluster === undefined) throw new Error("expected a cluster");
  return cluster;
}

test("RateHistory is bounded, and forgets databases that are gone", () => {
  const history = new RateHistory();
  history.add(clusterWith(["0x1", 7], ["0x2", null]));
  expect(history.of("0x2")).toEqual([0]);
  for (let i = 0; i < 2 * RATE_SAMPLES_MAX; i += 1) history.add(clusterWith(["0x1", i]));
  expect(history.of("0x1")).toHaveLength(RATE_SAMPLES_MAX);
  expect(history.of("0x1").at(-1)).toBe(2 * RATE_SAMPLES_MAX - 1);
  expect(history.of("0x2")).toEqual([]);
});

test("curvePoints() ends at the right, and lies flat when nothing happens", () => {
  expect(curvePoints([0, 0], 59, 20)).toBe("58.0,19.0 59.0,19.0");
  expect(curvePoints([0, 5], 59, 20)).toBe("58.0,19.0 59.0,1.0");
  expect(curvePoints([], 59, 20)).toBe("");
});
