/**
 * ctdb-path: where files of this node are. Commands, output and status are those of Samba's program; it prints
 * its usage twice, this once.
 */
import { EINVAL } from "../base/errno.ts";
import type { ToolWords } from "../base/tool_words.ts";
import {
  type ConfigTool,
  type ConfigToolHost,
  misuse,
  runTool,
  UNKNOWN_COMMAND_STATUS,
} from "./tool_host.ts";
import type { CtdbPaths } from "./types.ts";

interface Directory {
  readonly name: string;
  /** As the usage calls it. */
  readonly title: string;
  readonly path: (paths: CtdbPaths) => string;
}

/** `rundir` until Samba 4.19, then one for each use. */
const DIRECTORIES: readonly Directory[] = [
  { name: "datadir", title: "DATADIR", path: (paths) => paths.dataDirectory },
  { name: "etcdir", title: "ETCDIR", path: (paths) => paths.etcDirectory },
  { name: "lockdir", title: "LOCKDIR", path: (paths) => paths.lockDirectory },
  { name: "piddir", title: "PIDDIR", path: (paths) => paths.runDirectory },
  { name: "rundir", title: "RUNDIR", path: (paths) => paths.runDirectory },
  { name: "socketdir", title: "SOCKETDIR", path: (paths) => paths.runDirectory },
  { name: "vardir", title: "VARDIR", path: (paths) => paths.variableDirectory },
];

const COMMANDS: readonly (readonly [words: string, help: string])[] = [
  ["config", "Get path of CTDB config file"],
  ["pidfile <daemon>", "Get path of CTDB daemon pidfile"],
  ["socket <daemon>", "Get path of CTDB daemon socket"],
  ...DIRECTORIES.flatMap(({ name, title }): [string, string][] => [
    [`${name} append <path>`, `Get path relative to CTDB ${title}`],
    [name, `Get path of CTDB ${title}`],
  ]),
];

const USAGE = `Usage: ctdb-path [<options>] <command> [<args>]

Help Options:
  -h, --help     Show this help message

Options:
  -j, --json     documents instead of texts

Commands:
${COMMANDS.map(([words, help]) => `  ${words.padEnd(26)}${help}\n`).join("")}`;

const TOOL: ConfigTool = { name: "ctdb-path", usage: USAGE, run: runWords };

export function runPathTool(host: ConfigToolHost, args: readonly string[]): number {
  return runTool(TOOL, host, args);
}

function runWords(host: ConfigToolHost, { words }: ToolWords): number {
  const [command = "", first, ...rest] = words;
  const path = pathOf(host.paths, command, first, rest);
  if (path === "unknown") return misuse(host, USAGE, UNKNOWN_COMMAND_STATUS);
  if (path === undefined) {
    const known = COMMANDS.filter(([form]) => form.split(" ")[0] === command);
    const lines = known.map(([form, help]) => `  ${form.padEnd(26)}${help}\n`);
    const usage = `Usage: ctdb-path [-h|--help] [-j|--json] <command> [<args>]\n\n${lines.join("")}`;
    return misuse(host, usage, EINVAL);
  }
  if (host.facts !== undefined) host.facts({ path });
  else host.out(`${path}\n`);
  return 0;
}

/** undefined: the arguments are not those of the command. */
function pathOf(
  paths: CtdbPaths,
  command: string,
  first: string | undefined,
  rest: readonly string[],
): string | "unknown" | undefined {
  switch (command) {
    case "config":
      return first === undefined ? `${paths.etcDirectory}/ctdb.conf` : undefined;
    case "pidfile":
    case "socket": {
      if (first === undefined || rest.length > 0) return undefined;
      return `${paths.runDirectory}/${first}.${command === "socket" ? "socket" : "pid"}`;
    }
    default:
  }
  const directory = DIRECTORIES.find(({ name }) => name === command)?.path(paths);
  if (directory === undefined) return "unknown";
  if (first === undefined) return directory;
  const [path, ...surplus] = rest;
  if (first !== "append" || path === undefined || surplus.length > 0) return undefined;
  return `${directory}/${path}`;
}
