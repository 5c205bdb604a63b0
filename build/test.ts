/**
 * The whole suite: the gate, then what needs peers or time, three groups at a time.
 * `--quick`: the gate alone. Last line: `N passed, N failed`. With CI set, a skipped test is a failure.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { GATE_WIDTH, gateStages, PROGRAMS, SLOW_TESTS } from "./gate.ts";
import { holdsTests, type Outcome, PROJECT, runStages, type Stage } from "./stage.ts";

/**
 * test/torture needs one processor throughout; the clusters of the others mostly wait, so that two of them share the
 * other.
 */
const SLOW_WIDTH = 3;
const SLOW_TIMEOUT_MS = 60 * 60_000;
/** A folder inside one of them that takes longer than their groups: by itself, and begun first. */
const APART = "test/interop/mixed";
/** Folders that are longer than their share, and into how many groups: short ones, so that nobody waits for the last. */
const DIVIDED: Readonly<Record<string, number>> = {
  "test/interop": 6,
  "test/netns": 4,
};

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

/** A folder's files and folders in turn, so that neighbours, which are alike, are spread over its groups. */
function slowStages(): readonly Stage[] {
  const paths = SLOW_TESTS.map((name) => `test/${name}`);
  const programs: Stage = {
    name: "deno check of programs",
    command: ["deno", "check", "--quiet", ...PROGRAMS],
  };
  const folders = [APART, ...paths]
    .filter((path) => existsSync(join(PROJECT, path)))
    .flatMap((path) => {
      const count = DIVIDED[path] ?? 1;
      const entries = testsIn(path);
      return Array.from({ length: count }, (_, group) => {
        const name = count === 1 ? path : `${path} ${group + 1}/${count}`;
        const tests = entries.filter((_, i) => i % count === group);
        return { name, tests, timeoutMs: SLOW_TIMEOUT_MS };
      });
    });
  return [...folders, programs];
}

function testsIn(path: string): readonly string[] {
  return readdirSync(join(PROJECT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() || entry.name.endsWith(".test.ts"))
    .map(({ name }) => `${path}/${name}`)
    .filter((entry) => entry !== APART && holdsTests(join(PROJECT, entry)))
    .sort();
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
