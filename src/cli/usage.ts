/** Help and usage texts, from the tables of options and commands, in popt's layout. */
import type { CommandRow } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { HELP_OPTIONS, OPTIONS, type OptionRow } from "./options.ts";

const COLUMN_GAP = 5;
const USAGE_COLUMNS = 75;
const USAGE_INDENT = "        ";

/** What `--help` prints. */
export function helpText(): string {
  const width = Math.max(...[...OPTIONS, ...HELP_OPTIONS].map((row) => leftColumn(row).length));
  const line = (row: OptionRow) => `${leftColumn(row).padEnd(width + COLUMN_GAP)}${row.help}\n`;
  return (
    `Usage: [OPTION...]\n${OPTIONS.map(line).join("")}` +
    `\nHelp options:\n${HELP_OPTIONS.map(line).join("")}`
  );
}

/** What the tool prints when no command is given. */
export function fullUsage(): string {
  return `${helpText()}\nCommands:\n${COMMANDS.map(commandLine).join("")}`;
}

/** What `--usage` prints. */
export function shortUsage(): string {
  const flags = [...HELP_OPTIONS, ...OPTIONS]
    .filter((row) => row.kind === "flag")
    .map((row) => row.short)
    .join("");
  const items = [`[-${flags}]`, ...[...HELP_OPTIONS, ...OPTIONS].map(usageItem)];
  const lines = ["Usage:"];
  for (const item of items) {
    const last = lines[lines.length - 1] as string;
    if (last.length + 1 + item.length <= USAGE_COLUMNS) lines[lines.length - 1] = `${last} ${item}`;
    else lines.push(USAGE_INDENT + item);
  }
  return `${lines.join("\n")}\n`;
}

/** What a command prints that was given wrong arguments; of `sync` that of `ipreallocate`, whose other name it is. */
export function commandUsage(row: CommandRow): string {
  const shown = COMMANDS.find(({ name }) => name === row.command) ?? row;
  return `${shortUsage()}\nCommands:\n${commandLine(shown)}`;
}

function commandLine(row: CommandRow): string {
  return `  ${row.name.padEnd(15)} ${row.args.padEnd(27)}  ${row.summary}\n`;
}

function longName(row: OptionRow): string {
  if (row.hidesLongName === true) return "";
  return `--${row.name}${row.value === undefined ? "" : `=${row.value}`}`;
}

function leftColumn(row: OptionRow): string {
  return row.short === "" ? `      ${longName(row)}` : `  ${optionNames(row)}`;
}

/** `-n, --node=INT` */
export function optionNames(row: OptionRow): string {
  return [row.short === "" ? "" : `-${row.short}`, longName(row)]
    .filter((name) => name !== "")
    .join(", ");
}

function usageItem(row: OptionRow): string {
  const names = [row.short === "" ? "" : `-${row.short}`, longName(row)];
  return `[${names.filter((name) => name !== "").join("|")}]`;
}
