/**
 * ctdb-config: what ctdb.conf says. Commands, output and status are those of Samba's program, but for problems of
 * the file: all of them at once, each with its line and what was expected there.
 */
import { EINVAL, ENOENT } from "../base/errno.ts";
import { checkOptionFiles, isRefused } from "./check.ts";
import { loadCtdbConfig } from "./ctdb_conf.ts";
import { migrateCommand } from "./migrate/migrate_command.ts";
import type { OptionText } from "./option_reader.ts";
import { CTDB_CONF } from "./options.ts";
import { problemText } from "./problems.ts";
import { type ConfigToolHost, UNKNOWN_COMMAND_STATUS } from "./tool_host.ts";

const USAGE = `Usage: ctdb-config [<options>] <command> [<args>]

Help Options:
  -h, --help                                      Show this help message

Options:
  -d, --debug=ERROR|WARNING|NOTICE|INFO|DEBUG     debug level

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

export function runConfigTool(host: ConfigToolHost, args: readonly string[]): number {
  const words = withoutDebugLevel(args);
  const [command = "", ...rest] = words;
  if (command === "-h" || command === "-?" || command === "--help") {
    host.out(USAGE);
    return 0;
  }
  const usage = COMMAND_USAGE[command];
  if (usage === undefined) {
    host.err(USAGE);
    return UNKNOWN_COMMAND_STATUS;
  }
  const wrongUsage = `Usage: ctdb-config [<options>] <command> [<args>]\n\n${usage}`;
  if (command === "migrate") {
    const status = migrateCommand(host, rest);
    if (status === undefined) host.err(wrongUsage);
    return status ?? EINVAL;
  }
  if (rest.length !== (command === "get" ? 2 : 0)) {
    host.err(wrongUsage);
    return EINVAL;
  }
  if (command === "validate") return validate(host);
  const [section = "", name = ""] = rest;
  if (command === "get" && CTDB_CONF.find(section, name) === undefined) {
    host.err(`Configuration option [${section}] -> "${name}" not defined\n`);
    return ENOENT;
  }
  const loaded = loadCtdbConfig(host.files, host.paths);
  if (!loaded.ok) return refused(host, loaded.error.map(problemText));
  const { options } = loaded.value;
  const asked = options.find((one) => one.section === section && one.name === name);
  host.out(asked === undefined ? dumpText(options) : `${asked.value}\n`);
  return 0;
}

/** Accepted for scripts that give it: there is nothing to be told at other levels. */
function withoutDebugLevel(args: readonly string[]): readonly string[] {
  const [first = "", ...rest] = args;
  if (first === "-d" || first === "--debug") return rest.slice(1);
  return /^(-d.|--debug=)/.test(first) ? rest : args;
}

function dumpText(options: readonly OptionText[]): string {
  let section = "";
  let text = "";
  for (const option of options) {
    if (option.section !== section) text += `[${option.section}]\n`;
    section = option.section;
    text += `\t${option.given ? "" : "# "}${option.name} = ${option.value}\n`;
  }
  return text;
}

/** Stricter than the daemon's start: the file must be there, and hold nothing that is not known. */
function validate(host: ConfigToolHost): number {
  const { files, paths } = host;
  const path = `${paths.etcDirectory}/ctdb.conf`;
  if (!files.exists(path)) {
    host.err(`Failed to load config file ${path}\n`);
    return ENOENT;
  }
  const problems = checkOptionFiles(files, paths);
  const texts = problems.map(problemText);
  if (problems.some((one) => one.file === path && isRefused(one))) return refused(host, texts);
  for (const text of texts) host.err(`${text}\n`);
  return problems.some(isRefused) ? EINVAL : 0;
}

function refused(host: ConfigToolHost, problems: readonly string[]): number {
  for (const problem of problems) host.err(`${problem}\n`);
  host.err(`Failed to load config file ${host.paths.etcDirectory}/ctdb.conf\n`);
  return EINVAL;
}
