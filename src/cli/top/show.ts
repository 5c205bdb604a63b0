/** A round of `ctdb top` as lines, and as a screen of a terminal. */
import { dateAndTime } from "../format.ts";
import type { TopFacts, TopNode } from "../schemas/top.ts";

const DATABASES_SHOWN = 8;
const HOT_KEYS_SHOWN = 5;
const KEY_DIGITS_SHOWN = 64;

const HOME = "\x1b[H";
const CLEAR_LINE = "\x1b[2K";
const CLEAR_BELOW = "\x1b[J";

type Column<T> = readonly [title: string, value: (row: T) => string];

const NODE_COLUMNS: readonly Column<TopNode>[] = [
  ["NODE", ({ pnn, leader }) => `${pnn}${leader ? "*" : " "}`],
  ["STATE", ({ state, silent }) => (silent ? `${state} (silent)` : state)],
  ["CALLS/S", (node) => shown(node.calls_per_second)],
  ["MIGR/S", (node) => shown(node.migrations_per_second)],
  ["PENDING", (node) => shown(node.pending_calls)],
  ["CALL ms", (node) => shown(node.call_latency_ms)],
  ["LOCK ms", (node) => shown(node.lock_latency_ms)],
  ["SLOW/S", (node) => shown(node.slow_turns_per_second)],
  ["LONGEST ms", (node) => shown(node.longest_turn_ms)],
  ["CLIENTS", (node) => shown(node.clients)],
  ["RECOV", ({ recoveries, recovering }) => `${shown(recoveries)}${recovering ? "!" : ""}`],
];

const DATABASE_COLUMNS: readonly Column<TopFacts["databases"][number]>[] = [
  ["DATABASE", ({ name }) => plain(name)],
  ["NODE", ({ node }) => String(node)],
  ["LOCKS/S", (row) => shown(row.locks_per_second)],
  ["PENDING", (row) => shown(row.locks_pending)],
  ["LOCK ms", (row) => shown(row.lock_latency_ms)],
  ["MAX ms", (row) => shown(row.lock_latency_max_ms)],
];

const HOT_KEY_COLUMNS: readonly Column<TopFacts["hot_keys"][number]>[] = [
  ["HOT KEY IN", ({ database }) => plain(database)],
  ["NODE", ({ node }) => String(node)],
  ["COUNT", ({ count }) => String(count)],
  ["KEY", ({ key_hex }) => key_hex.slice(0, KEY_DIGITS_SHOWN)],
];

export function topLines(facts: TopFacts): readonly string[] {
  const { time, leader, generation, recovering, interval_seconds: interval } = facts;
  const head = [
    dateAndTime(time),
    `every ${interval} s`,
    `leader ${leader ?? "-"}`,
    `generation ${generation ?? "-"}`,
    recovering ? "RECOVERY" : "NORMAL",
  ];
  const busy = facts.databases.filter(
    (each) => each.locks_pending > 0 || each.locks_per_second !== 0,
  );
  return [
    head.join("  "),
    ...table(NODE_COLUMNS, facts.nodes),
    ...table(DATABASE_COLUMNS, busy.slice(0, DATABASES_SHOWN)),
    ...table(HOT_KEY_COLUMNS, facts.hot_keys.slice(0, HOT_KEYS_SHOWN)),
  ];
}

/** What a terminal is sent: cut at its edges, so that it never moves. */
export function screenText(
  lines: readonly string[],
  { columns, rows }: { readonly columns: number; readonly rows: number },
): string {
  const shown = lines.slice(0, rows).map((line) => CLEAR_LINE + line.slice(0, columns));
  const below = lines.length < rows ? `\r\n${CLEAR_BELOW}` : "";
  return `${HOME}${shown.join("\r\n")}${below}`;
}

/** Without rows nothing; with them an empty line in front. */
function table<T>(columns: readonly Column<T>[], rows: readonly T[]): readonly string[] {
  if (rows.length === 0) return [];
  const cells = [
    columns.map(([title]) => title),
    ...rows.map((row) => columns.map(([, value]) => value(row))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  const isText = (i: number) =>
    i === 1 ? columns[1]?.[0] === "STATE" : i === 0 || columns[i]?.[0] === "KEY";
  return [
    "",
    ...cells.map((line) =>
      line
        .map((cell, i) => (isText(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join("  ")
        .trimEnd(),
    ),
  ];
}

/** "-" for what is not known. */
function shown(value: number | null): string {
  return value === null ? "-" : String(value);
}

/** One column for each character, on any terminal. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/gu, "?");
}
