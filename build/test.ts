/**
 * The whole suite: the gate, then what needs peers or time, two groups at a time.
 * `--quick`: the gate alone. Last line: `N passed, N failed`. With CI set, a skipped test is a failure.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { GATE_WIDTH, gateStages, SLOW_TESTS } from "./gate.ts";
import { type Outcome, PROJECT, runStages, type Stage } from "./stage.ts";

/** The simulator's seeds need a processor, the clusters of other tests mostly wait. */
const SLOW_WIDTH = 2;
const SLOW_TIMEOUT_MS = 60 * 60_000;
const DIVIDED = "test/interop";

async function main(args: readonly string[]): Promise<number> {
  const wrong = args.find((arg) => arg !== "--quick");
  if (wrong !== undefined) {
    console.error(`usage: build/test [--quick] (got "${wrong}")`);
    return 2;
  }
  const outcomes = await runStages(gateStages(), GATE_WIDTH);
  if (!args.includes("--quick")) outcomes.push(...(await runStages(slowStages(), SLOW_WIDTH)));
  return conclude(outcomes);
}

/** Each group by itself; what test/interop has in folders beside what it has in files: it is the longest by far. */
function slowStages(): readonly Stage[] {
  const groups = SLOW_TESTS.map((name) => `test/${name}`).filter((path) =>
    existsSync(join(PROJECT, path)),
  );
  return groups.flatMap((path) => (path === DIVIDED ? halvesOf(path) : [stageOf(path, [path])]));
}

function halvesOf(path: string): readonly Stage[] {
  const entries = readdirSync(join(PROJECT, path), { withFileTypes: true });
  const pathOf = ({ name }: { name: string }) => `${path}/${name}`;
  const files = entries.filter(({ name }) => name.endsWith(".test.ts")).map(pathOf);
  const folders = entries.filter((entry) => entry.isDirectory()).map(pathOf);
  return [stageOf(path, files.sort()), stageOf(`${path}/*/`, folders.sort())];
}

function stageOf(name: string, tests: readonly string[]): Stage {
  return { name, tests, timeoutMs: SLOW_TIMEOUT_MS };
}

function conclude(outcomes: readonly Outcome[]): number {
  const strict = process.env["CI"] !== undefined && process.env["CI"] !== "";
  const skipped = outcomes.flatMap((outcome) => outcome.skipped);
  for (const name of skipped) console.log(`skipped: ${name}`);
  if (strict && skipped.length > 0) console.log(`CI allows no skip: counted as failures`);
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0);
  const failures = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  const failed = failures + (strict ? skipped.length : 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
