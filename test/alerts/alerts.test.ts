/**
 * Rules, dashboard and runbooks that are shipped are whole; what Prometheus makes of them:
 * test/interop/alerts.test.ts.
 */
import { expect, test } from "bun:test";
import { commandRow } from "../../src/cli/commands.ts";
import { LAYOUTS } from "../../src/config/layouts.ts";
import { installedFiles } from "../../src/install/layout.ts";
import { shippedScripts } from "../../src/install/payload.macro.ts";
import { sourceFiles } from "../support/source_tree.ts";
import {
  alertRules,
  dashboard,
  dashboardQueries,
  metricNames,
  runbookNames,
  runbookText,
} from "./shipped.ts";

test("Each metric that is named is one of ctdb-admind's", () => {
  const families = sourceFiles(["src/admin/metrics"])
    .filter(({ path }) => !path.endsWith(".test.ts"))
    .flatMap(({ text }) => [...text.matchAll(/"(ctdb_[a-z_]+)"/g)].map(([, name]) => name));
  const known = new Set(families);
  const queries = [...alertRules().map(({ expr }) => expr), ...dashboardQueries()];
  const family = (name: string) => name.replace(/_(bucket|sum|count)$/, "");
  const strange = queries
    .flatMap(metricNames)
    .filter((name) => !known.has(name) && !known.has(family(name)));
  expect(families.length).toBeGreaterThan(30);
  expect([...new Set(strange)]).toEqual([]);
});

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
  const installed = installedFiles(LAYOUTS.debian, [], shippedScripts()).files.map(
    ({ path }) => path,
  );
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
