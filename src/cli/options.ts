/**
 * The options of the tool: their table, and reading a command line as popt reads it, which users'
 * scripts rely on. Not with `node:util`'s parseArgs: loading that takes 1.5 ms, and a third of the tool's time.
 *
 * What is kept of popt: options anywhere, also behind the command; `-n 1`, `-n1`, `-n=1`, `--node 1`,
 * `--node=1`; short options run together; a value may begin with a dash; `--` ends the options; the
 * first wrong option ends everything, and so does a request for help in front of it.
 */
import { err, ok, type Result } from "../base/result.ts";
import { suggestion } from "../base/suggestion.ts";
import type { ToolHost } from "./host.ts";
import { parseOptionInteger } from "./numbers.ts";

export interface ToolOptions {
  readonly debug: string | undefined;
  /** Seconds that each request may take. */
  readonly timelimit: number;
  /** −1: the node we are connected to. */
  readonly node: number;
  /** `-n all`: each connected node. */
  readonly everyNode: boolean;
  readonly machine: boolean;
  readonly json: boolean;
  readonly separator: string;
  readonly verbose: boolean;
  /** Seconds; 0 when not given. */
  readonly maxruntime: number;
  /** The node without which addresses are to be placed; undefined when not given. */
  readonly simulate: number | undefined;
  /** What changes on the running node is to be in its file, too. */
  readonly write: boolean;
  /** Seconds that `wait` waits, 0 for no limit; undefined when not given. */
  readonly timeout: number | undefined;
  /** Every connected node, not one. */
  readonly all: boolean;
  /** A terminal is not asked. */
  readonly yes: boolean;
  /** Nothing is changed: what would be is shown. */
  readonly dryRun: boolean;
  /** Where snapshots are; undefined when not given. */
  readonly directory: string | undefined;
  /** How many snapshots stay; undefined when not given. */
  readonly keep: number | undefined;
  /** For how many days snapshots stay; undefined when not given. */
  readonly keepDays: number | undefined;
  /** How often `top` shows; 0: until it is told to end. */
  readonly iterations: number;
  /** Times as they were written; undefined when not given. */
  readonly at: string | undefined;
  readonly since: string | undefined;
  readonly until: string | undefined;
  /** Kinds of events, with commas between them; undefined: all. */
  readonly kind: string | undefined;
  /** How many events at most; undefined when not given. */
  readonly limit: number | undefined;
  /** What comes is shown, too. */
  readonly follow: boolean;
}

export interface OptionRow {
  readonly name: string;
  readonly short: string;
  /** Short names only (-Y, -X). */
  readonly hidesLongName?: boolean;
  /** Seconds and counts are integers that are not negative; a node is an integer, or all of them. */
  readonly kind: "flag" | "text" | "integer" | "node" | "seconds" | "count";
  /** What help calls the value. */
  readonly value?: string;
  readonly help: string;
  /** Names of the only commands that take it; absent: all. */
  readonly commands?: readonly string[];
}

