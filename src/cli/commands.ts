/**
 * The table of commands: dispatch, usage texts and checks of options come from it. A command's code is
 * loaded when it runs.
 *
 * Names, arguments and summaries are those of the original tool; the order is that of its help.
 */
import type { Command, CommandRow, OfflineCommand } from "./command.ts";

/** A row names the export instead of holding a function that loads it: sixty functions would be made at each start. */
type Module<Name extends string, C> = () => Promise<Readonly<Record<Name, C>>>;

function onNode<Name extends string>(
  name: string,
  args: string,
  summary: string,
  module: Module<Name, Command>,
  command: Name,
): CommandRow {
  return { name, args, summary, daemon: true, remote: true, module, command };
}

function here<Name extends string>(
  name: string,
  args: string,
  summary: string,
  module: Module<Name, Command>,
  command: Name,
): CommandRow {
  return { name, args, summary, daemon: true, remote: false, module, command };
}

function offline<Name extends string>(
  name: string,
  args: string,
  summary: string,
  module: Module<Name, OfflineCommand>,
  command: Name,
): CommandRow {
  return { name, args, summary, daemon: false, module, command };
}

const version = () => import("./commands/version.ts");
const status = () => import("./commands/status.ts");
const listnodes = () => import("./commands/listnodes.ts");
const reloadnodes = () => import("./commands/reloadnodes.ts");
const wipedb = () => import("./commands/wipedb.ts");
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
  { ...offline("version", "", "show version of ctdb", version, "showVersion"), json: true },
  { ...onNode("status", "", "show node status", status, "status"), json: true },
  onNode("uptime", "", "show node uptime", node, "uptime"),
  onNode("ping", "", "ping a node", node, "ping"),
  onNode(
    "runstate",
    "[setup|first_recovery|startup|running]",
    "get/check runstate of a node",
    node,
    "runstate",
  ),
  onNode("getvar", "<name>", "get a tunable variable", variables, "getvar"),
  onNode("setvar", "<name> <value>", "set a tunable variable", variables, "setvar"),
  onNode("listvars", "", "list tunable variables", variables, "listvars"),
  onNode("statistics", "", "show ctdb statistics", statistics, "statistics"),
  onNode("statisticsreset", "", "reset ctdb statistics", statistics, "statisticsreset"),
  onNode("stats", "[count]", "show rolling statistics", statistics, "stats"),
  onNode(
    "process-exists",
    "<pid> [<srvid>]",
    "check if a process exists on a node",
    node,
    "processExists",
  ),
  onNode("getdbmap", "", "show attached databases", databases, "getdbmap"),
  onNode("getdbstatus", DATABASE, "show database status", databases, "getdbstatus"),
  here("catdb", DATABASE, "dump cluster-wide ctdb database", records, "catdb"),
  here("cattdb", DATABASE, "dump local ctdb database", records, "cattdb"),
  onNode("getcapabilities", "", "show node capabilities", node, "getcapabilities"),
  here("pnn", "", "show the pnn of the current node", node, "pnn"),
  onNode("setdebug", "ERROR|WARNING|NOTICE|INFO|DEBUG", "set debug level", node, "setdebug"),
  onNode("getdebug", "", "get debug level", node, "getdebug"),
  here("attach", "<dbname> [persistent|replicated]", "attach a database", databases, "attach"),
  here("detach", `${DATABASE} ...`, "detach database(s)", databases, "detach"),
  onNode("dumpmemory", "", "dump ctdbd memory map", node, "dumpmemory"),
  onNode("rddumpmemory", "", "dump recoverd memory map", node, "rddumpmemory"),
  onNode("getpid", "", "get ctdbd process ID", node, "getpid"),
  onNode("disable", "", "disable a node", administration, "disable"),
  onNode("enable", "", "enable a node", administration, "enable"),
  onNode("stop", "", "stop a node", administration, "stop"),
  onNode("continue", "", "continue a stopped node", administration, "continueNode"),
  onNode("ban", "<bantime>", "ban a node", administration, "ban"),
  onNode("unban", "", "unban a node", administration, "unban"),
  onNode("shutdown", "", "shutdown ctdb daemon", administration, "shutdown"),
  onNode("recover", "", "force recovery", recovery, "recover"),
  onNode("sync", "", "run ip reallocation (deprecated)", administration, "ipreallocate"),
  onNode("ipreallocate", "", "run ip reallocation", administration, "ipreallocate"),
  offline("listnodes", "", "list nodes in the cluster", listnodes, "listnodes"),
  here("reloadnodes", "", "reload the nodes file all nodes", reloadnodes, "reloadnodes"),
  here("backupdb", `${DATABASE} <file>`, "backup a database into a file", backups, "backupdb"),
  here("restoredb", "<file> [dbname]", "restore a database from a file", backups, "restoredb"),
  offline("dumpdbbackup", "<file>", "dump database from a backup file", backups, "dumpdbbackup"),
  here("wipedb", DATABASE, "wipe the contents of a database.", wipedb, "wipedb"),
  onNode("leader", "", "show the pnn of the leader", recovery, "leader"),
  onNode("getreclock", "", "get recovery lock file", recovery, "getreclock"),
  onNode("setlmasterrole", "on|off", "set LMASTER role", node, "setlmasterrole"),
  onNode("setleaderrole", "on|off", "set LEADER role", node, "setleaderrole"),
  onNode("setdbreadonly", DATABASE, "enable readonly records", databases, "setdbreadonly"),
  onNode("setdbsticky", DATABASE, "enable sticky records", databases, "setdbsticky"),
  here(
    "pfetch",
    `${DATABASE} <key>`,
    "fetch record from persistent database",
    transactions,
    "pfetch",
  ),
  here(
    "pstore",
    `${DATABASE} <key> <value>`,
    "write record to persistent database",
    transactions,
    "pstore",
  ),
  here(
    "pdelete",
    `${DATABASE} <key>`,
    "delete record from persistent database",
    transactions,
    "pdelete",
  ),
  here(
    "ptrans",
    `${DATABASE} [<file>]`,
    "update a persistent database (from file or stdin)",
    transactions,
    "ptrans",
  ),
  onNode("tfetch", "<tdb-file> <key> [<file>]", "fetch a record", records, "tfetch"),
  onNode(
    "tstore",
    "<tdb-file> <key> <data> [<rsn> <dmaster> <flags>]",
    "store a record",
    records,
    "tstore",
  ),
  here(
    "readkey",
    `${DATABASE} <key> [readonly]`,
    "read value of a database key",
    records,
    "readkey",
  ),
  here(
    "writekey",
    `${DATABASE} <key> <value>`,
    "write value for a database key",
    records,
    "writekey",
  ),
  here("deletekey", `${DATABASE} <key>`, "delete a database key", records, "deletekey"),
  here(
    "pushrecord",
    `${DATABASE} <key> <value>`,
    "push a record to all nodes",
    records,
    "pushrecord",
  ),
  here("getdbseqnum", DATABASE, "get database sequence number", databases, "getdbseqnum"),
  onNode("nodestatus", "[all|<pnn-list>]", "show and return node status", status, "nodestatus"),
  onNode("dbstatistics", DATABASE, "show database statistics", statistics, "dbstatistics"),
];

export function commandRow(name: string): CommandRow | undefined {
  return COMMANDS.find((row) => row.name === name);
}
