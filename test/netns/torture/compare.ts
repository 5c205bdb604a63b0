/**
 * Runs the listed suites of smbtorture on clusters of our nodes and of stock nodes, a new cluster for each
 * run, and compares the sets of passing tests. Exit status 0: all runs of both kinds passed the same tests.
 *
 *     bun run test/netns/torture/compare.ts [--runs=3] [--kinds=ours,stock] [--suites=NAME,...] [--keep=DIR]
 *
 * --suites: those of the list with these names. --keep: the output of every suite goes there.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { netnsPossible, withNetnsCluster } from "../cluster.ts";
import type { CtdbKind } from "../ctdb_node.ts";
import { runSuite, TORTURE_OPTIONS, type Verdict } from "./suite_run.ts";
import { listedSuites, type Suite } from "./suites.ts";

const HOSTS = 2;
const SUITE_TIMEOUT_MS = 10 * 60_000;

interface Run {
  readonly name: string;
  readonly verdicts: ReadonlyMap<string, Verdict>;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "3" },
      kinds: { type: "string", default: "ours,stock" },
      suites: { type: "string" },
      keep: { type: "string" },
    },
  });
  if (!netnsPossible()) {
    console.error("this needs root and Debian's ctdb, samba, smbclient and samba-testsuite");
    return 2;
  }
  const names = values.suites?.split(",");
  const suites = listedSuites().filter(({ name }) => names?.includes(name) ?? true);
  const runs: Run[] = [];
  for (let number = 1; number <= Number(values.runs); number += 1) {
    // Both at once: the suites mostly wait.
    const kinds = values.kinds.split(",") as CtdbKind[];
    const run = (kind: CtdbKind) => runAll(`${kind} ${number}`, kind, suites, values.keep);
    runs.push(...(await Promise.all(kinds.map(run))));
  }
  return report(runs);
}

async function runAll(
  name: string,
  kind: CtdbKind,
  suites: readonly Suite[],
  keep: string | undefined,
): Promise<Run> {
  return await withNetnsCluster({ hosts: HOSTS, kind, samba: TORTURE_OPTIONS }, async (cluster) => {
    const verdicts = new Map<string, Verdict>();
    for (const suite of suites) {
      const result = await runSuite(cluster, suite, SUITE_TIMEOUT_MS);
      for (const [test, verdict] of result.verdicts) verdicts.set(test, verdict);
      const passed = [...result.verdicts.values()].filter((verdict) => verdict === "success");
      const counts = `${passed.length} of ${result.verdicts.size} passed`;
      console.log(
        `${name}: ${suite.name.padEnd(30)} ${result.seconds.toFixed(1).padStart(6)} s  ${counts}`,
      );
      if (keep !== undefined) {
        const directory = join(keep, name.replace(" ", "-"));
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, suite.name), result.output);
      }
    }
    if (keep !== undefined) {
      writeFileSync(join(keep, `${name.replace(" ", "-")}.logs`), cluster.logs());
    }
    return { name, verdicts };
  });
}

/** A row for each test that did not pass everywhere. */
function report(runs: readonly Run[]): number {
  const tests = new Set(runs.flatMap(({ verdicts }) => [...verdicts.keys()]));
  let different = 0;
  for (const test of [...tests].sort()) {
    const all = runs.map(({ verdicts }) => verdicts.get(test) ?? "absent");
    if (all.every((verdict) => verdict === "success")) continue;
    const passes = all.filter((verdict) => verdict === "success").length;
    if (passes > 0) different += 1;
    const said = runs.map(({ name }, at) => `${name} ${all[at]}`).join(", ");
    console.log(`${passes > 0 ? "DIFFERS " : "        "}${test}: ${passes > 0 ? said : all[0]}`);
  }
  for (const { name, verdicts } of runs) {
    const passed = [...verdicts.values()].filter((verdict) => verdict === "success").length;
    console.log(`${name}: ${passed} of ${verdicts.size} tests passed`);
  }
  console.log(`${different} tests passed in some runs only`);
  return different === 0 ? 0 : 1;
}

process.exitCode = await main();
