/**
 * How long the event loop of a ctdbd was busy at a time: the goal is that no turn takes over 10 ms. On a busy
 * machine a turn may take longer because others run: so also how much of it was work, at most.
 */
import { bytesText } from "../../src/wire/codec.ts";
import { must } from "../support/must.ts";
import { connect } from "./clients.ts";
import type { BenchCluster, Figure } from "./figures.ts";
import { oncePerCluster } from "./once.ts";

type Report = Readonly<Record<"longest turn" | "most processor time", number>>;

/** From the nodes' own reports (`ctdb dumpmemory`), which stock nodes do not have. */
async function turnMs(cluster: BenchCluster, what: keyof Report): Promise<number> {
  if (cluster.kind === "stock") return Number.NaN;
  return (await reports(cluster))[what];
}

/** Of all nodes together; asked once, as the report itself takes a turn. */
const reports = oncePerCluster(async (cluster): Promise<Report> => {
  const longest = { "longest turn": 0, "most processor time": 0 };
  for (let pnn = 0; pnn < cluster.nodes; pnn++) {
    const client = await connect(cluster, pnn);
    const report = must(await client.control("DUMP_MEMORY", undefined));
    client.close();
    for (const what of ["longest turn", "most processor time"] as const) {
      const match = new RegExp(`${what}: ([0-9.]+) ms \\(([^)]*)\\)`).exec(bytesText(report.data));
      if (match === null) throw new Error(`node ${pnn} does not report "${what}" of a turn`);
      process.stderr.write(`  node ${pnn}: ${what} ${match[1]} ms in ${match[2]}\n`);
      longest[what] = Math.max(longest[what], Number(match[1]));
    }
  }
  return longest;
});

export const longestTurnFigures: readonly Figure[] = [
  {
    name: "longest turn of a ctdbd in all of these",
    unit: "ms",
    better: "lower",
    measure: (cluster) => turnMs(cluster, "longest turn"),
  },
  {
    name: "processor time of one turn, at most",
    unit: "ms",
    better: "lower",
    measure: (cluster) => turnMs(cluster, "most processor time"),
  },
];
