/**
 * bun run test/sim/run.ts [--seed N] [--seeds COUNT] [--nodes N] [--minutes M] [--disks] [--commits] [--weather] [--jobs N] [--for SEC] [--mutant NAME] [--sound N] [--log]
 *
 * Runs seeds and prints, for each failing one, why, its last log lines and the command that
 * reproduces it. Exits 1 when a checker fired; with --mutant it stops at the first seed that
 * catches the variant (fails with it and not without it), and exits 1 when none does.
 */
import { parseArgs } from "node:util";
import { parsedOptions, wholeNumber } from "../support/options.ts";
import { MUTANTS } from "./mutant_list.ts";
import { loadMutant } from "./mutants.ts";
import { runJobs, SHARED_OUT, withoutOptions } from "./run_jobs.ts";
import { type Totals, totalsText } from "./run_totals.ts";
import type { RunResult } from "./simulate.ts";

const USAGE = `bun run test/sim/run.ts [OPTIONS]
  --seed N      the first seed (1)
  --seeds N     how many (1)
  --nodes N     nodes of the cluster (4)
  --minutes N   virtual minutes for each seed (10)
  --disks       disks fill and fail all the time
  --commits     many transactions, and nodes that are cut off in them
  --weather     storms of all faults at once on 3 to 8 nodes, each followed by a healed world
  --jobs N      so many processes share the seeds (1)
  --for SEC     begins no seed any more after so many seconds
  --every N     leaves out all but every Nth seed (1)
  --mutant NAME a broken variant: stops at the seed that catches it
  --sound N     seeds to N are known to pass without a variant
  --log         everything that the nodes log
  --verbose     a line for each seed`;

const { values: options } = parsedOptions(USAGE, () =>
  parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      seeds: { type: "string", default: "1" },
      nodes: { type: "string", default: "4" },
      minutes: { type: "string", default: "10" },
      disks: { type: "boolean", default: false },
      commits: { type: "boolean", default: false },
      weather: { type: "boolean", default: false },
      jobs: { type: "string", default: "1" },
      for: { type: "string" },
      every: { type: "string", default: "1" },
      mutant: { type: "string" },
      sound: { type: "string", default: "0" },
      log: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
    },
  }),
);

const first = wholeNumber(USAGE, "seed", options.seed);
const count = wholeNumber(USAGE, "seeds", options.seeds);
const nodes = wholeNumber(USAGE, "nodes", options.nodes);
const minutes = wholeNumber(USAGE, "minutes", options.minutes);
const jobs = wholeNumber(USAGE, "jobs", options.jobs);
const sound = wholeNumber(USAGE, "sound", options.sound, 0);
const every = wholeNumber(USAGE, "every", options.every);
const limitSec =
  options.for === undefined ? Number.POSITIVE_INFINITY : wholeNumber(USAGE, "for", options.for);

if (jobs > 1) {
  const seeds = { first, count, jobs };
  process.exit(await runJobs(seeds, withoutOptions(process.argv.slice(2), SHARED_OUT)));
}

if (options.mutant !== undefined) {
  const mutant = MUTANTS.find(({ name }) => name === options.mutant);
  if (mutant === undefined) {
    console.error(`--mutant: expected one of ${MUTANTS.map(({ name }) => name).join(", ")}`);
    process.exit(2);
  }
  loadMutant(mutant);
  if (mutant.disks === true) options.disks = true;
  if (mutant.commits === true) options.commits = true;
  if (mutant.weather === true) options.weather = true;
}
// After the variant is in place: modules are loaded once.
const { simulate } = await import("./simulate.ts");

/** What the product's own promises threw, and nobody caught. */
let unhandled: unknown;
process.on("unhandledRejection", (reason) => {
  unhandled ??= reason;
});

async function runSeed(seed: number): Promise<RunResult> {
  unhandled = undefined;
  const result = simulate({
    seed,
    nodes,
    virtualMs: minutes * 60_000,
    disks: options.disks,
    commits: options.commits,
    weather: options.weather,
    ...(options.log ? { onLogLine: (line: string) => console.log(line) } : {}),
  });
  // Rejections are reported by the real event loop.
  await new Promise((resolve) => setTimeout(resolve, 0));
  if (result.violation !== undefined || unhandled === undefined) return result;
  const text = unhandled instanceof Error ? unhandled.stack : String(unhandled);
  return { ...result, violation: `a promise of the product failed: ${text}` };
}

function sameRun(seed: number, endMinutes = minutes): string[] {
  const size = ["--seed", String(seed), "--nodes", String(nodes), "--minutes", String(endMinutes)];
  const kinds = (["disks", "commits", "weather"] as const).filter((kind) => options[kind]);
  return [...size, ...kinds.map((kind) => `--${kind}`)];
}

function reproduce(seed: number): string {
  return `bun run test/sim/run.ts ${sameRun(seed).join(" ")} --log`;
}

/** Until then. In a process of its own: the variant is loaded here. */
function failsAnyway(seed: number, virtualMs: number): boolean {
  // Storms are laid out by the length of the whole run.
  const endMinutes = options.weather ? minutes : Math.ceil(virtualMs / 60_000);
  const argv = [process.execPath, "run", import.meta.path, ...sameRun(seed, endMinutes)];
  return Bun.spawnSync(argv, { stdout: "ignore", stderr: "ignore" }).exitCode !== 0;
}

const started = performance.now();
const cpuStarted = process.cpuUsage();
const totals: Totals = {
  seeds: 0,
  virtualMs: 0,
  turns: 0,
  faults: 0,
  recoveries: 0,
  vacuumed: 0,
  seconds: 0,
  cpuSeconds: 0,
  settleMs: 0,
  failures: [],
};
for (let seed = first; seed < first + count; seed += every) {
  if (performance.now() - started >= limitSec * 1000) break;
  const result = await runSeed(seed);
  totals.seeds += 1;
  totals.virtualMs += result.virtualMs;
  totals.turns += result.turns;
  totals.recoveries += result.recoveries;
  totals.faults += result.faults;
  totals.vacuumed += result.vacuumed;
  totals.settleMs = Math.max(totals.settleMs, result.settleMs);
  if (options.verbose) {
    console.log(
      `seed ${seed}: ${Math.round(result.virtualMs / 1000)} s, ${result.turns} turns, ` +
        `${result.faults} faults, ${result.recoveries} recoveries, ${result.increments} increments, ${result.reads} reads, ${result.transactions} transactions, ` +
        `settled after ${Math.round(result.settleMs / 1000)} s`,
    );
  }
  if (result.violation === undefined) continue;
  totals.failures.push(reproduce(seed));
  console.log(`seed ${seed}: ${result.violation}`);
  if (options.mutant !== undefined) {
    if (seed > sound && failsAnyway(seed, result.virtualMs)) {
      console.log(`seed ${seed} fails without the variant, too`);
      continue;
    }
    console.log(`caught after ${seed - first + 1} seeds`);
    process.exit(0);
  }
  for (const line of options.log ? [] : result.log) console.log(`    ${line}`);
  console.log(`reproduce: ${reproduce(seed)}`);
}
totals.seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpuStarted);
totals.cpuSeconds = (user + system) / 1e6;
// One of several jobs tells its parent, which says it for all.
if (process.send === undefined) console.log(totalsText(totals));
else process.send(totals);
process.exitCode = totals.failures.length > 0 || options.mutant !== undefined ? 1 : 0;
