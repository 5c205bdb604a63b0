/** The programs whose words are completed. That of `ctdb` follows from its tables; the others are small. */
import { COMMANDS } from "../../cli/commands.ts";
import { HELP_OPTIONS, OPTIONS, type OptionRow } from "../../cli/options.ts";
import type { Programs } from "../pages/appliance.ts";
import type { Grammar, GrammarOption } from "./grammar.ts";

const HELP: GrammarOption = { names: ["-h", "--help"], help: "prints help" };
const DEBUG: GrammarOption = {
  names: ["-d", "--debug"],
  value: "<level>",
  help: "level of messages",
};
const TOOL_VALUES: Readonly<Record<string, string>> = {
  debug: "<level>",
  node: "<node>",
  simulate: "<node>",
};

export function grammars(programs: Programs): readonly Grammar[] {
  return [toolGrammar(), EVENT, CONFIG, PATH, ONNODE, applianceGrammar(programs)];
}

function toolGrammar(): Grammar {
  return {
    program: "ctdb",
    options: [...OPTIONS, ...HELP_OPTIONS].map(toolOption),
    commands: COMMANDS.map(({ name, args, summary }) => ({
      name,
      args,
      summary,
      ...(name === "event" ? { continues: EVENT.program } : {}),
    })),
  };
}

function toolOption({
  name,
  short,
  hidesLongName,
  kind,
  help,
  commands,
}: OptionRow): GrammarOption {
  const names = [
    ...(short === "" ? [] : [`-${short}`]),
    ...(hidesLongName === true ? [] : [`--${name}`]),
  ];
  const value = kind === "flag" ? {} : { value: TOOL_VALUES[name] ?? "<anything>" };
  return { names, help, commands, ...value };
}

const EVENT: Grammar = {
  program: "ctdb-event",
  options: [HELP, DEBUG],
  commands: [
    { name: "run", args: "<timeout> <component> <event> <args> ...", summary: "runs an event" },
    { name: "status", args: "<component> <event>", summary: "what came of an event" },
    { name: "script list", args: "<component>", summary: "lists scripts" },
    { name: "script enable", args: "<component> <script>", summary: "enables a script" },
    { name: "script disable", args: "<component> <script>", summary: "disables a script" },
  ],
};

const CONFIG: Grammar = {
  program: "ctdb-config",
  options: [HELP, DEBUG],
  commands: [
    { name: "dump", args: "", summary: "all options" },
    { name: "get", args: "<section> <option>", summary: "one option" },
    { name: "validate", args: "", summary: "is the file valid" },
  ],
};

const DIRECTORIES = ["datadir", "etcdir", "lockdir", "piddir", "rundir", "socketdir", "vardir"];

const PATH: Grammar = {
  program: "ctdb-path",
  options: [HELP],
  commands: [
    { name: "config", args: "", summary: "the configuration file" },
    { name: "pidfile", args: "<daemon>", summary: "the pid file of a daemon" },
    { name: "socket", args: "<daemon>", summary: "the socket of a daemon" },
    ...DIRECTORIES.map((name) => ({ name, args: "[append <path>]", summary: "a directory" })),
  ],
};

const ONNODE: Grammar = {
  program: "onnode",
  options: [
    { names: ["-c"], help: "in the current directory" },
    { names: ["-f"], value: "<file>", help: "another nodes file" },
    { names: ["-i"], help: "keeps standard input open" },
    { names: ["-n"], help: "nodes are host names" },
    { names: ["-p"], help: "on all nodes at once" },
    { names: ["-P"], help: "puts a file on nodes" },
    { names: ["-q"], help: "without the names of nodes" },
    { names: ["-v"], help: "with the names of nodes" },
    { names: ["-h", "--help"], help: "prints help" },
  ],
  commands: [
    {
      name: "",
      args: "all|any|ok|healthy|con|connected|<nodes> <command> <file> ...",
      summary: "runs a command on nodes",
    },
  ],
};

/** What a command of the executable takes. */
const APPLET_OPTIONS: readonly GrammarOption[] = [
  {
    names: ["--root"],
    value: "<directory>",
    help: "below which directory",
    commands: ["install", "uninstall"],
  },
  { names: ["--links"], value: "hard|symlink", help: "links of roles", commands: ["install"] },
  { names: ["--dry-run"], help: "only says what would be done", commands: ["install"] },
];

function applianceGrammar({ roles, applets }: Programs): Grammar {
  const known = [toolGrammar(), EVENT, CONFIG, PATH].map(({ program }) => program);
  return {
    program: "ctdb-appliance",
    options: [
      ...APPLET_OPTIONS,
      { names: ["--list"], help: "names of the roles" },
      { names: ["--help"], help: "prints help" },
      { names: ["--version"], help: "prints the release" },
    ],
    commands: [...applets, ...roles].map(({ name, summary }) => ({
      name,
      args: "",
      summary,
      ...(known.includes(name) ? { continues: name } : {}),
    })),
  };
}
