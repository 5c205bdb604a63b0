/**
 * smbtorture on two nodes of ours and on two stock nodes: the same tests pass. The short suites of the list;
 * torture/compare.ts runs all.
 */
import { expect, test } from "bun:test";
import { netnsPossible, withNetnsCluster } from "./cluster.ts";
import type { CtdbKind } from "./ctdb_node.ts";
import { readVerdicts, runSuite, TORTURE_OPTIONS, type Verdict } from "./torture/suite_run.ts";
import { listedSuites } from "./torture/suites.ts";

const HOSTS = 2;
const SUITE_TIMEOUT_MS = 120_000;
const TEST_TIMEOUT_MS = 300_000;

interface Passed {
  readonly tests: readonly string[];
  /** What the suites said where something did not pass. */
  readonly output: string;
}

async function passedOn(kind: CtdbKind): Promise<Passed> {
  return await withNetnsCluster({ hosts: HOSTS, kind, samba: TORTURE_OPTIONS }, async (cluster) => {
    const tests: string[] = [];
    let output = "";
    for (const suite of listedSuites().filter(({ short }) => short)) {
      const result = await runSuite(cluster, suite, SUITE_TIMEOUT_MS);
      const passed = [...result.verdicts].filter(([, verdict]) => verdict === "success");
      tests.push(...passed.map(([test]) => test));
      if (passed.length < result.verdicts.size)
        output += `--- ${kind}: ${suite.name}\n${result.output}`;
    }
    return { tests: tests.sort(), output };
  });
}

test.skipIf(!netnsPossible())(
  "smbtorture passes the same tests on our nodes as on stock nodes",
  async () => {
    const [ours, stock] = await Promise.all([passedOn("ours"), passedOn("stock")]);
    if (ours.tests.join() !== stock.tests.join()) console.error(ours.output + stock.output);
    expect(stock.tests.length).toBeGreaterThan(0);
    expect(ours.tests).toEqual(stock.tests);
  },
  TEST_TIMEOUT_MS,
);

test("readVerdicts() knows full and short names, and what failed", () => {
  const output = [
    "test: valid-request",
    "success: valid-request",
    "skip: smb2.lock.rw-none [",
    "reason success: no",
    "]",
    "error: async [",
    "failure: cancel [",
  ].join("\n");
  const expected: [string, Verdict][] = [
    ["smb2.lock.valid-request", "success"],
    ["smb2.lock.rw-none", "skip"],
    ["smb2.lock.async", "failure"],
    ["smb2.lock.cancel", "failure"],
  ];
  expect([...readVerdicts("smb2.lock", output)]).toEqual(expected);
});
