/**
 * The options of the tool: their table, and reading a command line as popt reads it, which users'
 * scripts rely on. This is the only module that knows `node:util`'s parseArgs.
 *
 * What is kept of popt: options anywhere, also behind the command; `-n 1`, `-n1`, `-n=1`, `--node 1`,
 * `--node=1`; short options run together; a value may begin with a dash; `--` ends the options; the
 * first wrong option ends everything, and so does a request for help in front of it.
 */
import { parseArgs } from "node:util";
import { err, ok, type Result } from "../base/result.ts";
import { parseOptionInteger } from "./numbers.ts";

export interface ToolOptions {
  readonly debug: string | undefined;
  /** Seconds that each request may take. */
  readonly timelimit: number;
  /** −1: the node we are connected to. */
  readonly node: number;
  readonly machine: boolean;
  readonly json: boolean;
  readonly separator: string;
  readonly verbose: boolean;
  /** Seconds; 0 when not given. */
  readonly maxruntime: number;
}

export interface OptionRow {
  readonly name: string;
  readonly short: string;
  /** Short names only (-Y, -X). */
  readonly hidesLongName?: boolean;
  /** Seconds are an integer that is not negative. */
  readonly kind: "flag" | "text" | "integer" | "seconds";
  /** What help calls the value. */
  readonly value?: string;
  readonly help: string;
}

export const OPTIONS: readonly OptionRow[] = [
  { name: "debug", short: "d", kind: "text", value: "STRING", help: "debug level" },
  { name: "timelimit", short: "t", kind: "seconds", value: "INT", help: "timelimit (in seconds)" },
  {
    name: "node",
    short: "n",
    kind: "integer",
    value: "INT",
    help: "node specification - integer",
  },
  {
    name: "Y",
    short: "Y",
    hidesLongName: true,
    kind: "flag",
    help: "enable machine readable output",
  },
  { name: "json", short: "j", kind: "flag", help: "JSON output" },
  {
    name: "separator",
    short: "x",
    kind: "text",
    value: "CHAR",
    help: "specify separator for machine readable output",
  },
  {
    name: "X",
    short: "X",
    hidesLongName: true,
    kind: "flag",
    help: "enable machine parsable output with separator |",
  },
  { name: "verbose", short: "v", kind: "flag", help: "enable verbose output" },
  {
    name: "maxruntime",
    short: "T",
    kind: "seconds",
    value: "INT",
    help: "die if runtime exceeds this limit (in seconds)",
  },
];

export const HELP_OPTIONS: readonly OptionRow[] = [
  { name: "help", short: "?", kind: "flag", help: "Show this help message" },
  { name: "usage", short: "", kind: "flag", help: "Display brief usage message" },
];

export type CommandLine =
  | { readonly kind: "run"; readonly options: ToolOptions; readonly words: readonly string[] }
  | { readonly kind: "help" | "usage" };

const DEFAULT_TIMELIMIT_SEC = 10;

export function parseCommandLine(args: readonly string[]): Result<CommandLine> {
  const rows = [...OPTIONS, ...HELP_OPTIONS];
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      rows.map((row) => [
        row.name,
        {
          type: row.kind === "flag" ? ("boolean" as const) : ("string" as const),
          ...(row.short === "" ? {} : { short: row.short }),
        },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values = new Map<string, string>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const read = readOption(rows, token, args[token.index] ?? token.rawName);
    if (!read.ok) return err(`Invalid option ${read.error}`);
    const name = read.value.row.name;
    if (name === "help" || name === "usage") return ok({ kind: name });
    values.set(name, read.value.text);
  }
  return ok({ kind: "run", options: toOptions(values), words });
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

/** The option's row and text, or `WORD: reason` with the word that the user wrote. */
function readOption(
  rows: readonly OptionRow[],
  token: OptionToken,
  word: string,
): Result<{ readonly row: OptionRow; readonly text: string }> {
  const long = token.rawName.startsWith("--");
  if (token.rawName === "-=") return err(`${word}: option does not take an argument`);
  const row = rows.find((entry) => entry.name === token.name);
  if (row === undefined || (long && row.hidesLongName === true)) {
    return err(`${word}: unknown option`);
  }
  if (row.kind === "flag") {
    if (token.value !== undefined) return err(`${word}: option does not take an argument`);
    return ok({ row, text: "" });
  }
  if (token.value === undefined) return err(`${word}: missing argument`);
  const inline = token.inlineValue === true;
  const text = inline && !long ? token.value.replace(/^=/, "") : token.value;
  if (row.kind === "integer" || row.kind === "seconds") {
    const number = parseOptionInteger(text);
    const named = inline ? word : text;
    if (!number.ok) return err(`${named}: ${number.error}`);
    if (row.kind === "seconds" && number.value < 0) {
      return err(`${named}: expected seconds, 0 or more`);
    }
    return ok({ row, text: String(number.value) });
  }
  return ok({ row, text });
}

function toOptions(values: ReadonlyMap<string, string>): ToolOptions {
  return {
    debug: values.get("debug"),
    timelimit: Number(values.get("timelimit") ?? DEFAULT_TIMELIMIT_SEC),
    node: Number(values.get("node") ?? -1),
    machine: values.has("Y") || values.has("X"),
    json: values.has("json"),
    separator: values.get("separator") ?? "|",
    verbose: values.has("verbose"),
    maxruntime: Number(values.get("maxruntime") ?? 0),
  };
}
