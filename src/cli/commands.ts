/**
 * The table of commands: dispatch, usage texts and checks of options come from it. A command's code is
 * loaded when it runs.
 *
 * Names, arguments and summaries are those of the original tool, and the order is that of its help. Rows that it does
 * not have are `ours`.
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
  return { name, args, summary, daemon: true, remote: true, json: "acted", module, command };
}

function here<Name extends string>(
  name: string,
  args: string,
  summary: string,
  module: Module<Name, Command>,
  command: Name,
): CommandRow {
  return { name, args, summary, daemon: true, remote: false, json: "acted", module, command };
}

function offline<Name extends string>(
  name: string,
  args: string,
  summary: string,
  module: Module<Name, OfflineCommand>,
  command: Name,
): CommandRow {
  return { name, args, summary, daemon: false, json: "acted", module, command };
}

/** With --json it gives facts, whose schema is in schemas/, and not only that it has acted. */
function facts(row: CommandRow): CommandRow {
  return { ...row, json: "facts" };
}

/** The original tool has no such command. */
function ours(row: CommandRow): CommandRow {
  return { ...row, ours: true };
}

/** A terminal is asked first (`asks` in command.ts). */
function asking(asks: NonNullable<CommandRow["asks"]>, row: CommandRow): CommandRow {
  return { ...row, asks };
}

const version = () => import("./commands/version.ts");
const status = () => import("./commands/status.ts");
const listnodes = () => import("./commands/listnodes.ts");
const reloadnodes = () => import("./commands/reloadnodes.ts");
const wipedb = () => import("./commands/wipedb.ts");
const statistics = () => import("./commands/statistics.ts");
const node = () => import("./commands/node.ts");
const nodeChanges = () => import("./commands/node_changes.ts");
const variables = () => import("./commands/variables.ts");
const databases = () => import("./commands/databases.ts");
const records = () => import("./commands/records.ts");
const transactions = () => import("./commands/transactions.ts");
const administration = () => import("./commands/administration.ts");
const backups = () => import("./commands/backups.ts");
const recovery = () => import("./commands/recovery.ts");
const publicIps = () => import("./commands/public_ips.ts");
const publicIpChanges = () => import("./commands/public_ip_changes.ts");
const moveip = () => import("./commands/moveip.ts");
const interfaces = () => import("./commands/interfaces.ts");
const tickle = () => import("./commands/tickle.ts");
const tickles = () => import("./commands/tickles.ts");
const helpers = () => import("./commands/helpers.ts");
const drain = () => import("./commands/drain.ts");
const reload = () => import("./commands/reload.ts");
const doctor = () => import("./commands/doctor.ts");
const checktcpport = () => import("./commands/checktcpport.ts");
const schema = () => import("./commands/schema.ts");
const wait = () => import("./commands/wait.ts");
const top = () => import("./commands/top.ts");
const db = () => import("./commands/db.ts");
const snapshot = () => import("./commands/snapshot.ts");
const why = () => import("./commands/why.ts");
const journal = () => import("./commands/journal.ts");

const DATABASE = "<dbname|dbid>";
const EVENTS = "[init|setup|startup|monitor|takeip|releaseip|ipreallocated]";

