/** Every figure against our nodes and against Debian's, alternately, in one run; USAGE says how. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  STOCK_CTDB,
  stockInstalled,
  type TestCluster,
  withCluster,
} from "../support/local_cluster.ts";
import { parsedOptions, wholeNumber } from "../support/options.ts";
import { type BenchCluster, type Figure, type Row, renderTable, rowsAsJson } from "./figures.ts";
import { hotRecordFigures } from "./hot.ts";
import { largeFigures } from "./large.ts";
import { messageFigures } from "./messages.ts";
import { processTree } from "./process_tree.ts";
import { processFigures } from "./processes.ts";
import { recordFigures } from "./records.ts";
import { ringFigures } from "./rings.ts";
import { transactionFigures } from "./transactions.ts";
import { traverseFigures } from "./traverse.ts";
import { longestTurnFigures } from "./turns.ts";
import { vacuumFigures } from "./vacuum.ts";

const ROUNDS = 3;
const USAGE = `build/bench [OPTIONS]
  --json FILE   the figures of all rounds too
  --rounds N    how often each is measured, ours and Debian's alternately (${ROUNDS})
  --only TEXT   the figures whose names contain it
  --large       the recovery of a million records and the longest turns, instead of the others`;
const NODES = 3;

const startFigure: Figure = {
  name: "start of three nodes until all are OK",
  unit: "ms",
  better: "lower",
  measure: async (cluster) => cluster.startMs,
};

/** Last of all: the longest since the nodes started. */
const FIGURES = [
  startFigure,
  ...processFigures,
  ...messageFigures,
  ...ringFigures,
  ...recordFigures,
  ...hotRecordFigures,
  ...traverseFigures,
  ...vacuumFigures,
  ...transactionFigures,
  ...longestTurnFigures,
];

function benchCluster(kind: "ours" | "stock", cluster: TestCluster, startMs: number): BenchCluster {
  return {
    kind,
    nodes: NODES,
    startMs,
    readyAtMs: performance.now(),
    socket: (pnn) => cluster.socket(pnn),
    processes: (pnn) => {
      const pid = cluster.local.process(pnn).daemonPid();
      if (pid === undefined) throw new Error(`node ${pnn} does not run`);
      return processTree(pid);
    },
    runTool: async (pnn, ...args) => {
      const run = kind === "ours" ? cluster.ctdb(pnn, ...args) : cluster.stockCtdb(pnn, ...args);
      const result = await run;
      if (result.code !== 0) throw new Error(`ctdb ${args.join(" ")}: ${result.stderr}`);
    },
  };
}

async function measureRound(
  kind: "ours" | "stock",
  figures: readonly Figure[],
): Promise<Map<string, number>> {
  const values = new Map<string, number>();
  const stock = kind === "stock" ? [0, 1, 2] : [];
  await withCluster({ nodes: NODES, stock, startNothing: true }, async (cluster) => {
    const started = performance.now();
    await cluster.start();
    const bench = benchCluster(kind, cluster, performance.now() - started);
    for (const figure of figures) {
      const value = await figure.measure(bench);
      values.set(figure.name, value);
      process.stderr.write(
        `  ${kind.padEnd(5)} ${figure.name}: ${value.toFixed(2)} ${figure.unit}\n`,
      );
    }
  });
  return values;
}

async function main(): Promise<number> {
  const { values: options } = parsedOptions(USAGE, () =>
    parseArgs({
      options: {
        json: { type: "string" },
        rounds: { type: "string", default: String(ROUNDS) },
        only: { type: "string", default: "" },
        large: { type: "boolean", default: false },
      },
    }),
  );
  const rounds = wholeNumber(USAGE, "rounds", options.rounds);
  if (!stockInstalled()) {
    process.stderr.write(`Cannot compare: ${STOCK_CTDB} is not installed (Debian package ctdb)\n`);
    return 1;
  }
  const figures = (options.large ? [...largeFigures, ...longestTurnFigures] : FIGURES).filter(
    (figure) => figure.name.includes(options.only),
  );
  const ours: Map<string, number>[] = [];
  const stock: Map<string, number>[] = [];
  for (let round = 1; round <= rounds; round++) {
    process.stderr.write(`round ${round} of ${rounds}\n`);
    ours.push(await measureRound("ours", figures));
    stock.push(await measureRound("stock", figures));
  }
  const column = (measured: readonly Map<string, number>[], name: string) =>
    measured.map((values) => values.get(name) ?? Number.NaN);
  const rows = figures.map(
    ({ name, unit, better }): Row => ({
      name,
      unit,
      better,
      ours: column(ours, name),
      stock: column(stock, name),
    }),
  );
  process.stdout.write(`${renderTable(rows)}\n`);
  if (options.json !== undefined) writeFileSync(options.json, rowsAsJson(rows));
  return 0;
}

process.exitCode = await main();
