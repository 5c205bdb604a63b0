/** Rules, dashboard and runbooks that are shipped: whole, and each alert fires when it should and not before. */
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandRow } from "../../src/cli/commands.ts";
import { debianLayout } from "../../src/install/layout.ts";
import { shippedScripts } from "../../src/install/payload.macro.ts";
import { withTemporaryDirectory } from "../support/temp_dir.ts";
import { type AlertCase, CASES } from "./cases.ts";
import {
  alertRules,
  dashboard,
  dashboardQueries,
  metricNames,
  RULES_FILE,
  runbookNames,
  runbookText,
} from "./shipped.ts";

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

withPromtool("Each alert fires when it should and not before", async () => {
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
});

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

test("Each alert has a severity, a summary and a runbook, and each runbook an alert", () => {
  const rules = alertRules();
  expect(runbookNames()).toEqual(rules.map(({ alert }) => alert).sort());
  for (const { alert, labels, annotations } of rules) {
    expect(["critical", "warning", "info"]).toContain(labels["severity"] as string);
    expect([alert, annotations["summary"]?.length ?? 0]).not.toEqual([alert, 0]);
    const page = `/usr/share/doc/ctdb-appliance/runbooks/${alert}.md`;
    expect([alert, annotations["runbook_url"]]).toEqual([alert, `file://${page}`]);
  }
});

test("Each runbook says what it means, why it matters and what to do, with commands that exist", () => {
  for (const name of runbookNames()) {
    const text = runbookText(name);
    const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) => title);
    expect(titles).toEqual([name, "What it means", "Why it matters", "What to do"]);
    const commands = [...text.matchAll(/`ctdb (?:-n PNN |-v )*([a-z]+)/g)].map(([, word]) => word);
    expect([name, commands.filter((word) => commandRow(word as string) === undefined)]).toEqual([
      name,
      [],
    ]);
    const mentioned = text.match(/\bCtdb[A-Z]\w+/g) ?? [];
    expect([name, mentioned.filter((each) => !runbookNames().includes(each))]).toEqual([name, []]);
  }
});

test("Rules, dashboard and runbooks are installed where the rules say", () => {
  const installed = debianLayout([], shippedScripts()).files.map(({ path }) => path);
  const alerts = "/usr/share/ctdb/alerts";
  expect(installed).toContain(`${alerts}/prometheus_rules.yml`);
  expect(installed).toContain(`${alerts}/grafana_dashboard.json`);
  const pages = alertRules().map(({ annotations }) =>
    annotations["runbook_url"]?.replace("file://", ""),
  );
  expect(pages.filter((page) => !installed.includes(page as string))).toEqual([]);
});

test("The dashboard's panels have titles, do not overlap, and ask for something", () => {
  const { panels } = dashboard();
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const taken = new Set<string>();
  for (const { gridPos, title, type, targets = [], description = "" } of panels) {
    expect(title).not.toBe("");
    expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false]);
        taken.add(`${x} ${y}`);
      }
    }
    if (type === "row") continue;
    expect([title, description === "", targets.length === 0]).toEqual([title, false, false]);
  }
  expect(dashboardQueries().flatMap(metricNames).length).toBeGreaterThan(40);
});

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