export const COMMANDS: readonly CommandRow[] = [
  { ...offline("version", "", "show version of ctdb", version, "showVersion"), json: "original" },
  { ...onNode("status", "", "show node status", status, "status"), json: "original" },
  facts(onNode("uptime", "", "show node uptime", node, "uptime")),
  facts(onNode("ping", "", "ping a node", node, "ping")),
  facts(
    onNode(
      "runstate",
      "[setup|first_recovery|startup|running]",
      "get/check runstate of a node",
      node,
      "runstate",
    ),
  ),
  facts(onNode("getvar", "<name>", "get a tunable variable", variables, "getvar")),
  onNode("setvar", "<name> <value>", "set a tunable variable", variables, "setvar"),
  facts(onNode("listvars", "", "list tunable variables", variables, "listvars")),
  facts(onNode("statistics", "", "show ctdb statistics", statistics, "statistics")),
  onNode("statisticsreset", "", "reset ctdb statistics", statistics, "statisticsreset"),
  facts(onNode("stats", "[count]", "show rolling statistics", statistics, "stats")),
  facts(onNode("ip", "[all]", "show public ips", publicIps, "ip")),
  facts(onNode("ipinfo", "<ip>", "show public ip details", publicIps, "ipinfo")),
  facts(onNode("ifaces", "", "show interfaces", interfaces, "ifaces")),
  onNode(
    "setifacelink",
    "<iface> up|down",
    "set interface link status",
    interfaces,
    "setifacelink",
  ),
  facts(
    onNode(
      "process-exists",
      "<pid> [<srvid>]",
      "check if a process exists on a node",
      node,
      "processExists",
    ),
  ),
  facts(onNode("getdbmap", "", "show attached databases", databases, "getdbmap")),
  facts(onNode("getdbstatus", DATABASE, "show database status", databases, "getdbstatus")),
  facts(here("catdb", DATABASE, "dump cluster-wide ctdb database", records, "catdb")),
  facts(here("cattdb", DATABASE, "dump local ctdb database", records, "cattdb")),
  facts(onNode("getcapabilities", "", "show node capabilities", node, "getcapabilities")),
  facts(here("pnn", "", "show the pnn of the current node", node, "pnn")),
  facts(here("lvs", "leader|list|status", "show lvs configuration", helpers, "lvs")),
  onNode("setdebug", "ERROR|WARNING|NOTICE|INFO|DEBUG", "set debug level", node, "setdebug"),
  facts(onNode("getdebug", "", "get debug level", node, "getdebug")),
  here("attach", "<dbname> [persistent|replicated]", "attach a database", databases, "attach"),
  asking(
    "All nodes forget database {1} and what is in it.",
    here("detach", `${DATABASE} ...`, "detach database(s)", databases, "detach"),
  ),
  facts(onNode("dumpmemory", "", "dump ctdbd memory map", node, "dumpmemory")),
  facts(onNode("rddumpmemory", "", "dump recoverd memory map", node, "rddumpmemory")),
  facts(onNode("getpid", "", "get ctdbd process ID", node, "getpid")),
  facts(onNode("disable", "", "disable a node", administration, "disable")),
  facts(onNode("enable", "", "enable a node", administration, "enable")),
  ours(
    facts(
      onNode("drain", "[<pnn>]", "move clients away from a node and disable it", drain, "drain"),
    ),
  ),
  facts(onNode("stop", "", "stop a node", administration, "stop")),
  facts(onNode("continue", "", "continue a stopped node", administration, "continueNode")),
  facts(onNode("ban", "<bantime>", "ban a node", administration, "ban")),
  facts(onNode("unban", "", "unban a node", administration, "unban")),
  asking(
    "The daemon of node {node} ends, and its clients with it.",
    onNode("shutdown", "", "shutdown ctdb daemon", administration, "shutdown"),
  ),
  onNode("recover", "", "force recovery", recovery, "recover"),
  onNode("sync", "", "run ip reallocation (deprecated)", administration, "ipreallocate"),
  onNode("ipreallocate", "", "run ip reallocation", administration, "ipreallocate"),
  onNode("gratarp", "<ip> <interface>", "send a gratuitous arp", publicIpChanges, "gratarp"),
  offline("tickle", "<srcip:port> <dstip:port>", "send a tcp tickle ack", tickle, "tickle"),
  facts(onNode("gettickles", "<ip> [<port>]", "get the list of tickles", tickles, "gettickles")),
  onNode("addtickle", "<ip>:<port> <ip>:<port>", "add a tickle", tickles, "addtickle"),
  onNode("deltickle", "<ip>:<port> <ip>:<port>", "delete a tickle", tickles, "deltickle"),
  ours(facts(onNode("reload", "", "read the configuration again", reload, "reload"))),
  facts({
    ...offline("doctor", "", "find out what is wrong here, and what to do", doctor, "doctor"),
    ours: true,
  }),
  facts(offline("listnodes", "", "list nodes in the cluster", listnodes, "listnodes")),
  facts(here("reloadnodes", "", "reload the nodes file all nodes", reloadnodes, "reloadnodes")),
  here("moveip", "<ip> <node>", "move an ip address to another node", moveip, "moveip"),
  facts(
    onNode("addip", "<ip/mask> <iface>", "add an ip address to a node", publicIpChanges, "addip"),
  ),
  asking(
    "Node {node} no longer hosts {1}: who is connected to it there is cut off.",
    facts(onNode("delip", "<ip>", "delete an ip address from a node", publicIpChanges, "delip")),
  ),
  here("backupdb", `${DATABASE} <file>`, "backup a database into a file", backups, "backupdb"),
  asking(
    "On all nodes the records of the database are replaced by those of {1}.",
    here("restoredb", "<file> [dbname]", "restore a database from a file", backups, "restoredb"),
  ),
  facts(
    offline("dumpdbbackup", "<file>", "dump database from a backup file", backups, "dumpdbbackup"),
  ),
  asking(
    "On all nodes every record of database {1} is removed.",
    here("wipedb", DATABASE, "wipe the contents of a database.", wipedb, "wipedb"),
  ),
  facts(onNode("leader", "", "show the pnn of the leader", recovery, "leader")),
  facts(offline("event", "", "event and event script commands", helpers, "event")),
  facts(offline("scriptstatus", EVENTS, "show event script status", helpers, "scriptstatus")),
  facts(here("natgw", "leader|list|status", "show natgw configuration", helpers, "natgw")),
  facts(onNode("getreclock", "", "get recovery lock file", recovery, "getreclock")),
  onNode("setlmasterrole", "on|off", "set LMASTER role", node, "setlmasterrole"),
  onNode("setleaderrole", "on|off", "set LEADER role", node, "setleaderrole"),
  onNode("setdbreadonly", DATABASE, "enable readonly records", databases, "setdbreadonly"),
  onNode("setdbsticky", DATABASE, "enable sticky records", databases, "setdbsticky"),
  facts(
    here(
      "pfetch",
      `${DATABASE} <key>`,
      "fetch record from persistent database",
      transactions,
      "pfetch",
    ),
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
  facts(onNode("tfetch", "<tdb-file> <key> [<file>]", "fetch a record", records, "tfetch")),
  onNode(
    "tstore",
    "<tdb-file> <key> <data> [<rsn> <dmaster> <flags>]",
    "store a record",
    records,
    "tstore",
  ),
  facts(
    here(
      "readkey",
      `${DATABASE} <key> [readonly]`,
      "read value of a database key",
      records,
      "readkey",
    ),
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
  facts(
    offline(
      "checktcpport",
      "<port>",
      "check if a service is bound to a specific tcp port or not",
      checktcpport,
      "checktcpport",
    ),
  ),
  facts(here("getdbseqnum", DATABASE, "get database sequence number", databases, "getdbseqnum")),
  facts(
    onNode("nodestatus", "[all|<pnn-list>]", "show and return node status", status, "nodestatus"),
  ),
  facts(onNode("dbstatistics", DATABASE, "show database statistics", statistics, "dbstatistics")),
  here("reloadips", "[all|<pnn-list>]", "reload the public addresses file", moveip, "reloadips"),
  facts({
    ...offline("schema", "<command>", "show what --json of a command gives", schema, "schema"),
    ours: true,
  }),
  // What the original tool does not have.
  {
    ...facts(
      ours(offline("wait", "<condition> ...", "wait until a condition holds", wait, "wait")),
    ),
    lasting: true,
  },
  {
    ...facts(ours(onNode("top", "[<seconds>]", "watch nodes, load and databases", top, "top"))),
    lasting: true,
  },
  asking(
    { repack: "Nobody can use database {2} while all nodes write it anew." },
    facts(ours(here("db", `repack ${DATABASE}`, "write a database anew", db, "db"))),
  ),
  asking(
    {
      restore: "On all nodes databases are replaced by those of snapshot {2}.",
      prune: "Old snapshots are removed.",
    },
    facts(
      ours(
        offline(
          "snapshot",
          "create|list|verify|restore|prune [<args>] ...",
          "keep copies of persistent databases",
          snapshot,
          "snapshot",
        ),
      ),
    ),
  ),
  {
    ...facts(
      ours(
        here(
          "node",
          "add|remove|repair [<args>] ...",
          "add and remove nodes: change the nodes file of all nodes",
          nodeChanges,
          "node",
        ),
      ),
    ),
    asksItself: true,
  },
  facts(
    ours(
      onNode(
        "why",
        "node|recovery|leader|address|event [<args>] ...",
        "why something happened",
        why,
        "why",
      ),
    ),
  ),
  {
    ...facts(ours(onNode("journal", "", "show what happened", journal, "journal"))),
    lasting: true,
  },
  facts(ours(onNode("state", "", "show the cluster as it was", why, "state"))),
];

export function commandRow(name: string): CommandRow | undefined {
  return COMMANDS.find((row) => row.name === name);
}
