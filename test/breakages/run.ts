/**
 * bun run test/breakages/run.ts [--document] [NAME ...]
 *
 * Runs all breakages, or those named, and says what caught each. Exits 1 when one was not caught. With
 * --document it prints the rows of the table in docs/breakages.md instead.
 */
import { parseArgs } from "node:util";
import { parsedOptions } from "../support/options.ts";
import { documentRow } from "./document.ts";
import { BREAKAGES } from "./list.ts";
import { runBreakage } from "./run_breakage.ts";

const USAGE = `bun run test/breakages/run.ts [--document] [NAME ...]
  --document    the rows of the table in docs/breakages.md`;

const { values: options, positionals: names } = parsedOptions(USAGE, () =>
  parseArgs({
    options: { document: { type: "boolean", default: false } },
    allowPositionals: true,
  }),
);
const unknown = names.find((name) => !BREAKAGES.some((one) => one.name === name));
if (unknown !== undefined) {
  console.error(`No breakage "${unknown}": expected names of test/breakages/list.ts`);
  process.exit(2);
}
if (options.document) {
  for (const breakage of BREAKAGES) console.log(documentRow(breakage));
  process.exit(0);
}
let missed = 0;
for (const breakage of BREAKAGES) {
  if (names.length > 0 && !names.includes(breakage.name)) continue;
  const { caught, how } = await runBreakage(breakage);
  console.log(`${breakage.name}: ${caught ? "caught" : "NOT CAUGHT"}: ${how}`);
  if (!caught) missed += 1;
}
process.exitCode = missed > 0 ? 1 : 0;
