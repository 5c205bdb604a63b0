/**
 * bun run test/sim/run.ts [--seed N] [--seeds COUNT] [--nodes N] [--minutes M] [--mutant NAME] [--log]
 *
 * Runs seeds and prints a line for each failing one with the command that reproduces it. Exits 1 when a
 * checker fired (with --mutant: 0, for the variant is meant to be caught).
 */
import { parseArgs } from "node:util";
import { loadMutant } from "./mutants.ts";
import { MUTANTS } from "./mutant_list.ts";

const { values: options } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "1" },
    nodes: { type: "string", default: "4" },
    minutes: { type: "string", default: "10" },
    mutant: { type: "string" },
    log: { type: "boolean", default: false },
  },
});

function whole(name: "seed" | "seeds" | "nodes" | "minutes"): number {
  const value = Number(options[name]);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`--${name}: expected a whole number above 0, got "${options[name]}"`);
  process.exit(2);
}

const first = whole("seed");
const count = whole("seeds");
const nodes = whole("nodes");
const minutes = whole("minutes");

if (options.mutant !== undefined) {
  const mutant = MUTANTS.find(({ name }) => name === options.mutant);
  if (mutant === undefined) {
    console.error(`--mutant: expected one of ${MUTANTS.map(({ name }) => name).join(", ")}`);
    process.exit(2);
  }
  loadMutant(mutant);
}
// After the variant is in place: modules are loaded once.
const { simulate } = await import("./simulate.ts");

const started = performance.now();
let virtualMs = 0;
let turns = 0;
let recoveries = 0;
let faults = 0;
let failures = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = simulate({
    seed,
    nodes,
    virtualMs: minutes * 60_000,
    ...(options.log ? { onLogLine: (line: string) => console.log(line) } : {}),
  });
  virtualMs += result.virtualMs;
  turns += result.turns;
  recoveries += result.recoveries;
  faults += result.faults;
  if (result.violation === undefined) continue;
  failures += 1;
  console.log(`seed ${seed}: ${result.violation}`);
  for (const line of result.log) console.log(`    ${line}`);
  const variant = options.mutant === undefined ? "" : ` --mutant ${options.mutant}`;
  console.log(
    `reproduce: bun run test/sim/run.ts --seed ${seed} --nodes ${nodes} --minutes ${minutes}${variant} --log`,
  );
  if (options.mutant !== undefined) {
    console.log(`caught after ${seed - first + 1} seeds`);
    process.exit(0);
  }
}
const seconds = (performance.now() - started) / 1000;
console.log(
  `${count} seeds, ${Math.round(virtualMs / 1000)} virtual seconds in ${seconds.toFixed(1)} s ` +
    `(${Math.round(virtualMs / 1000 / seconds)} per second), ${turns} turns, ${faults} faults, ` +
    `${recoveries} recoveries, ${failures} failed`,
);
process.exitCode = failures > 0 || options.mutant !== undefined ? 1 : 0;
