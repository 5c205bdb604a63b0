/**
 * Plays all scenario files, or those named, and shows where their output differs from what the file
 * says; --rewrite writes the new output into them. Exits 1 when one differs.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parsedOptions } from "../support/options.ts";
import { ALL_COMMANDS, play } from "./play.ts";

const USAGE = `bun run test/scenarios/run.ts [--rewrite] [NAME…]

Commands of a scenario:
${ALL_COMMANDS.map(({ pattern, help }) => `${pattern.padEnd(42)} ${help}`).join("\n")}`;

const { values: options, positionals } = parsedOptions(USAGE, () =>
  parseArgs({
    options: { rewrite: { type: "boolean", default: false } },
    allowPositionals: true,
  }),
);

const names = readdirSync(import.meta.dir)
  .filter((name) => name.endsWith(".txt"))
  .filter((name) => positionals.length === 0 || positionals.includes(name.replace(/\.txt$/, "")))
  .sort();

let different = 0;
for (const name of names) {
  const path = join(import.meta.dir, name);
  const before = readFileSync(path, "utf8");
  const after = play(before);
  if (after === before) continue;
  different += 1;
  if (options.rewrite) {
    writeFileSync(path, after);
    console.log(`rewritten: ${name}`);
    continue;
  }
  console.log(`${name} differs:`);
  showDifference(before.split("\n"), after.split("\n"));
}
console.log(`${names.length} scenarios, ${different} ${options.rewrite ? "rewritten" : "differ"}`);
process.exitCode = different > 0 && !options.rewrite ? 1 : 0;

function showDifference(before: readonly string[], after: readonly string[]): void {
  const at = after.findIndex((line, i) => line !== before[i]);
  for (const line of before.slice(Math.max(0, at - 3), at)) console.log(`    ${line}`);
  for (const line of before.slice(at, at + 8)) console.log(`  - ${line}`);
  for (const line of after.slice(at, at + 8)) console.log(`  + ${line}`);
}
