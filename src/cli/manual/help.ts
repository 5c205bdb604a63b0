/** What `ctdb COMMAND --help` prints, from the tables. Loaded when somebody asks. */
import { type Block, proseText, wrapped } from "../../base/prose.ts";
import type { CommandRow } from "../command.ts";
import { EXIT_STATUS } from "../failure.ts";
import { HELP_OPTIONS, OPTIONS, type OptionRow } from "../options.ts";
import { optionNames } from "../usage.ts";
import type { Example } from "./manual.ts";
import { OPTION_TEXTS } from "./options.ts";
import { commandManual } from "./table.ts";

/** For a terminal of so many columns. */
export function commandHelp(row: CommandRow, columns: number): string {
  const usage = `ctdb [OPTION...] ${row.name} ${row.args}`.trim();
  return [
    `Usage: ${usage}\n`,
    ...commandSections(row).map(({ title, blocks }) => `${title}:\n${proseText(blocks, columns)}`),
    wrapped("The other options and all commands: ctdb(1), or ctdb alone.", columns, ""),
  ].join("\n");
}

interface HelpSection {
  readonly title: string;
  readonly blocks: readonly Block[];
}

function commandSections(row: CommandRow): readonly HelpSection[] {
  const manual = commandManual(row.name);
  if (manual === undefined) return [{ title: "Description", blocks: [row.summary] }];
  return [
    { title: "Description", blocks: manual.about },
    { title: "Options", blocks: [{ terms: optionsOf(row).map(optionTerm) }] },
    { title: "Exit status", blocks: exitStatusBlocks(row) },
    { title: "Examples", blocks: manual.examples.map(exampleBlock) },
  ].filter(({ blocks }) => blocks.length > 0);
}

/** What is particular to the command, then what is common. */
function exitStatusBlocks(row: CommandRow): readonly Block[] {
  const { usage, timeout, "no daemon": noDaemon } = EXIT_STATUS;
  const own = `${usage} for a wrong command line, ${noDaemon} without a daemon, ${timeout} after a timeout, `;
  const common = `0 if it worked, ${row.ours === true ? own : ""}otherwise 1 or the number of the error.`;
  const particular = commandManual(row.name)?.status;
  return particular === undefined ? [common] : [particular, common];
}

/** Those that change what the command does, in the order of the table. */
function optionsOf(row: CommandRow): readonly OptionRow[] {
  return OPTIONS.filter(({ name, commands }) => {
    if (commands !== undefined) return commands.includes(row.name);
    if (name === "node") return row.daemon && row.remote;
    if (name === "timelimit") return row.daemon;
    return name === "json" || name === "maxruntime";
  }).concat(HELP_OPTIONS.filter(({ name }) => name === "help"));
}

export function optionTerm(row: OptionRow): readonly [term: string, meaning: string] {
  return [optionNames(row), OPTION_TEXTS[row.name] ?? row.help];
}

export function exampleBlock({ line, output }: Example): Block {
  return { screen: `# ${line}\n${output === undefined ? "" : `${output}\n`}` };
}
