import { expect, test } from "bun:test";
import type { BenchCluster } from "./figures.ts";
import { type Load, loadFigures, processorMicros, speed } from "./loads.ts";

const ITSELF: BenchCluster = {
  kind: "ours",
  nodes: 1,
  startMs: 0,
  readyAtMs: 0,
  socket: () => "",
  processes: () => [{ role: "ctdbd", pid: process.pid }],
  kill: () => {},
  restart: async () => {},
  runTool: async () => {},
};

test("speed() and processorMicros() are of one operation", () => {
  const metered = { operations: 200, elapsedMs: 100, processorMs: 10, childrenMs: 0 };
  expect(speed("1/s", metered)).toBe(2000);
  expect(speed("µs", metered)).toBe(500);
  expect(processorMicros(metered)).toBe(50);
});

test("loadFigures() measures both figures of a load in one run", async () => {
  let runs = 0;
  const load: Load = {
    name: "nothing",
    unit: "1/s",
    async run(_, timed) {
      runs += 1;
      await timed(async () => 10);
    },
  };
  const figures = loadFigures([load]);
  const values = await Promise.all(figures.map((figure) => figure.measure(ITSELF)));
  expect(figures.map(({ name, unit, better }) => [name, unit, better])).toEqual([
    ["nothing", "1/s", "higher"],
    ["nothing: processor time of ctdbd", "µs", "lower"],
  ]);
  expect(values.every((value) => value > 0)).toBe(true);
  expect(runs).toBe(1);
});

test("loadFigures() refuses a load that timed nothing", async () => {
  const [figure] = loadFigures([{ name: "idle", unit: "µs", run: async () => {} }]);
  await expect(figure?.measure(ITSELF)).rejects.toThrow('the load "idle" timed nothing');
});
