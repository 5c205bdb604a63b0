import { expect, test } from "bun:test";
import { COMMANDS } from "../commands.ts";
import { HELP_OPTIONS, OPTIONS, parseCommandLine } from "../options.ts";
import { parseArguments } from "./arguments.ts";
import { commandHelp } from "./help.ts";
import { OPTION_TEXTS } from "./options.ts";
import { commandManual, SUBJECTS } from "./table.ts";

const described = SUBJECTS.flatMap(({ commands }) => Object.keys(commands));

test("every command has an entry in a subject of src/cli/manual", () => {
  const missing = COMMANDS.map(({ name }) => name).filter((name) => !described.includes(name));
  expect(missing).toEqual([]);
});

test("every entry of the manual is of a command, and no command has two", () => {
  const known = COMMANDS.map(({ name }) => name);
  expect(described.filter((name) => !known.includes(name))).toEqual([]);
  expect(described.filter((name, at) => described.indexOf(name) !== at)).toEqual([]);
});

test("every option has a text in src/cli/manual/options.ts, and every text an option", () => {
  const known = [...OPTIONS, ...HELP_OPTIONS].map(({ name }) => name);
  expect(Object.keys(OPTION_TEXTS).sort()).toEqual([...known].sort());
});

/** How many arguments there are at least and at most. */
function argumentCounts(text: string): { readonly least: number; readonly most: number } {
  const parsed = parseArguments(text);
  const repeated = parsed.some((argument) => argument.repeated);
  return {
    least: parsed.filter(({ optional }) => !optional).length,
    most: repeated ? Number.POSITIVE_INFINITY : parsed.length,
  };
}

/** What is wrong with an example of a command; undefined for nothing. */
function exampleProblem(name: string, args: string, line: string): string | undefined {
  const [program, ...words] = line.split(" ");
  if (program !== "ctdb") return `${line}: expected ctdb in front`;
  const parsed = parseCommandLine(words);
  if (!parsed.ok) return `${line}: ${parsed.error}`;
  if (parsed.value.kind !== "run") return `${line}: expected a command to run`;
  const [command, ...given] = parsed.value.words;
  if (command !== name) return `${line}: expected an example of ${name}`;
  for (const option of parsed.value.given) {
    const only = OPTIONS.find((row) => row.name === option)?.commands;
    if (only?.includes(name) === false) return `${line}: --${option} is not for ${name}`;
  }
  // Its arguments are those of another program.
  if (name === "event") return undefined;
  const { least, most } = argumentCounts(args);
  if (given.length >= least && given.length <= most) return undefined;
  return `${line}: expected ${least} to ${most} arguments (${args}), got ${given.length}`;
}

test("every example is a command line of its command that the tool can read", () => {
  const wrong = COMMANDS.flatMap(({ name, args }) =>
    (commandManual(name)?.examples ?? []).map(({ line }) => exampleProblem(name, args, line)),
  ).filter((problem) => problem !== undefined);
  expect(wrong).toEqual([]);
});

test("exampleProblem() sees another command, too many arguments and a foreign option", () => {
  expect(exampleProblem("pnn", "", "ctdb status")).toContain("an example of pnn");
  expect(exampleProblem("pnn", "", "ctdb pnn 1")).toContain("0 to 0 arguments");
  expect(exampleProblem("ban", "<bantime>", "ctdb ban")).toContain("1 to 1 arguments");
  expect(exampleProblem("pnn", "", "ctdb pnn --write")).toContain("--write is not for pnn");
  expect(exampleProblem("pnn", "", "ctdb --foo pnn")).toContain("unknown option");
});

test("parseArguments() reads what rows write", () => {
  const words = (...each: string[]) => each.map((word) => ({ word }));
  expect(parseArguments("<iface> up|down")).toEqual([
    { alternatives: [{ placeholder: "iface" }], optional: false, repeated: false },
    { alternatives: words("up", "down"), optional: false, repeated: false },
  ]);
  expect(parseArguments("<dbname|dbid> ...")).toEqual([
    { alternatives: [{ placeholder: "dbname|dbid" }], optional: false, repeated: true },
  ]);
  expect(parseArguments("[all|<pnn-list>]")).toEqual([
    {
      alternatives: [{ word: "all" }, { placeholder: "pnn-list" }],
      optional: true,
      repeated: false,
    },
  ]);
  expect(parseArguments("<ip>:<port>")[0]?.alternatives).toEqual([{ placeholder: "ip:port" }]);
  expect(argumentCounts("<tdb-file> <key> <data> [<rsn> <dmaster> <flags>]")).toEqual({
    least: 3,
    most: 6,
  });
});

test("commandHelp() has usage, the command's own options and no others, and fits 20 columns", () => {
  for (const row of COMMANDS) {
    const text = commandHelp(row, 80);
    expect(text).toStartWith(`Usage: ctdb [OPTION...] ${row.name}`);
    expect(text).toContain("Examples:\n    # ctdb ");
    expect(text.includes("--write")).toBe(row.name === "addip" || row.name === "delip");
    expect(text.includes("--node=INT")).toBe(row.daemon && row.remote);
    expect(text).toContain("--json");
  }
  // What is typed has the width that it has: usage, options, commands of a command.
  for (const row of COMMANDS) {
    const text = commandHelp(row, 20).split("Examples:")[0] ?? "";
    const fixed = /^(Usage:| {2}-| {4}\S| {2}[a-z ]+[A-Z]{3,})/;
    const long = text
      .split("\n")
      .filter((line) => line.length > 20 && line.trim().includes(" ") && !fixed.test(line));
    expect([row.name, long]).toEqual([row.name, []]);
  }
});
