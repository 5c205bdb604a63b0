/**
 * The names that the executable answers to. Each is a hard link in an installation; the role's module
 * is loaded only when it runs, so that the tool does not pay for the daemon.
 */
import type { Role } from "./role.ts";

export interface RoleEntry {
  readonly name: string;
  readonly summary: string;
  /** What other releases call it: installed, and not listed. */
  readonly formerName?: string;
  /** Over, as a rule, before compiled code has paid for itself; for the others the engine compiles as usual. */
  readonly brief?: boolean;
  load(): Promise<{ readonly role: Role }>;
}

/**
 * What stands in for programs that event scripts call and a minimal image lacks (docs/event_scripts.md, "On a minimal
 * image"). They have names in a directory of their own, where nobody finds them who does not look there.
 */
export const STAND_INS: readonly RoleEntry[] = [
  {
    name: "flock",
    summary: "locks a file while a command runs, or an open file of the shell",
    brief: true,
    load: () => import("./applets/flock.ts"),
  },
  {
    name: "ss",
    summary: "lists TCP and unix sockets by state and address",
    brief: true,
    load: () => import("./applets/ss.ts"),
  },
  {
    name: "tdbtool",
    summary: "checks the integrity of a TDB file",
    brief: true,
    load: () => import("./applets/tdbtool.ts"),
  },
];

/** What the executable does under its own name only. */
export const APPLETS: readonly RoleEntry[] = [
  {
    name: "install",
    summary: "installs this release, over Debian's package too",
    brief: true,
    load: async () => ({ role: (await import("./install.ts")).install }),
  },
  {
    name: "uninstall",
    summary: "takes it away, and brings back what it replaced",
    brief: true,
    load: async () => ({ role: (await import("./install.ts")).remove }),
  },
  {
    name: "ca",
    summary: "the certificate authority of a cluster whose node links are TLS",
    brief: true,
    load: async () => ({ role: (await import("./authority_tool.ts")).authorityTool }),
  },
];

export const ROLES: readonly RoleEntry[] = [
  {
    name: "ctdbd",
    summary: "the cluster daemon of a node",
    load: () => import("./ctdbd.ts"),
  },
  {
    name: "ctdb",
    summary: "the management tool",
    brief: true,
    load: () => import("./ctdb.ts"),
  },
  {
    name: "ctdb-recoverd",
    summary: "elections, leadership and consistency checks; started by ctdbd",
    load: () => import("./ctdb_recoverd.ts"),
  },
  {
    name: "ctdb-admind",
    summary: "the HTTP API, metrics, page and journal of a node; started by ctdbd",
    load: () => import("./ctdb_admind.ts"),
  },
  {
    name: "ctdb-eventd",
    summary: "runs event scripts; started by ctdbd",
    load: () => import("./ctdb_eventd.ts"),
  },
  {
    name: "ctdb-event",
    summary: "runs events, shows what came of them, enables and disables scripts",
    brief: true,
    load: () => import("./ctdb_event.ts"),
  },
  {
    name: "ctdb-config",
    summary: "what ctdb.conf says: one option, all, or whether it is valid",
    brief: true,
    load: () => import("./ctdb_config.ts"),
  },
  {
    name: "ctdb-path",
    summary: "where the files of this node are",
    brief: true,
    load: () => import("./ctdb_path.ts"),
  },
  {
    name: "ctdb_recovery_helper",
    summary: "one recovery of all databases; started by ctdb-recoverd",
    load: () => import("./ctdb_recovery_helper.ts"),
  },
  {
    name: "ctdb_takeover_helper",
    summary: "decides where public addresses are and moves them; started by ctdb-recoverd",
    brief: true,
    load: () => import("./ctdb_takeover_helper.ts"),
  },
  {
    name: "ctdb_mutex_fcntl_helper",
    summary: "holds the cluster lock in a file of a cluster file system",
    brief: true,
    load: () => import("./ctdb_mutex_fcntl_helper.ts"),
  },
  {
    name: "ctdb_etcd_lock",
    summary: "holds the cluster lock in etcd",
    load: () => import("./ctdb_etcd_lock.ts"),
  },
  {
    name: "ctdb_mutex_etcd_helper",
    summary: "holds the cluster lock in etcd; the same as ctdb_etcd_lock",
    load: async () => ({ role: (await import("./ctdb_etcd_lock.ts")).mutexHelper }),
  },
  {
    name: "ctdb_mutex_quorum_helper",
    summary: "holds the cluster lock by the votes of the nodes",
    load: () => import("./ctdb_mutex_quorum_helper.ts"),
  },
  {
    name: "ctdb_mutex_ceph_rados_helper",
    summary: "holds the cluster lock on an object of Ceph",
    brief: true,
    load: () => import("./ctdb_mutex_ceph_rados_helper.ts"),
  },
  {
    name: "ctdb_lock_helper",
    summary: "waits for and holds a lock of a TDB file, for other programs",
    brief: true,
    load: () => import("./ctdb_lock_helper.ts"),
  },
  {
    name: "ctdb_killtcp",
    summary: "ends TCP connections, one or a list on standard input",
    load: () => import("./ctdb_killtcp.ts"),
  },
  {
    name: "ctdb_smnotify_helper",
    formerName: "smnotify",
    summary: "writes what sm-notify reads, for the call-out of NFS's statd",
    brief: true,
    load: () => import("./ctdb_smnotify_helper.ts"),
  },
  {
    name: "ltdbtool",
    summary: "shows and converts TDB files with record headers",
    load: () => import("./ltdbtool.ts"),
  },
  {
    name: "ping_pong",
    summary: "tests byte-range locks of a cluster file system",
    load: () => import("./ping_pong.ts"),
  },
  {
    name: "tdb_mutex_check",
    summary: "shows who holds the mutexes of a TDB file",
    brief: true,
    load: () => import("./tdb_mutex_check.ts"),
  },
  {
    name: "ctdb-local",
    summary: "makes and runs a cluster on loopback",
    load: () => import("./ctdb_local.ts"),
  },
  {
    name: "ctdb_local_daemons",
    summary: "the same with the command line of the original's test script",
    load: () => import("./ctdb_local_daemons.ts"),
  },
];

/** All names that an installation has. */
export const ROLE_NAMES: readonly string[] = ROLES.flatMap(({ name, formerName }) =>
  formerName === undefined ? [name] : [name, formerName],
);

export function roleList(entries = ROLES): string {
  const width = Math.max(...ROLES.map((role) => role.name.length));
  return entries.map((role) => `  ${role.name.padEnd(width)}  ${role.summary}\n`).join("");
}
