/** The programs whose words are completed. That of `ctdb` follows from its tables; the others are small. */
import { COMMANDS } from "../../cli/commands.ts";
import { HELP_OPTIONS, OPTIONS, type OptionRow } from "../../cli/options.ts";
import type { Programs } from "../pages/appliance.ts";
import type { Grammar, GrammarOption } from "./grammar.ts";
import { CHECK, DAEMON, DIAGNOSTICS, LTDBTOOL, ONNODE, PING_PONG } from "./other_programs.ts";

const HELP: GrammarOption = { names: ["-h", "--help"], help: "prints help" };
const DEBUG: GrammarOption = {
  names: ["-d", "--debug"],
  value: "<level>",
  help: "level of messages",
};
const JSON_DOCUMENTS: GrammarOption = {
  names: ["-j", "--json"],
  help: "documents in place of texts, see `ctdb schema`",
};
const TOOL_VALUES: Readonly<Record<string, string>> = {
  debug: "<level>",
  node: "<node>",
  simulate: "<node>",
};

export function grammars(programs: Programs): readonly Grammar[] {
  return [...roleGrammars(), ONNODE, DIAGNOSTICS, CHECK, applianceGrammar(programs)];
}

/** Of programs that the executable is, under its own name with theirs behind it, too. */
function roleGrammars(): readonly Grammar[] {
  return [toolGrammar(), EVENT, CONFIG, PATH, DAEMON, LTDBTOOL, PING_PONG];
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

export const EVENT: Grammar = {
  program: "ctdb-event",
  options: [HELP, DEBUG, JSON_DOCUMENTS],
  commands: [
    {
      name: "run",
      args: "<timeout> <component> <event> <args> ...",
      summary: "runs an event now, for so many seconds at most (0: no limit)",
    },
    {
      name: "status",
      args: "<component> <event>",
      summary: "shows the scripts of the last run of an event and how they ended",
    },
    {
      name: "script list",
      args: "<component>",
      summary: "lists scripts; enabled ones have a star",
    },
    {
      name: "script enable",
      args: "<component> <script>",
      summary: "lets a script take part in events",
    },
    {
      name: "script disable",
      args: "<component> <script>",
      summary: "leaves a script out of events",
    },
  ],
};

export const CONFIG: Grammar = {
  program: "ctdb-config",
  options: [
    HELP,
    DEBUG,
    JSON_DOCUMENTS,
    { names: ["--dry-run"], help: "only says what would be done", commands: ["migrate"] },
  ],
  commands: [
    {
      name: "dump",
      args: "",
      summary: "prints all options; those that the file does not have are comments",
    },
    { name: "get", args: "<section> <option>", summary: "prints an option, or its default" },
    {
      name: "migrate",
      args: "[<file>]",
      summary: "makes ctdb.conf from the configuration of a release before 4.9",
    },
    { name: "validate", args: "", summary: "tells every problem of the file, unknown options too" },
  ],
};

const DIRECTORIES = ["datadir", "etcdir", "lockdir", "piddir", "rundir", "socketdir", "vardir"];

export const PATH: Grammar = {
  program: "ctdb-path",
  options: [HELP, JSON_DOCUMENTS],
  commands: [
    { name: "config", args: "", summary: "prints the path of the configuration file" },
    {
      name: "pidfile",
      args: "<daemon>",
      summary: "prints the path of the file with the process number of a daemon",
    },
    { name: "socket", args: "<daemon>", summary: "prints the path of the socket of a daemon" },
    ...DIRECTORIES.map((name) => ({
      name,
      args: "[append <path>]",
      summary: "prints a directory, or a path below it",
    })),
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
  { names: ["--layout"], value: "debian|upstream", help: "whose paths", commands: ["install"] },
  { names: ["--links"], value: "hard|symlink", help: "links of roles", commands: ["install"] },
  { names: ["--dry-run"], help: "only says what would be done", commands: ["install"] },
];

function applianceGrammar({ roles, applets }: Programs): Grammar {
  const known = roleGrammars().map(({ program }) => program);
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
