/**
 * What may differ between two runs of the same command, and why: the list of normalised fields. Everything
 * else is compared byte for byte.
 */
import { COMMANDS } from "../../../src/cli/commands.ts";
import { OPTIONS } from "../../../src/cli/options.ts";

export interface Normalisation {
  readonly field: string;
  readonly why: string;
  /** Commands (first words that are no options) that it applies to; all when left out. */
  readonly commands?: readonly string[];
  apply(text: string): string;
}

function replacing(
  field: string,
  why: string,
  pattern: RegExp,
  replacement: string,
  commands?: readonly string[],
): Normalisation {
  const apply = (text: string) => text.replace(pattern, replacement);
  return commands === undefined ? { field, why, apply } : { field, why, commands, apply };
}

/** Options that only some commands take are ours. */
const OUR_OPTIONS = OPTIONS.filter(({ commands }) => commands !== undefined)
  .map(({ name, value }) => `--${name}${value === undefined ? "" : `=${value}`}`)
  .join("|");
const OUR_OPTIONS_IN_HELP = new RegExp(`^ {6}(${OUR_OPTIONS}) .*\\n`, "gm");
const OUR_OPTIONS_IN_USAGE = new RegExp(` \\[(${OUR_OPTIONS})\\]`, "g");
const OUR_COMMANDS = COMMANDS.filter(({ ours }) => ours === true).map(({ name }) => name);
const OUR_COMMANDS_IN_HELP = new RegExp(`^ {2}(${OUR_COMMANDS.join("|")}) .*\\n`, "gm");

const STATISTICS: readonly string[] = ["statistics", "stats", "dbstatistics"];

export const NORMALISATIONS: readonly Normalisation[] = [
  replacing("generation", "chosen at random", /^Generation:\d+$/gm, "Generation:N"),
  replacing(
    "times",
    "of day",
    /\b(Sun|Mon|Tue|Wed|Thu|Fri|Sat) \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\b/g,
    "TIME",
  ),
  replacing("times", "since an event", /\(\d{3} \d\d:\d\d:\d\d\)/g, "(ELAPSED)"),
  replacing("times", "a duration", /failover: \d+\.\d{6} seconds/g, "failover: T seconds", [
    "uptime",
  ]),
  replacing("times", "of a script", /^(\S+ +(?:OK|ERROR) +)\d+\.\d{3} /gm, "$1T ", [
    "event",
    "scriptstatus",
  ]),
  replacing("times", "a round trip", /time=\d+\.\d{6} sec/g, "time=T sec", ["ping"]),
  replacing("counters", "clients of the moment", /\(\d+ clients\)/g, "(N clients)", ["ping"]),
  replacing("pids", "of the daemon", /^\d+$/gm, "PID", ["getpid"]),
  replacing("counters", "of the daemon, memory included", /^( +\w+ +)\d+$/gm, "$1N", STATISTICS),
  {
    field: "counters",
    why: "widths of the same",
    commands: STATISTICS,
    apply: (text) => text.replace(/ +N$/gm, " N"),
  },
  replacing(
    "counters",
    "latencies",
    /\d+\.\d{6}\/\d+\.\d{6}\/\d+\.\d{6} sec out of \d+/g,
    "T/T/T sec out of N",
    STATISTICS,
  ),
  replacing("counters", "buckets", /(_buckets:)( \d+){16}/g, "$1 N…", STATISTICS),
  replacing("counters", "as a row", /^1\|[\d.|]+$/gm, "ROW", STATISTICS),
  replacing(
    "counters",
    "hot keys of the moment",
    /^( Num Hot Keys:) +\d+\n( +Count:.*\n)*/gm,
    "$1\n",
    ["dbstatistics"],
  ),
  {
    field: "history of statistics",
    why: "how many entries there are depends on when it is asked",
    commands: ["stats"],
    apply: (text) => [...new Set(text.split("\n"))].join("\n"),
  },
  {
    field: "memory report",
    why: "of different programs",
    commands: ["dumpmemory", "rddumpmemory"],
    apply: (text) => (text === "" ? "" : "REPORT"),
  },
  replacing("times", "of a backup", /@ \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d$/gm, "@ TIME", [
    "restoredb",
    "dumpdbbackup",
  ]),
  replacing(
    "counters",
    "how often a record changed hands depends on what was compared before",
    /^rsn: \d+$/gm,
    "rsn: N",
    ["catdb", "cattdb", "dumpdbbackup"],
  ),
  replacing("reasons", "ours says more", /(Failed to open TDB file [^:]*): .*$/gm, "$1", [
    "tfetch",
    "tstore",
  ]),
  {
    field: "order of databases",
    why: "it is that in which their files were opened, which differs for attaches at the same time",
    commands: ["getdbmap"],
    apply: (text) =>
      text.replace(/^((dbid:|\|0x).*\n)+/gim, (rows) => rows.split("\n").sort().join("\n")),
  },
  replacing("version", "that is the point", /^\d+\.\d+\.\d+\S*$/gm, "VERSION", ["version"]),
  {
    field: "help: --json",
    why: "Samba 4.17 does not have it, 4.25 does; lines break elsewhere for it",
    apply: (text) =>
      text
        .replace(/^ {2}-j, --json .*\n/gm, "")
        .replace(/^Usage: \[-[\s\S]*?maxruntime=INT\](\s+\[--[a-z-]+(=[A-Z]+)?\])*$/gm, (usage) =>
          usage
            .replace(/\s+/g, " ")
            .replace("?YjXv", "?YXv")
            .replace(" [-j|--json]", "")
            .replace(OUR_OPTIONS_IN_USAGE, ""),
        ),
  },
  replacing("help: options", "are ours", OUR_OPTIONS_IN_HELP, ""),
  replacing("help: commands", "are ours", OUR_COMMANDS_IN_HELP, ""),
  {
    field: "help of ctdb-event",
    why: "the original prints it twice; --json is ours",
    commands: ["event"],
    apply: (text) =>
      text.replace(/\s+\[-j\|--json\]\s+/g, " ").replace(/^(Usage: [\s\S]+)\1$/, "$1"),
  },
  replacing("help: pushrecord", "Samba 4.17 does not have it", /^ {2}pushrecord .*\n/gm, ""),
  replacing("spelling", "a slip of Samba 4.17", /Destiation IP/g, "Destination IP", ["gettickles"]),
  replacing("help: spelling", "a slip of Samba 4.17", /currnet node/g, "current node"),
];

export function commandOf(args: readonly string[]): string {
  return (
    args.find((word, i) => !word.startsWith("-") && !/^-[nxtTd]$/.test(args[i - 1] ?? "")) ?? ""
  );
}

/** `places` are what differs between two clusters: directories and addresses, with a name for each. */
export function normalise(
  text: string,
  args: readonly string[],
  places: ReadonlyMap<string, string>,
): string {
  let result = text;
  for (const [place, name] of places) {
    // Addresses stand in columns.
    result = result.replaceAll(place.padEnd(16), name.padEnd(16)).replaceAll(place, name);
  }
  const command = commandOf(args);
  for (const { commands, apply } of NORMALISATIONS) {
    if (commands === undefined || commands.includes(command)) result = apply(result);
  }
  return result;
}
