/** What is observed of Samba's own ctdb-config, and how a program is asked for it: the original, or ours. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Of a program; what it prints on standard error is not compared. */
export interface Answer {
  readonly status: number;
  readonly out: string;
}
export type Ask = (...args: readonly string[]) => Answer;

export interface ObservedCase {
  readonly file: string;
  readonly validate: number;
  readonly dump: number;
  readonly given: readonly string[];
  /** The status of `get` of each option that there is. */
  readonly get: number;
  /** What `get` prints, where that is not what it prints for an empty file. */
  readonly values: Readonly<Record<string, string>>;
}

/** `get` of what is no option, options of the program, wrong arguments: with one and the same file. */
export interface ObservedLine {
  readonly args: readonly string[];
  readonly status: number;
  /** Of a success. */
  readonly out: string;
}

export interface Observed {
  /** The dump of an empty file, without what depends on where it was built. */
  readonly standard: string;
  readonly cases: readonly ObservedCase[];
  readonly lines: readonly ObservedLine[];
}

export const OBSERVED_FILE = join(import.meta.dir, "observed.json");
export const observed: Observed = JSON.parse(readFileSync(OBSERVED_FILE, "utf8"));

/** The file with which `LINES` are asked. */
export const LINES_FILE = "[cluster]\n\tleader timeout = 7\n\tcluster lock = !/helper  x\n";

export const LINES: readonly (readonly string[])[] = [
  ["get", "cluster", "leader timeout"],
  ["get", "cluster", "cluster lock"],
  ["get", "CLUSTER", "leader timeout"],
  ["get", "Cluster", "recovery lock"],
  ["get", "cluster", "Leader Timeout"],
  ["get", "cluster", "leader  timeout"],
  ["get", " cluster", "leader timeout"],
  ["get", "[cluster]", "leader timeout"],
  ["get", "logging", "leader timeout"],
  ["get", "cluster", "leader"],
  ["get", "cluster", ""],
  ["get", "", "leader timeout"],
  ["get", "frobnicate", "x"],
  ["get"],
  ["get", "cluster"],
  ["get", "cluster", "leader timeout", "x"],
  ["get", "cluster", "leader timeout", "-d", "DEBUG"],
  ["-d", "DEBUG", "get", "cluster", "leader timeout"],
  ["-dDEBUG", "get", "cluster", "leader timeout"],
  ["--debug", "DEBUG", "--debug=INFO", "get", "cluster", "leader timeout"],
  ["-d", "NONSENSE", "get", "cluster", "leader timeout"],
  ["get", "--", "cluster", "leader timeout"],
  ["--", "get", "cluster", "leader timeout"],
  ["get", "--", "cluster", "-d"],
  ["get", "cluster", "-x"],
  ["-x", "get", "cluster", "leader timeout"],
  ["-d"],
  ["get", "cluster", "leader timeout", "--debug"],
  ["dump", "x"],
  ["validate", "x"],
  ["frobnicate"],
  [],
];

/** A directory with what options may name (docs/testing.md). */
export function prepare(base: string): void {
  writeFileSync(join(base, "hung.sh"), "");
  chmodSync(join(base, "hung.sh"), 0o755);
  writeFileSync(join(base, "plain.sh"), "");
}

type Name = readonly [section: string, name: string];

/** Options by what `dump` shows of an empty file. */
export function optionsOf(dump: string): readonly Name[] {
  let section = "";
  return dump.split("\n").flatMap((line): readonly Name[] => {
    section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
    const name = /^\t# (.*?) = /.exec(line)?.[1];
    return name === undefined ? [] : [[section, name]];
  });
}

/** Goes through the files; the program finds each in `base`. */
export function observe(base: string, ask: Ask, files: readonly string[]): Observed {
  const write = (text: string) => writeFileSync(join(base, "ctdb.conf"), text);
  write("");
  const empty = ask("dump").out;
  const names = optionsOf(empty);
  const standards = names.map((name) => ask("get", ...name).out);
  const cases = files.map((file): ObservedCase => {
    write(file);
    const dumped = ask("dump");
    const given = dumped.out.split("\n").filter((line) => /^\t[^#]/.test(line));
    const gets = names.map((name) => ask("get", ...name));
    const [status, ...others] = new Set(gets.map((get) => get.status));
    if (status === undefined || others.length > 0) {
      throw new Error(`expected one status for every option of ${JSON.stringify(file)}`);
    }
    const values = names.flatMap(([section, name], at) => {
      const out = gets[at]?.out ?? "";
      const isStandard = status !== 0 || out === standards[at];
      return isStandard ? [] : [[`[${section}] ${name}`, out.replace(/\n$/, "")] as const];
    });
    return {
      file,
      validate: ask("validate").status,
      dump: dumped.status,
      given: given.map((line) => line.slice(1)),
      get: status,
      values: Object.fromEntries(values),
    };
  });
  write(LINES_FILE);
  const lines = LINES.map((args): ObservedLine => {
    const { status, out } = ask(...args);
    return { args, status, out: status === 0 ? out : "" };
  });
  const standard = empty.replace(/^\t# (location|.* directory) = .*\n/gm, "");
  return { standard, cases, lines };
}
