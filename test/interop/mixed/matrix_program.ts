/**
 * Runs the matrix of mixed clusters and prints it as a table:
 *
 *     bun run test/interop/mixed/matrix_program.ts [--layouts=OSS,SSS | --newest] [--width=4] [--write]
 *
 * `--newest`: the layouts with upstream's newest, from the folder that CTDB_TEST_NEWEST names. `--write` puts a table that is
 * not of chosen layouts into docs/mixed.md.
 */
import {
  MIXED_LAYOUTS,
  NEWEST_LAYOUTS,
  type Outcome,
  PASSES,
  ROLLING,
  runMatrix,
} from "./matrix.ts";
import { reasonsOf, tableOf, writeTable } from "./matrix_document.ts";

const CLUSTERS_AT_A_TIME = 4;

const options = new Map(
  process.argv.slice(2).map((word) => {
    const [name = "", value = ""] = word.split("=");
    return [name, value];
  }),
);
const named = options.get("--layouts")?.split(",");
const newest = options.has("--newest");
const layouts = named ?? (newest ? NEWEST_LAYOUTS : MIXED_LAYOUTS);
const rolling = named !== undefined || newest ? [] : ROLLING;
const width = Number(options.get("--width") ?? CLUSTERS_AT_A_TIME);

const say = ({ layout, cell, result, seconds }: Outcome) =>
  process.stderr.write(`${seconds.toFixed(1).padStart(6)} s  ${layout}  ${cell}: ${result}\n`);
const outcomes = await runMatrix(layouts, rolling, width, say);
const table = tableOf(outcomes, layouts) + reasonsOf(outcomes);
process.stdout.write(table);
if (options.has("--write") && named === undefined) writeTable(newest ? "newest" : "matrix", table);
process.exitCode = outcomes.every(({ result }) => result === PASSES) ? 0 : 1;
