/** Every figure against our nodes and against Debian's, alternately, in one run; USAGE says how. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { parsedOptions, wholeNumber } from "../support/options.ts";
import { admindGroup } from "./admind_group.ts";
import { clusterGroup } from "./cluster_group.ts";
import { deathsGroup } from "./deaths.ts";
import { type Figure, renderTable, rowsAsJson } from "./figures.ts";
import { gigabyteFigures } from "./gigabyte.ts";
import type { Group } from "./group.ts";
import { hotRecordFigures } from "./hot.ts";
import { largeFigures } from "./large.ts";
import { messageFigures } from "./messages.ts";
import { bindToOneProcessor } from "./pinning.ts";
import { processFigures } from "./processes.ts";
import { recordFigures } from "./records.ts";
import { Results } from "./results.ts";
import { ringFigures } from "./rings.ts";
import { smbdGroup } from "./smbd/smbd_group.ts";
import { tlsGroup } from "./tls_group.ts";
import { toolGroup } from "./tool_group.ts";
import { transactionFigures } from "./transactions.ts";
import { traverseFigures } from "./traverse.ts";
import { longestTurnFigures } from "./turns.ts";
import { vacuumFigures } from "./vacuum.ts";

const startFigure: Figure = {
  name: "start of three nodes until all are OK",
  unit: "ms",
  better: "lower",
  measure: async (cluster) => cluster.startMs,
};

/** The longest turns come last of all: they are the longest since the nodes started. */
const EVERYDAY = clusterGroup([
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
]);
/** In the place of the everyday figures, by option. */
const GROUPS = {
  deaths: deathsGroup,
  large: clusterGroup([...largeFigures, ...longestTurnFigures]),
  gigabyte: clusterGroup([...gigabyteFigures, ...longestTurnFigures]),
  smbd: smbdGroup,
  tool: toolGroup,
  admind: admindGroup,
  tls: tlsGroup,
} as const;

const USAGE = `build/bench [OPTIONS]
  --pinned      everything on one processor, the nodes, their smbd and the clients: repeats then differ by a
                few percent, so these figures decide; without it, the cluster has all processors
  --json FILE   the figures of all rounds too
  --rounds N    how often each is measured, ours and Debian's alternately (${EVERYDAY.rounds}; --smbd: ${smbdGroup.rounds})
  --only TEXT   the figures whose names contain it; may come several times
instead of the everyday figures:
  --deaths      kill -9 of one of three nodes, and of the leader: until it is noticed, and from there until recovered
  --large       the recovery of a million records, the memory before, during and 60 s after it, the longest turns
  --gigabyte    the recovery of a database of 1 GiB, the memory during it, the longest turns
  --smbd        Debian's smbd on three hosts over either kind of ctdbd; as root
  --admind      our nodes with a busy ctdb-admind, in the first column, and without one, in the second;
                CTDB_BENCH_JOURNAL=DIRECTORY has node 0 keep its journal there (test/bench/journal.ts makes a long one)
  --tls         our nodes with "transport = tls", in the first column, and with plain TCP, in the second
  --tool        the start of the tool, and of a program that does nothing`;

function chosenGroup(options: Readonly<Record<keyof typeof GROUPS, boolean>>): Group {
  const names = Object.keys(GROUPS) as (keyof typeof GROUPS)[];
  const [first, ...others] = names.filter((name) => options[name]);
  if (others.length > 0) {
    throw new Error(`expected one group, got "--${first}" and "--${others.join('", "--')}"`);
  }
  return first === undefined ? EVERYDAY : GROUPS[first];
}

async function main(): Promise<number> {
  const { options, group } = parsedOptions(USAGE, () => {
    const { values } = parseArgs({
      options: {
        json: { type: "string" },
        rounds: { type: "string" },
        only: { type: "string", multiple: true, default: [""] },
        pinned: { type: "boolean", default: false },
        deaths: { type: "boolean", default: false },
        large: { type: "boolean", default: false },
        gigabyte: { type: "boolean", default: false },
        smbd: { type: "boolean", default: false },
        tool: { type: "boolean", default: false },
        admind: { type: "boolean", default: false },
        tls: { type: "boolean", default: false },
      },
    });
    return { options: values, group: chosenGroup(values) };
  });
  const rounds = wholeNumber(USAGE, "rounds", options.rounds ?? String(group.rounds));
  const wanted = (name: string) => options.only.some((text) => name.includes(text));
  const unknown = group.names.some(wanted) ? undefined : `no figure's name has "${options.only}"`;
  const problem = group.missing() ?? unknown;
  if (problem !== undefined) {
    process.stderr.write(`Cannot compare: ${problem}\n`);
    return 1;
  }
  if (options.pinned) {
    const processor = await bindToOneProcessor();
    process.stderr.write(`everything runs on processor ${processor}\n`);
  }
  const results = new Results((line) => process.stderr.write(line));
  await group.measure({ rounds, wanted }, results);
  const rows = results.rows();
  process.stdout.write(`${renderTable(rows, group.columns)}\n`);
  if (options.json !== undefined) writeFileSync(options.json, rowsAsJson(rows));
  return 0;
}

process.exitCode = await main();
