/**
 * Runs the matrix of mixed clusters and prints it as a table:
 *
 *     bun run test/interop/mixed/matrix_program.ts [--layouts=OSS,SSS] [--width=4] [--rolling] [--write]
 *
 * `--write` puts the table of the usual layouts into docs/mixed.md.
 */
import { MIXED_LAYOUTS, type Outcome, PASSES, ROLLING, runMatrix } from "./matrix.ts";
import { tableOf, writeTable } from "./matrix_document.ts";

const CLUSTERS_AT_A_TIME = 4;

const options = new Map(
  process.argv.slice(2).map((word) => {
    const [name = "", value = ""] = word.split("=");
    return [name, value];
  }),
);
const named = options.get("--layouts");
const layouts = named === undefined ? MIXED_LAYOUTS : named.split(",");
const rolling = named === undefined || options.has("--rolling") ? ROLLING : [];
const width = Number(options.get("--width") ?? CLUSTERS_AT_A_TIME);

const say = ({ layout, cell, result, seconds }: Outcome) =>
  process.stderr.write(`${seconds.toFixed(1).padStart(6)} s  ${layout}  ${cell}: ${result}\n`);
const outcomes = await runMatrix(layouts, rolling, width, say);
const table = tableOf(outcomes, layouts);
process.stdout.write(table);
if (options.has("--write")) writeTable(table);
process.exitCode = outcomes.every(({ result }) => result === PASSES) ? 0 : 1;
