/** What is shipped for Prometheus and Grafana, as tests look at it. */
import { readdirSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";

const PROJECT = normalize(join(import.meta.dir, "../.."));
export const RULES_FILE = join(PROJECT, "scripts/alerts/prometheus_rules.yml");
const DASHBOARD_FILE = join(PROJECT, "scripts/alerts/grafana_dashboard.json");
const RUNBOOKS = join(PROJECT, "docs/runbooks");

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RulesDocument {
  readonly groups: readonly { readonly name: string; readonly rules: readonly AlertRule[] }[];
}

export function alertRules(): readonly AlertRule[] {
  const { groups } = Bun.YAML.parse(readFileSync(RULES_FILE, "utf8")) as RulesDocument;
  return groups.flatMap(({ rules }) => rules);
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

export interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(DASHBOARD_FILE, "utf8")) as Dashboard;
}

export function dashboardQueries(): readonly string[] {
  const { panels, templating } = dashboard();
  return [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...templating.list.flatMap(({ definition }) => (definition === undefined ? [] : [definition])),
  ];
}

export function runbookNames(): readonly string[] {
  return readdirSync(RUNBOOKS)
    .map((name) => name.replace(/\.md$/, ""))
    .sort();
}

export function runbookText(name: string): string {
  return readFileSync(join(RUNBOOKS, `${name}.md`), "utf8");
}

/** Names of our metrics in a query. */
export function metricNames(query: string): readonly string[] {
  return query.replaceAll(/"[^"]*"/g, '""').match(/\bctdb_[a-z_]+/g) ?? [];
}
