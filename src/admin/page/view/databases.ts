/** Databases with their rates, in an order of the reader's choice, and the records that are wanted most. */
import type { DatabaseFacts, HotKey } from "../model/documents.ts";
import { curvePoints, type RateHistory } from "../model/history.ts";
import { countText, keyText, maybeCount } from "../model/numbers.ts";
import { byId, element, setAttributes, setText, spoken, svgElement } from "./element.ts";
import { KeyedList, type KeyedRow } from "./keyed.ts";
import { levelSign, showLevel } from "./marks.ts";
import type { PageState } from "./page_state.ts";

interface Column {
  readonly title: string;
  readonly numeric: boolean;
  readonly nowOnly: boolean;
  /** Descending first for figures. */
  readonly order?: (one: DatabaseFacts, other: DatabaseFacts) => number;
}

const figure = (value: number | null) => value ?? -1;
const COLUMNS: readonly Column[] = [
  {
    title: "Database",
    numeric: false,
    nowOnly: false,
    order: (one, other) => (one.name < other.name ? -1 : 1),
  },
  { title: "Kind", numeric: false, nowOnly: false },
  {
    title: "Records",
    numeric: true,
    nowOnly: true,
    order: (one, other) => figure(other.records) - figure(one.records),
  },
  {
    title: "Calls/s",
    numeric: true,
    nowOnly: true,
    order: (one, other) => figure(other.callsPerSecond) - figure(one.callsPerSecond),
  },
  { title: "Calls, lately", numeric: false, nowOnly: true },
  {
    title: "Migrations/s",
    numeric: true,
    nowOnly: true,
    order: (one, other) => figure(other.migrationsPerSecond) - figure(one.migrationsPerSecond),
  },
  { title: "Hot keys", numeric: false, nowOnly: true },
];

const CURVE_WIDTH = 96;
const CURVE_HEIGHT = 20;

export function showDatabases(state: PageState): void {
  let sorted = COLUMNS[0] as Column;
  const section = byId("databases", HTMLElement);
  const heads = COLUMNS.map((column) => headCell(column, () => sortBy(column)));
  byId("database-head", HTMLElement).append(element("tr", {}, ...heads));
  const list = new KeyedList<DatabaseFacts>(
    byId("database-rows", HTMLElement),
    ({ id, name }) => `${id} ${name}`,
    () => databaseRow(state.rates),
  );
  const show = () => {
    const { shown } = state;
    if (shown === undefined) return;
    list.update([...shown.databases].sort(sorted.order));
    section.hidden = shown.databases.length === 0;
    for (const [i, head] of heads.entries()) {
      const way = COLUMNS[i]?.numeric === true ? "descending" : "ascending";
      setAttributes(head, { "aria-sort": COLUMNS[i] === sorted ? way : undefined });
    }
  };
  const sortBy = (column: Column) => {
    sorted = column;
    show();
  };
  state.followShown(show);
}

function headCell({ title, numeric, nowOnly, order }: Column, sort: () => void): HTMLElement {
  const classes = [...(numeric ? ["figure"] : []), ...(nowOnly ? ["now-only"] : [])].join(" ");
  if (order === undefined) return element("th", { scope: "col", class: classes }, title);
  const button = element("button", { type: "button" }, title);
  button.addEventListener("click", sort);
  return element("th", { scope: "col", class: classes }, button);
}

function databaseRow(rates: RateHistory): KeyedRow<DatabaseFacts> {
  const sign = levelSign("good");
  const name = element("span", { class: "code" });
  const ill = element("span", { class: "second reason" });
  const kind = element("td");
  const records = element("td", { class: "figure now-only" });
  const calls = element("td", { class: "figure now-only" });
  const curve = svgElement("polyline", { class: "curve" });
  const picture = svgElement(
    "svg",
    { width: CURVE_WIDTH, height: CURVE_HEIGHT, "aria-hidden": "true", focusable: "false" },
    curve,
  );
  const migrations = element("td", { class: "figure now-only" });
  const keys = element("td", { class: "now-only" });
  const root = element(
    "tr",
    {},
    element("th", { scope: "row" }, sign, name, ill),
    kind,
    records,
    calls,
    element("td", { class: "now-only" }, picture),
    migrations,
    keys,
  );
  const hot = hotKeys(keys);
  return {
    root,
    update(facts) {
      showLevel(sign, facts.healthy ? "good" : "critical");
      setText(name, facts.name);
      setText(ill, facts.healthy ? "" : "unhealthy: it is not served");
      setText(kind, facts.kind);
      setText(records, maybeCount(facts.records));
      setText(calls, maybeCount(facts.callsPerSecond));
      setText(migrations, maybeCount(facts.migrationsPerSecond));
      setAttributes(curve, { points: curvePoints(rates.of(facts.id), CURVE_WIDTH, CURVE_HEIGHT) });
      setAttributes(root, { "data-level": facts.healthy ? "good" : "critical" });
      hot(facts.hotKeys);
    },
  };
}

/** The hottest in sight, the others behind it. */
function hotKeys(cell: HTMLElement): (keys: readonly HotKey[]) => void {
  const summary = element("summary");
  const more = element("ol", { class: "hot-keys" });
  const list = new KeyedList<HotKey>(
    more,
    ({ keyHex }) => keyHex,
    ({ keyHex }) => {
      const count = element("span");
      const key = element("code", { title: keyHex }, keyText(keyHex));
      return {
        root: element("li", {}, key, " ", count),
        update: ({ count: calls }) => setText(count, countText(calls)),
      };
    },
  );
  const details = element("details", {}, summary, more);
  return (keys) => {
    const [hottest] = [...keys].sort((one, other) => other.count - one.count);
    if (hottest === undefined) {
      cell.replaceChildren(spoken("none"));
      return;
    }
    if (details.parentElement !== cell) cell.replaceChildren(details);
    setText(summary, `${keyText(hottest.keyHex)} ${countText(hottest.count)}`);
    list.update([...keys].sort((one, other) => other.count - one.count));
  };
}
