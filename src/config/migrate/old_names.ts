/**
 * What the variables of the configuration before release 4.9 became: options of ctdb.conf, names of scripts to
 * enable, or nothing, with the reason. Tunables and variables of scripts kept their names.
 */

import type { AnyOption } from "../option_table.ts";
import { CTDB_CONF } from "../options.ts";

export interface Successor {
  readonly option: AnyOption;
  /** The value in ctdb.conf; undefined when the old one says what is the default, null when it says nothing known. */
  value(old: string): string | undefined | null;
}

function optionOf(section: string, name: string): AnyOption {
  const option = CTDB_CONF.find(section, name);
  if (option === undefined) throw new Error(`No option [${section}] ${name} in the table`);
  return option;
}

function same(section: string, name: string): Successor {
  return { option: optionOf(section, name), value: (old) => old };
}

/** `when` means `value`; the other of yes and no is the default. */
function answer(section: string, name: string, when: "yes" | "no", value: string): Successor {
  const other = when === "yes" ? "no" : "yes";
  return {
    option: optionOf(section, name),
    value: (old) => (old === when ? value : old === other ? undefined : null),
  };
}

export const SUCCESSORS: Readonly<Record<string, Successor>> = {
  CTDB_NODE_ADDRESS: same("cluster", "node address"),
  CTDB_RECOVERY_LOCK: same("cluster", "cluster lock"),
  CTDB_TRANSPORT: same("cluster", "transport"),
  CTDB_NODES: same("cluster", "nodes list"),
  CTDB_CAPABILITY_RECMASTER: answer("cluster", "leader capability", "no", "false"),
  CTDB_CAPABILITY_LMASTER: answer("legacy", "lmaster capability", "no", "false"),
  CTDB_DEBUG_LOCKS: same("database", "lock debug script"),
  CTDB_DBDIR: same("database", "volatile database directory"),
  CTDB_DBDIR_PERSISTENT: same("database", "persistent database directory"),
  CTDB_DBDIR_STATE: same("database", "state database directory"),
  CTDB_DEBUG_HUNG_SCRIPT: same("event", "debug script"),
  CTDB_NOSETSCHED: answer("legacy", "realtime scheduling", "yes", "false"),
  CTDB_SCRIPT_LOG_LEVEL: same("legacy", "script log level"),
  CTDB_START_AS_DISABLED: answer("legacy", "start as disabled", "yes", "true"),
  CTDB_START_AS_STOPPED: answer("legacy", "start as stopped", "yes", "true"),
  CTDB_LOGGING: same("logging", "location"),
  CTDB_LOGFILE: {
    option: optionOf("logging", "location"),
    value: (old) => `file:${old}`,
  },
  CTDB_SYSLOG: answer("logging", "location", "yes", "syslog"),
  CTDB_DEBUGLEVEL: same("logging", "log level"),
};

/** Numbers; 0 is one answer, all others are the other. */
export const TUNABLE_SUCCESSORS: Readonly<Record<string, Successor>> = {
  tdbmutexenabled: {
    option: optionOf("database", "tdb mutexes"),
    value: (old) => (Number(old) === 0 ? "false" : undefined),
  },
  disableipfailover: {
    option: optionOf("failover", "disabled"),
    value: (old) => (Number(old) === 0 ? undefined : "true"),
  },
};

/** Of `CTDB_MANAGES_name=yes`. */
export const SERVICE_SCRIPTS: Readonly<Record<string, string>> = {
  samba: "50.samba",
  winbind: "49.winbind",
  apache2: "41.httpd",
  httpd: "41.httpd",
  clamd: "31.clamd",
  iscsi: "70.iscsi",
  nfs: "60.nfs",
  vsftpd: "40.vsftpd",
};

const FIXED = "it has one place now, see ctdb-path";
export const REMOVED: Readonly<Record<string, string>> = {
  CTDB_BASE: FIXED,
  CTDB_PIDFILE: FIXED,
  CTDB_SOCKET: FIXED,
  CTDB_VARDIR: FIXED,
  CTDB_EVENT_SCRIPT_DIR: `event scripts are in events/legacy below the configuration: ${FIXED}`,
  CTDB_NOTIFY_SCRIPT: "it is notify.sh in the directory of the configuration",
  CTDB_PUBLIC_ADDRESSES: "it is public_addresses in the directory of the configuration",
  CTDB_PUBLIC_INTERFACE: "each line of public_addresses names its interfaces",
  CTDB_MAX_PERSISTENT_CHECK_ERRORS: "a damaged persistent database keeps the node from starting",
  CTDB_SHUTDOWN_TIMEOUT: "the service manager waits for the daemon's end",
  CTDB_MONITOR_SWAP_USAGE: "only memory is watched: CTDB_MONITOR_MEMORY_USAGE",
  CTDB_MONITOR_FREE_MEMORY: "use CTDB_MONITOR_MEMORY_USAGE, a percentage in use",
  CTDB_MONITOR_FREE_MEMORY_WARN: "use CTDB_MONITOR_MEMORY_USAGE, a percentage in use",
  CTDB_CHECK_FS_USE: "use CTDB_MONITOR_FILESYSTEM_USAGE, with the same form",
  CTDB_SERVICE_AUTOSTARTSTOP: "services start and stop with the node only",
  CTDB_NATGW_SLAVE_ONLY: "write follower-only behind the node in the file of CTDB_NATGW_NODES",
  CTDB_LVS_NODES_SLAVE_ONLY: "write follower-only behind the node in the file of CTDB_LVS_NODES",
  CTDB_MAX_OPEN_FILES: "the service's own limit counts: LimitNOFILE, or ulimit where it is started",
  CTDB_SUPPRESS_COREFILE:
    "the service's own limit counts: LimitCORE, or ulimit where it is started",
  CTDB_VALGRIND: "nothing is left of it",
  CTDB_EXTRA_OPTIONS: "there are no options on the command line of the daemon",
  CTDB_OPTIONS: "there are no options on the command line of the daemon",
};
