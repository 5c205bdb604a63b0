/**
 * ctdb-config: what ctdb.conf says. Commands, output and status are those of Samba's program, but for problems of
 * the file: all of them at once, each with its line and what was expected there.
 */
import { EINVAL, ENOENT } from "../base/errno.ts";
import type { ToolWords } from "../base/tool_words.ts";
import { checkOptionFiles, isRefused } from "./check.ts";
import { loadCtdbConfig } from "./ctdb_conf.ts";
import { migrateCommand } from "./migrate/migrate_command.ts";
import type { OptionText } from "./option_reader.ts";
import { CTDB_CONF } from "./options.ts";
import { problemText } from "./problems.ts";
import {
  type ConfigTool,
  type ConfigToolHost,
  misuse,
  runTool,
  UNKNOWN_COMMAND_STATUS,
} from "./tool_host.ts";
import type { OptionFacts, ProblemFacts } from "./tool_schemas.ts";
import type { ConfigProblem } from "./types.ts";

const USAGE = `Usage: ctdb-config [<options>] <command> [<args>]

Help Options:
  -h, --help                                      Show this help message

Options:
  -d, --debug=ERROR|WARNING|NOTICE|INFO|DEBUG     debug level
  -j, --json                                      documents instead of texts

Commands:
  dump                    Dump configuration
  get <section> <key>     Get a config value
  validate                Validate configuration file
  migrate [--dry-run] [FILE]
                          Make it from that of a release before 4.9
`;

const COMMAND_USAGE: Readonly<Record<string, string>> = {
  dump: "  dump                    Dump configuration\n",
  get: "  get <section> <key>     Get a config value\n",
  validate: "  validate                Validate configuration file\n",
  migrate: "  migrate [--dry-run] [FILE]\n",
};

/** How many; none of the others. */
const OPERANDS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  get: [2, 2],
  migrate: [0, 1],
};

const DRY_RUN = "--dry-run";
const TOOL: ConfigTool = { name: "ctdb-config", usage: USAGE, flags: [DRY_RUN], run: runWords };

export function runConfigTool(host: ConfigToolHost, args: readonly string[]): number {
  return runTool(TOOL, host, args);
}

function runWords(host: ConfigToolHost, { words, flags }: ToolWords): number {
  const [command = "", ...rest] = words;
  const dryRun = flags.has(DRY_RUN);
  const usage = COMMAND_USAGE[command];
  if (usage === undefined) return misuse(host, USAGE, UNKNOWN_COMMAND_STATUS);
  const [least, most] = OPERANDS[command] ?? [0, 0];
  if (rest.length < least || rest.length > most || (dryRun && command !== "migrate")) {
    return misuse(host, `Usage: ctdb-config [<options>] <command> [<args>]\n\n${usage}`, EINVAL);
  }
  if (command === "migrate") return migrateCommand(host, dryRun, rest[0]);
  if (command === "validate") return validate(host);
  const [section = "", name = ""] = rest;
  // As the original: the section in any case, the name as it is written.
  const wanted = CTDB_CONF.find(section.toLowerCase(), name);
  if (command === "get" && wanted === undefined) {
    host.err(`Configuration option [${section}] -> "${name}" not defined\n`);
    return ENOENT;
  }
  const loaded = loadCtdbConfig(host.files, host.paths);
  if (!loaded.ok) return refused(host, loaded.error.map(problemText));
  const { options } = loaded.value;
  const asked = options.find((one) => one.section === wanted?.section && one.name === wanted.name);
  if (host.facts === undefined) {
    host.out(asked === undefined ? dumpText(options) : `${asked.text}\n`);
  } else if (asked === undefined) {
    host.facts({ file: confPath(host), options: options.map(optionFacts) });
  } else host.facts(optionFacts(asked));
  return 0;
}

function optionFacts({ section, name, value, given }: OptionText): OptionFacts {
  return { section, name, value, given };
}

function confPath({ paths }: ConfigToolHost): string {
  return `${paths.etcDirectory}/ctdb.conf`;
}

function dumpText(options: readonly OptionText[]): string {
  let section = "";
  let text = "";
  for (const option of options) {
    if (option.section !== section) text += `[${option.section}]\n`;
    section = option.section;
    text += `\t${option.given ? "" : "# "}${option.name} = ${option.text}\n`;
  }
  return text;
}

/** Stricter than the daemon's start: the file must be there, and hold nothing that is not known. */
function validate(host: ConfigToolHost): number {
  const { files, paths } = host;
  const path = confPath(host);
  if (!files.exists(path)) {
    host.err(`Failed to load config file ${path}\n`);
    return ENOENT;
  }
  const problems = checkOptionFiles(files, paths);
  const status = problems.some(isRefused) ? EINVAL : 0;
  if (host.facts !== undefined) {
    host.facts({ file: path, valid: status === 0, problems: problems.map(problemFacts) });
    return status;
  }
  const texts = problems.map(problemText);
  if (problems.some((one) => one.file === path && isRefused(one))) return refused(host, texts);
  for (const text of texts) host.err(`${text}\n`);
  return status;
}

function problemFacts({ file, line, path, severity, reason }: ConfigProblem): ProblemFacts {
  return { file, line: line > 0 ? line : null, option: path ?? null, severity, reason };
}

function refused(host: ConfigToolHost, problems: readonly string[]): number {
  for (const problem of problems) host.err(`${problem}\n`);
  host.err(`Failed to load config file ${confPath(host)}\n`);
  return EINVAL;
}
