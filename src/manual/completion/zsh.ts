/** Completion for zsh: specifications for its _arguments, one function for each program. */
import {
  type Grammar,
  type GrammarCommand,
  type GrammarOption,
  NODE_WORDS,
  type Offer,
  offersOf,
  type Source,
} from "./grammar.ts";
import { confKeys, MEANINGS } from "./meanings.ts";

export function zshCompletion(grammars: readonly Grammar[]): string {
  const programs = grammars.map(({ program }) => program);
  const sources = Object.entries(SOURCE_FUNCTIONS).filter(([, body]) => body !== "");
  return [
    `#compdef ${programs.join(" ")}\n`,
    "# Completion for the programs of CTDB. Made from their tables.\n",
    ...sources.map(([source, body]) => `${sourceFunction(source)}()\n{\n${body}}\n`),
    ...grammars.map(programFunction),
    `case "$service" in\n${programs
      .map((program) => `${program}) ${functionOf(program)} "$@" ;;\n`)
      .join("")}esac\n`,
  ].join("\n");
}

function sourceFunction(source: string): string {
  return `_ctdb_source_${source.replace(" ", "_")}`;
}

function functionOf(program: string): string {
  return `_ctdb_program_${program.replaceAll("-", "_")}`;
}

function programFunction({ program, options, commands }: Grammar): string {
  const general = options.filter((option) => option.commands === undefined).flatMap(optionSpecs);
  const [only] = commands;
  if (only !== undefined && only.name === "") {
    const specs = [...general, ...argumentSpecs(only.args)].map(line).join("");
    return `${functionOf(program)}()\n{\n\t_arguments -s \\\n${specs.replace(/ \\\n$/, "\n")}}\n`;
  }
  return [
    `${functionOf(program)}()\n{\n`,
    '\tlocal curcontext="$curcontext" state line\n',
    "\ttypeset -A opt_args\n",
    "\tlocal -a general commands\n",
    `\tgeneral=(\n${general.map((spec) => `\t\t${quoted(spec)}\n`).join("")}\t)\n`,
    `\tcommands=(\n${firstWords(commands).map(describe).join("")}\t)\n`,
    "\t_arguments -C -s $general '1:command:->command' '*::argument:->argument' && return\n",
    '\tcase "$state" in\n\tcommand) _describe command commands ;;\n',
    '\targument)\n\t\tcase "$line[1]" in\n',
    ...groups(commands).map(([word, rows]) => commandCase(word, rows, options)),
    "\t\tesac\n\t\t;;\n\tesac\n}\n",
  ].join("");
}

/** Commands by their first word, in order. */
function groups(commands: readonly GrammarCommand[]): [string, readonly GrammarCommand[]][] {
  const words = [...new Set(commands.map(({ name }) => firstWord(name)))];
  return words.map((word) => [word, commands.filter(({ name }) => firstWord(name) === word)]);
}

function firstWord(name: string): string {
  return name.split(" ")[0] ?? "";
}

function firstWords(commands: readonly GrammarCommand[]): readonly (readonly [string, string])[] {
  return groups(commands).map(([word, rows]) => [word, rows.map((row) => row.summary).join(", ")]);
}

function describe([word, summary]: readonly [string, string]): string {
  return `\t\t${quoted(`${word.replaceAll(":", "\\:")}:${summary}`)}\n`;
}

function commandCase(
  word: string,
  rows: readonly GrammarCommand[],
  options: readonly GrammarOption[],
): string {
  const [row] = rows;
  if (row?.continues !== undefined) return `\t\t${word}) ${functionOf(row.continues)} ;;\n`;
  const own = options.filter(({ commands }) => commands?.includes(word) === true);
  const specs = row?.name === word ? argumentSpecs(row.args) : subcommandSpecs(rows);
  const words = [...own.flatMap(optionSpecs), ...specs].map(quoted);
  return `\t\t${word}) _arguments -s $general${words.map((each) => ` ${each}`).join("")} ;;\n`;
}

/** Of `script list`, `script enable`: the second word, then what all of them take. */
function subcommandSpecs(rows: readonly GrammarCommand[]): readonly string[] {
  const seconds = rows.map(({ name }) => name.split(" ")[1] ?? "");
  const [longest = ""] = rows.map(({ args }) => args).sort((a, b) => b.length - a.length);
  const rest = argumentSpecs(longest).map((spec) =>
    spec.replace(/^\d+/, (n) => `${Number(n) + 1}`),
  );
  return [`1:command:(${seconds.join(" ")})`, ...rest];
}

function optionSpecs({ names, value, help }: GrammarOption): readonly string[] {
  const text = `[${help.replaceAll("`", "").replace(/[\\[\]:]/g, "\\$&")}]`;
  const [offer] = value === undefined ? [] : offersOf(value, MEANINGS);
  return names.map((name) => {
    if (offer === undefined) return `${name}${text}`;
    const form = name.startsWith("--") ? "=" : "+";
    return `${name}${form}${text}:${name.replace(/^-+/, "")}:${action(offer)}`;
  });
}

function argumentSpecs(args: string): readonly string[] {
  return offersOf(args, MEANINGS).map((offer, at) => {
    const { sources, words } = offer;
    const message = sources[0] ?? (words.length > 0 ? "word" : "argument");
    return `${offer.repeated ? "*" : at + 1}:${message}:${action(offer)}`;
  });
}

/** What offers both words and a source is one function of it with the words. */
function action({ words, sources }: Offer): string {
  const [source] = sources;
  if (source === undefined) return words.length === 0 ? " " : `(${words.join(" ")})`;
  if (source === "file") return "_files";
  if (source === "command") return "_command_names -e";
  // Behind a blank the words are passed as they are.
  return [` ${sourceFunction(source)}`, ...words].join(" ");
}

function line(spec: string): string {
  return `\t\t${quoted(spec)} \\\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fromCommand(command: string): string {
  return `\tlocal -a found\n\tfound=("$@" \${(f)"$(${command})"})\n\tcompadd -a found\n`;
}

const CUT = (field: number, from: number) => `cut -d"|" -f${field} | tail -n +${from}`;

const NODES = `ctdb -T 2 -X listnodes 2>/dev/null | ${CUT(2, 1)}`;

/** Bodies of functions that get the words which are offered besides. */
const SOURCE_FUNCTIONS: Readonly<Record<Source, string>> = {
  database: fromCommand(`ctdb -t 2 -T 2 -X getdbmap 2>/dev/null | ${CUT(3, 2)}`),
  node: fromCommand(NODES),
  "node list": `\tcompset -P '*,'\n${fromCommand(NODES)}`,
  "node specification": `\tcompset -P '*[,-]'\n\tset -- "$@" ${NODE_WORDS.join(" ")}\n${fromCommand(NODES)}`,
  address: fromCommand(`ctdb -t 2 -T 2 -X ip all 2>/dev/null | ${CUT(2, 2)}`),
  script: fromCommand("ctdb-event script list legacy 2>/dev/null | sed 's/^[* ]*//'"),
  interface: '\tlocal -a found\n\tfound=("$@" /sys/class/net/*(N:t))\n\tcompadd -a found\n',
  option: `\tcase "$words[CURRENT-1]" in\n${[...confKeys()]
    .map(([section, names]) => `\t${section}) compadd -- ${names.map(quoted).join(" ")} ;;\n`)
    .join("")}\tesac\n`,
  command: "",
  file: "",
  nothing: "",
};
