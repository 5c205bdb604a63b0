/**
 * The table of commands: dispatch, usage texts and checks of options come from it. A command's code is
 * loaded when it runs.
 *
 * Names, arguments and summaries are those of the original tool; the order is that of its help.
 */
import type { Command, CommandRow } from "./command.ts";

type Loader = () => Promise<Command>;

function onNode(name: string, args: string, summary: string, load: Loader): CommandRow {
  return { name, ...(args === "" ? {} : { args }), summary, daemon: true, remote: true, load };
}
function here(name: string, args: string, summary: string, load: Loader): CommandRow {
  return { name, ...(args === "" ? {} : { args }), summary, daemon: true, remote: false, load };
}

const statistics = () => import("./commands/statistics.ts");
const node = () => import("./commands/node.ts");
const variables = () => import("./commands/variables.ts");
const databases = () => import("./commands/databases.ts");
const records = () => import("./commands/records.ts");
const transactions = () => import("./commands/transactions.ts");
const administration = () => import("./commands/administration.ts");
const backups = () => import("./commands/backups.ts");
const recovery = () => import("./commands/recovery.ts");

const DATABASE = "<dbname|dbid>";

export const COMMANDS: readonly CommandRow[] = [
  {
    name: "version",
    summary: "show version of ctdb",
    json: true,
    daemon: false,
    load: async () => (await import("./commands/version.ts")).showVersion,
  },
  {
    name: "status",
    summary: "show node status",
    json: true,
    daemon: true,
    remote: true,
    load: async () => (await import("./commands/status.ts")).status,
  },
  onNode("uptime", "", "show node uptime", async () => (await node()).uptime),
  onNode("ping", "", "ping a node", async () => (await node()).ping),
  onNode(
    "runstate",
    "[setup|first_recovery|startup|running]",
    "get/check runstate of a node",
    async () => (await node()).runstate,
  ),
  onNode("getvar", "<name>", "get a tunable variable", async () => (await variables()).getvar),
  onNode(
    "setvar",
    "<name> <value>",
    "set a tunable variable",
    async () => (await variables()).setvar,
  ),
  onNode("listvars", "", "list tunable variables", async () => (await variables()).listvars),
  onNode("statistics", "", "show ctdb statistics", async () => (await statistics()).statistics),
  onNode(
    "statisticsreset",
    "",
    "reset ctdb statistics",
    async () => (await statistics()).statisticsreset,
  ),
  onNode("stats", "[count]", "show rolling statistics", async () => (await statistics()).stats),
  onNode(
    "process-exists",
    "<pid> [<srvid>]",
    "check if a process exists on a node",
    async () => (await node()).processExists,
  ),
  onNode("getdbmap", "", "show attached databases", async () => (await databases()).getdbmap),
  onNode(
    "getdbstatus",
    DATABASE,
    "show database status",
    async () => (await databases()).getdbstatus,
  ),
  here("catdb", DATABASE, "dump cluster-wide ctdb database", async () => (await records()).catdb),
  here("cattdb", DATABASE, "dump local ctdb database", async () => (await records()).cattdb),
  onNode(
    "getcapabilities",
    "",
    "show node capabilities",
    async () => (await node()).getcapabilities,
  ),
  here("pnn", "", "show the pnn of the current node", async () => (await node()).pnn),
  onNode(
    "setdebug",
    "ERROR|WARNING|NOTICE|INFO|DEBUG",
    "set debug level",
    async () => (await node()).setdebug,
  ),
  onNode("getdebug", "", "get debug level", async () => (await node()).getdebug),
  here(
    "attach",
    "<dbname> [persistent|replicated]",
    "attach a database",
    async () => (await databases()).attach,
  ),
  here("detach", `${DATABASE} ...`, "detach database(s)", async () => (await databases()).detach),
  onNode("dumpmemory", "", "dump ctdbd memory map", async () => (await node()).dumpmemory),
  onNode("rddumpmemory", "", "dump recoverd memory map", async () => (await node()).rddumpmemory),
  onNode("getpid", "", "get ctdbd process ID", async () => (await node()).getpid),
  onNode("disable", "", "disable a node", async () => (await administration()).disable),
  onNode("enable", "", "enable a node", async () => (await administration()).enable),
  onNode("stop", "", "stop a node", async () => (await administration()).stop),
  onNode(
    "continue",
    "",
    "continue a stopped node",
    async () => (await administration()).continueNode,
  ),
  onNode("ban", "<bantime>", "ban a node", async () => (await administration()).ban),
  onNode("unban", "", "unban a node", async () => (await administration()).unban),
  onNode("shutdown", "", "shutdown ctdb daemon", async () => (await administration()).shutdown),
  onNode("recover", "", "force recovery", async () => (await recovery()).recover),
  onNode(
    "sync",
    "",
    "run ip reallocation (deprecated)",
    async () => (await administration()).ipreallocate,
  ),
  onNode(
    "ipreallocate",
    "",
    "run ip reallocation",
    async () => (await administration()).ipreallocate,
  ),
  {
    name: "listnodes",
    summary: "list nodes in the cluster",
    daemon: false,
    load: async () => (await import("./commands/listnodes.ts")).listnodes,
  },
  here(
    "reloadnodes",
    "",
    "reload the nodes file all nodes",
    async () => (await import("./commands/reloadnodes.ts")).reloadnodes,
  ),
  here(
    "backupdb",
    `${DATABASE} <file>`,
    "backup a database into a file",
    async () => (await backups()).backupdb,
  ),
  here(
    "restoredb",
    "<file> [dbname]",
    "restore a database from a file",
    async () => (await backups()).restoredb,
  ),
  {
    name: "dumpdbbackup",
    args: "<file>",
    summary: "dump database from a backup file",
    daemon: false,
    load: async () => (await backups()).dumpdbbackup,
  },
  here(
    "wipedb",
    DATABASE,
    "wipe the contents of a database.",
    async () => (await import("./commands/wipedb.ts")).wipedb,
  ),
  onNode("leader", "", "show the pnn of the leader", async () => (await recovery()).leader),
  onNode("getreclock", "", "get recovery lock file", async () => (await recovery()).getreclock),
  onNode("setlmasterrole", "on|off", "set LMASTER role", async () => (await node()).setlmasterrole),
  onNode("setleaderrole", "on|off", "set LEADER role", async () => (await node()).setleaderrole),
  onNode(
    "setdbreadonly",
    DATABASE,
    "enable readonly records",
    async () => (await databases()).setdbreadonly,
  ),
  onNode(
    "setdbsticky",
    DATABASE,
    "enable sticky records",
    async () => (await databases()).setdbsticky,
  ),
  here(
    "pfetch",
    `${DATABASE} <key>`,
    "fetch record from persistent database",
    async () => (await transactions()).pfetch,
  ),
  here(
    "pstore",
    `${DATABASE} <key> <value>`,
    "write record to persistent database",
    async () => (await transactions()).pstore,
  ),
  here(
    "pdelete",
    `${DATABASE} <key>`,
    "delete record from persistent database",
    async () => (await transactions()).pdelete,
  ),
  here(
    "ptrans",
    `${DATABASE} [<file>]`,
    "update a persistent database (from file or stdin)",
    async () => (await transactions()).ptrans,
  ),
  {
    ...onNode(
      "tfetch",
      "<tdb-file> <key> [<file>]",
      "fetch a record",
      async () => (await records()).tfetch,
    ),
  },
  onNode(
    "tstore",
    "<tdb-file> <key> <data> [<rsn> <dmaster> <flags>]",
    "store a record",
    async () => (await records()).tstore,
  ),
  here(
    "readkey",
    `${DATABASE} <key> [readonly]`,
    "read value of a database key",
    async () => (await records()).readkey,
  ),
  here(
    "writekey",
    `${DATABASE} <key> <value>`,
    "write value for a database key",
    async () => (await records()).writekey,
  ),
  here(
    "deletekey",
    `${DATABASE} <key>`,
    "delete a database key",
    async () => (await records()).deletekey,
  ),
  here(
    "pushrecord",
    `${DATABASE} <key> <value>`,
    "push a record to all nodes",
    async () => (await records()).pushrecord,
  ),
  here(
    "getdbseqnum",
    DATABASE,
    "get database sequence number",
    async () => (await databases()).getdbseqnum,
  ),
  onNode(
    "nodestatus",
    "[all|<pnn-list>]",
    "show and return node status",
    async () => (await import("./commands/status.ts")).nodestatus,
  ),
  onNode(
    "dbstatistics",
    DATABASE,
    "show database statistics",
    async () => (await statistics()).dbstatistics,
  ),
];

export function commandRow(name: string): CommandRow | undefined {
  return COMMANDS.find((row) => row.name === name);
}