export const OPTIONS: readonly OptionRow[] = [
  { name: "debug", short: "d", kind: "text", value: "STRING", help: "debug level" },
  { name: "timelimit", short: "t", kind: "seconds", value: "INT", help: "timelimit (in seconds)" },
  {
    name: "node",
    short: "n",
    kind: "node",
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
  {
    name: "simulate",
    short: "",
    kind: "integer",
    value: "INT",
    help: "with ip: where addresses would go if this node left",
    commands: ["ip"],
  },
  {
    name: "write",
    short: "",
    kind: "flag",
    help: "with addip, delip: change the file of public addresses, too",
    commands: ["addip", "delip"],
  },
  {
    name: "all",
    short: "",
    kind: "flag",
    help: "with getvar, setvar, listvars: on every connected node",
    commands: ["getvar", "setvar", "listvars"],
  },
  {
    name: "yes",
    short: "",
    kind: "flag",
    help: "do not ask on a terminal before something is taken away",
    commands: ["detach", "shutdown", "delip", "restoredb", "wipedb", "db", "snapshot", "node"],
  },
  {
    name: "timeout",
    short: "",
    kind: "seconds",
    value: "INT",
    help: "with wait: seconds until it is given up (60), 0 for never",
    commands: ["wait"],
  },
  {
    name: "once",
    short: "",
    kind: "flag",
    help: "with top: show once and end",
    commands: ["top"],
  },
  {
    name: "iterations",
    short: "",
    kind: "count",
    value: "INT",
    help: "with top: show so often and end",
    commands: ["top"],
  },
  {
    name: "directory",
    short: "",
    kind: "text",
    value: "PATH",
    help: "with snapshot: where snapshots are",
    commands: ["snapshot"],
  },
  {
    name: "keep",
    short: "",
    kind: "count",
    value: "INT",
    help: "with snapshot prune: so many of the newest stay",
    commands: ["snapshot"],
  },
  {
    name: "keep-days",
    short: "",
    kind: "count",
    value: "INT",
    help: "with snapshot prune: those of so many days stay",
    commands: ["snapshot"],
  },
  {
    name: "dry-run",
    short: "",
    kind: "flag",
    help: "with db, snapshot, node: show what would change, and change nothing",
    commands: ["db", "snapshot", "node"],
  },
  {
    name: "at",
    short: "",
    kind: "text",
    value: "TIME",
    help: "with why, state: as it was then",
    commands: ["why", "state"],
  },
  {
    name: "since",
    short: "",
    kind: "text",
    value: "TIME",
    help: "with journal: events from then on",
    commands: ["journal"],
  },
  {
    name: "until",
    short: "",
    kind: "text",
    value: "TIME",
    help: "with journal: events up to then",
    commands: ["journal"],
  },
  {
    name: "kind",
    short: "",
    kind: "text",
    value: "KIND",
    help: "with journal: events of this kind, or of several with commas between them",
    commands: ["journal"],
  },
  {
    name: "limit",
    short: "",
    kind: "count",
    value: "INT",
    help: "with journal: so many events, the newest",
    commands: ["journal"],
  },
  {
    name: "follow",
    short: "",
    kind: "flag",
    help: "with journal: go on with what comes",
    commands: ["journal"],
  },
];

export const HELP_OPTIONS: readonly OptionRow[] = [
  { name: "help", short: "?", kind: "flag", help: "Show this help message" },
  { name: "usage", short: "", kind: "flag", help: "Display brief usage message" },
];

export interface RunCommandLine {
  readonly kind: "run";
  readonly options: ToolOptions;
  /** Names of the options that were given. */
  readonly given: ReadonlySet<string>;
  readonly words: readonly string[];
}

export interface HelpCommandLine {
  readonly kind: "help" | "usage";
  /** What stood in front of the request. */
  readonly words: readonly string[];
}

export type CommandLine = RunCommandLine | HelpCommandLine;

/** Runs one command line to its exit status. */
export type RunLine = (host: ToolHost, line: RunCommandLine) => Promise<number>;

const DEFAULT_TIMELIMIT_SEC = 10;
const EVERY_NODE = "all";

const ROWS: readonly OptionRow[] = [...OPTIONS, ...HELP_OPTIONS];
const LONG_ROWS = ROWS.filter((row) => row.hidesLongName !== true);

export function parseCommandLine(args: readonly string[]): Result<CommandLine> {
  const reader = new OptionReader(args);
  const words: string[] = [];
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    if (word === "--") {
      words.push(...reader.rest());
    } else if (!word.startsWith("-") || word === "-") {
      words.push(word);
    } else {
      const asked = word.startsWith("--") ? reader.readLong(word) : reader.readShort(word);
      if (!asked.ok) return err(`Invalid option ${asked.error}`);
      if (asked.value !== undefined) return ok({ kind: asked.value, words });
    }
  }
  const { values } = reader;
  return ok({ kind: "run", options: toOptions(values), given: new Set(values.keys()), words });
}

/** What a word asks for instead of running a command; the error is `WORD: reason`. */
type Asked = Result<"help" | "usage" | undefined>;

const NO_ARGUMENT = "option does not take an argument";

