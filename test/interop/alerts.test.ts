/** Debian's promtool and the rules that are shipped: sound, and each alert fires when it should and not before. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AlertCase, CASES } from "../alerts/cases.ts";
import { alertRules, dashboardQueries, RULES_FILE } from "../alerts/shipped.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";

/** On a busy machine. */
const PROMTOOL_MS = 60_000;

const promtool = Bun.which("promtool");
if (promtool === null) console.warn("skipped: promtool is not installed (Debian: prometheus)");
const withPromtool = test.skipIf(promtool === null);

async function promtoolRun(...args: string[]) {
  const child = Bun.spawn(["promtool", ...args], { stdout: "pipe", stderr: "pipe" });
  const [out, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { output: out + errors, status: await child.exited };
}

withPromtool("promtool finds the rules sound", async () => {
  const { output, status } = await promtoolRun("check", "rules", "--lint=all", RULES_FILE);
  expect(output).toContain(`${alertRules().length} rules found`);
  expect(status).toBe(0);
});

withPromtool("Each alert fires when it should and not before", testsOfRules, PROMTOOL_MS);

async function testsOfRules(): Promise<void> {
  expect(CASES.map(({ alert }) => alert).sort()).toEqual(
    alertRules()
      .map(({ alert }) => alert)
      .sort(),
  );
  await withTemporaryDirectory(async (directory) => {
    for (const interval of new Set(CASES.map(intervalOf))) {
      const file = join(directory, `${interval}.yml`);
      // JSON is YAML.
      writeFileSync(file, JSON.stringify(promtoolTests(interval)));
      const { output, status } = await promtoolRun("test", "rules", file);
      expect(output).toContain("SUCCESS");
      expect(status).toBe(0);
    }
  });
}

function intervalOf({ interval = "15s" }: AlertCase): string {
  return interval;
}

function promtoolTests(interval: string): object {
  return {
    rule_files: [RULES_FILE],
    evaluation_interval: interval,
    tests: CASES.filter((each) => intervalOf(each) === interval).map((each) => ({
      name: each.alert,
      interval,
      input_series: Object.entries(each.series).map(([series, values]) => ({ series, values })),
      promql_expr_test: [
        { expr: firing(each), eval_time: each.quietAt, exp_samples: [] },
        { expr: firing(each), eval_time: each.firesAt, exp_samples: [expectedSample(each)] },
      ],
    })),
  };
}

function firing({ alert }: AlertCase): string {
  return `ALERTS{alertname="${alert}",alertstate="firing"}`;
}

function expectedSample({ alert, labels }: AlertCase): object {
  const rule = alertRules().find((each) => each.alert === alert);
  const all = { alertname: alert, alertstate: "firing", ...rule?.labels, ...labels };
  const text = Object.entries(all).map(([name, value]) => `${name}="${value}"`);
  return { labels: `ALERTS{${text.join(",")}}`, value: 1 };
}

withPromtool("Prometheus understands every query of the dashboard", async () => {
  const rules = dashboardQueries()
    .filter((query) => !query.startsWith("label_values"))
    .map((query, i) => ({
      record: `query:${i}`,
      expr: query
        .replaceAll("$__rate_interval", "1m")
        .replaceAll(/\$(job|instance|database)/g, ".*"),
    }));
  await withTemporaryDirectory(async (directory) => {
    const file = join(directory, "queries.yml");
    writeFileSync(file, JSON.stringify({ groups: [{ name: "queries", rules }] }));
    const { output, status } = await promtoolRun("check", "rules", file);
    expect(output).toContain(`${rules.length} rules found`);
    expect(status).toBe(0);
  });
});