/** Goes through the words; an option takes the next one as its value when it holds none itself. */
class OptionReader {
  readonly values = new Map<string, string>();
  readonly #args: readonly string[];
  #at = 0;

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  next(): string | undefined {
    this.#at += 1;
    return this.#args[this.#at - 1];
  }

  rest(): readonly string[] {
    const rest = this.#args.slice(this.#at);
    this.#at = this.#args.length;
    return rest;
  }

  /** `--node`, `--node=1`. */
  readLong(word: string): Asked {
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const row = LONG_ROWS.find((entry) => entry.name === name);
    if (row === undefined) return err(`${word}: unknown option${nearestOption(name)}`);
    return this.#take(row, word, equals < 0 ? undefined : word.slice(equals + 1));
  }

  /** `-n`, `-n1`, `-n=1`, `-Xn1`. */
  readShort(word: string): Asked {
    for (let at = 1; at < word.length; at++) {
      const row = ROWS.find((entry) => entry.short === word[at]);
      if (row === undefined) return err(`${word}: unknown option`);
      const behind = word.slice(at + 1);
      if (row.kind !== "flag") {
        return this.#take(row, word, behind === "" ? undefined : behind.replace(/^=/, ""));
      }
      if (behind.startsWith("=")) return err(`${word}: ${NO_ARGUMENT}`);
      const asked = this.#take(row, word, undefined);
      if (asked.ok && asked.value !== undefined) return asked;
    }
    return ok(undefined);
  }

  /** `inline` is the value that stands in the same word. */
  #take(row: OptionRow, word: string, inline: string | undefined): Asked {
    const { name } = row;
    if (row.kind === "flag") {
      if (inline !== undefined) return err(`${word}: ${NO_ARGUMENT}`);
      if (name === "help" || name === "usage") return ok(name);
      this.values.set(name, "");
      return ok(undefined);
    }
    const text = inline ?? this.next();
    if (text === undefined) return err(`${word}: missing argument`);
    const value = row.kind === "text" ? ok(text) : readNumber(row.kind, text);
    if (!value.ok) return err(`${inline === undefined ? text : word}: ${value.error}`);
    this.values.set(name, value.value);
    return ok(undefined);
  }
}

/** A second line: the first is the original's. */
function nearestOption(name: string): string {
  const near = suggestion(
    name,
    LONG_ROWS.map((row) => row.name),
  );
  return near === undefined ? "" : `\nDid you mean '--${near}'?`;
}

function readNumber(kind: "integer" | "node" | "seconds" | "count", text: string): Result<string> {
  if (kind === "node" && text === EVERY_NODE) return ok(text);
  const number = parseOptionInteger(text);
  if (!number.ok) return number;
  if (kind === "seconds" && number.value < 0) return err("expected seconds, 0 or more");
  if (kind === "count" && number.value < 0) return err("expected a number, 0 or more");
  return ok(String(number.value));
}

function toOptions(values: ReadonlyMap<string, string>): ToolOptions {
  const node = values.get("node") ?? "-1";
  const number = (name: string) => (values.has(name) ? Number(values.get(name)) : undefined);
  return {
    debug: values.get("debug"),
    timelimit: Number(values.get("timelimit") ?? DEFAULT_TIMELIMIT_SEC),
    node: node === EVERY_NODE ? -1 : Number(node),
    everyNode: node === EVERY_NODE,
    machine: values.has("Y") || values.has("X"),
    json: values.has("json"),
    separator: values.get("separator") ?? "|",
    verbose: values.has("verbose"),
    maxruntime: Number(values.get("maxruntime") ?? 0),
    simulate: number("simulate"),
    write: values.has("write"),
    timeout: number("timeout"),
    all: values.has("all"),
    yes: values.has("yes"),
    dryRun: values.has("dry-run"),
    directory: values.get("directory"),
    keep: number("keep"),
    keepDays: number("keep-days"),
    iterations: values.has("once") ? 1 : (number("iterations") ?? 0),
    at: values.get("at"),
    since: values.get("since"),
    until: values.get("until"),
    kind: values.get("kind"),
    limit: number("limit"),
    follow: values.has("follow"),
  };
}
