/** What ctdb-script.options(5) says of the variables that scripts read, by script. */

export interface ScriptVariable {
  readonly name: string;
  readonly value: string;
  /** Without one the variable has none: what it is about does not happen. */
  readonly byDefault?: string;
  readonly text: string;
}

export interface ScriptOptions {
  /** The script, or what several have in common. */
  readonly title: string;
  readonly text: string;
  readonly variables: readonly ScriptVariable[];
}

const YES_OR_NO = "yes|no";
const FILE = "FILE";
const DIRECTORY = "DIRECTORY";
const INTERFACE = "INTERFACE";
const SERVICE = "SERVICE";
const WITH_MASK = "ADDRESS/MASK";

function groupVariables(prefix: string, file: string, address: string): readonly ScriptVariable[] {
  return [
    {
      name: `${prefix}_NODES`,
      value: FILE,
      byDefault: `/etc/ctdb/${file}`,
      text: "The nodes of the group, an address a line. `follower-only` behind it: this node never leads the group, and needs neither address nor interface.",
    },
    {
      name: `${prefix}_PUBLIC_IP`,
      value: address,
      text: "The address that the leader of the group has. It is no public address of CTDB.",
    },
    {
      name: `${prefix}_PUBLIC_IFACE`,
      value: INTERFACE,
      text: "The interface for that address.",
    },
  ];
}

const ADDRESS_SCRIPTS: readonly ScriptOptions[] = [
  {
    title: "10.interface",
    text: "Public addresses, and the links of their interfaces.",
    variables: [
      {
        name: "CTDB_PARTIALLY_ONLINE_INTERFACES",
        value: YES_OR_NO,
        byDefault: "no",
        text: "Is the node fit while some of its public interfaces are down? It is then shown as `PARTIALLYONLINE`. Not together with a NAT gateway or LVS, which need theirs.",
      },
      {
        name: "CTDB_KILLTCP_USE_SS_KILL",
        value: "yes|try|no",
        byDefault: "no",
        text: "Who ends the connections of an address that goes: `no` for `ctdb_killtcp`, `yes` for the kernel (`ss -K`), `try` for the kernel and then `ctdb_killtcp` for what is left.",
      },
      {
        name: "CTDB_KILLTCP_DEBUGLEVEL",
        value: "LEVEL",
        text: "The level of the messages of `ctdb_killtcp`.",
      },
    ],
  },
  {
    title: "11.natgw",
    text: "The NAT gateway: nodes without a public address reach other networks through one of their group. See ctdb(7).",
    variables: [
      ...groupVariables("CTDB_NATGW", "natgw_nodes", WITH_MASK),
      {
        name: "CTDB_NATGW_PRIVATE_NETWORK",
        value: WITH_MASK,
        text: "The network of the nodes, from which the gateway takes packets.",
      },
      {
        name: "CTDB_NATGW_DEFAULT_GATEWAY",
        value: "ADDRESS",
        text: "Where the gateway sends what is for other networks. Without it the gateway gets no route.",
      },
      {
        name: "CTDB_NATGW_STATIC_ROUTES",
        value: `${WITH_MASK}[@GATEWAY] ...`,
        text: "Routes to these networks and hosts, instead of one for everything; each by its own gateway if it names one.",
      },
    ],
  },
  {
    title: "13.per_ip_routing",
    text: "A routing table for each public address, so that answers leave by the network of the address. IPv4 only.",
    variables: [
      {
        name: "CTDB_PER_IP_ROUTING_CONF",
        value: `${FILE}|__auto_link_local__`,
        text: "Lines `ADDRESS NETWORK/MASK [GATEWAY]`; or `__auto_link_local__` for a route to the network of each address.",
      },
      {
        name: "CTDB_PER_IP_ROUTING_RULE_PREF",
        value: "NUMBER",
        text: "The preference of the rules. All rules that have it belong to the script; 100 is a good one.",
      },
      {
        name: "CTDB_PER_IP_ROUTING_TABLE_ID_LOW",
        value: "NUMBER",
        text: "The first routing table that belongs to the script, above 255; usually 1000.",
      },
      {
        name: "CTDB_PER_IP_ROUTING_TABLE_ID_HIGH",
        value: "NUMBER",
        text: "The last one; usually 9000.",
      },
    ],
  },
  {
    title: "91.lvs",
    text: "A single address for the whole cluster, by the load balancer of the Linux kernel. See ctdb(7).",
    variables: groupVariables("CTDB_LVS", "lvs_nodes", "ADDRESS"),
  },
];

const SYSTEM_SCRIPTS: readonly ScriptOptions[] = [
  {
    title: "05.system",
    text: "File systems and memory that fill up.",
    variables: [
      {
        name: "CTDB_MONITOR_FILESYSTEM_USAGE",
        value: "DIRECTORY:WARN[:UNHEALTHY] ...",
        byDefault: "90 for each file system with databases",
        text: "From how many percent on a file system is warned of, and makes the node unhealthy. Either may be empty.",
      },
      {
        name: "CTDB_MONITOR_MEMORY_USAGE",
        value: "WARN[:UNHEALTHY]",
        byDefault: "80",
        text: "The same for memory.",
      },
    ],
  },
  {
    title: "15.network",
    text: "Hosts and name servers without which the services are of no use.",
    variables: [
      {
        name: "CTDB_MONITOR_HOSTS",
        value: "TYPE:HOST[,SECONDS][:WARN[:UNHEALTHY]] ...",
        text: "`dns` looks the host up, `ns` looks it up at each server of resolv.conf, `ping` sends it a packet, and each waits 1 second if nothing else is said. The numbers say after how many failures in a row is warned and the node is unhealthy (1).",
      },
    ],
  },
  {
    title: "20.multipathd",
    text: "Disks with several paths.",
    variables: [
      {
        name: "CTDB_MONITOR_MPDEVICES",
        value: "DEVICE ...",
        text: "Devices that must have an active path.",
      },
    ],
  },
  {
    title: "95.database",
    text: "Databases are looked at before they are opened, and persistent ones saved every day.",
    variables: [
      {
        name: "CTDB_MAX_CORRUPT_DB_BACKUPS",
        value: "NUMBER",
        byDefault: "10",
        text: "How many copies of a damaged database stay.",
      },
      {
        name: "CTDB_PERSISTENT_DB_BACKUP_DIR",
        value: DIRECTORY,
        text: "Where the leader saves persistent databases. Nothing is saved without it.",
      },
      {
        name: "CTDB_PERSISTENT_DB_BACKUP_LIMIT",
        value: "NUMBER",
        byDefault: "14",
        text: "How many of those stay.",
      },
      {
        name: "CTDB_PERSISTENT_DB_BACKUP_MODE",
        value: "MODE",
        byDefault: "0700",
        text: "Of that directory: databases hold secrets.",
      },
    ],
  },
];

const SERVICE_SCRIPTS: readonly ScriptOptions[] = [
  {
    title: "31.clamd",
    text: "The virus scanner.",
    variables: [
      { name: "CTDB_CLAMD_SOCKET", value: FILE, text: "The socket on which it must listen." },
    ],
  },
  {
    title: "40.vsftpd",
    text: "The FTP server.",
    variables: [
      {
        name: "CTDB_VSFTPD_MONITOR_THRESHOLDS",
        value: "WARN[:UNHEALTHY]",
        byDefault: "1:2",
        text: "After how many failures in a row is warned and the node is unhealthy.",
      },
    ],
  },
  {
    title: "47.samba-dcerpcd, 48.netbios, 49.winbind, 50.samba",
    text: "Samba. The names of its services differ between distributions.",
    variables: [
      { name: "CTDB_SERVICE_SMB", value: SERVICE, text: "The service of smbd." },
      { name: "CTDB_SERVICE_NMB", value: SERVICE, text: "The service of nmbd." },
      { name: "CTDB_SERVICE_WINBIND", value: SERVICE, text: "The service of winbindd." },
      {
        name: "CTDB_SERVICE_SAMBA_DCERPCD",
        value: SERVICE,
        text: "The service of samba-dcerpcd, where it has one of its own.",
      },
      {
        name: "CTDB_SAMBA_CHECK_PORTS",
        value: "PORT ...",
        byDefault: "what Samba's configuration says",
        text: "The ports on which smbd must listen.",
      },
      {
        name: "CTDB_SAMBA_SKIP_SHARE_CHECK",
        value: YES_OR_NO,
        byDefault: "no",
        text: "Are the directories of shares not looked at? That helps where there are thousands.",
      },
      {
        name: "CTDB_SAMBA_INTERFACES_FILE",
        value: FILE,
        text: "A part of smb.conf, to be included there, that is written with the public interfaces before smbd starts.",
      },
      {
        name: "CTDB_SAMBA_INTERFACES_EXTRA",
        value: "WORD ...",
        text: "More words for that list of interfaces.",
      },
    ],
  },
  {
    title: "60.nfs",
    text: "An NFS server: the kernel's, NFS-Ganesha, or another through a call-out.",
    variables: [
      {
        name: "CTDB_NFS_CALLOUT",
        value: "COMMAND",
        byDefault: "/etc/ctdb/nfs-linux-kernel-callout",
        text: "What does the particular things of a server: start, stop, look at exports.",
      },
      {
        name: "CTDB_NFS_CHECKS_DIR",
        value: DIRECTORY,
        byDefault: "/etc/ctdb/nfs-checks.d",
        text: "What is looked at in a monitor event: files `NN.NAME.check`, which the README there explains.",
      },
      {
        name: "CTDB_NFS_SKIP_SHARE_CHECK",
        value: YES_OR_NO,
        byDefault: "no",
        text: "Are exported directories not looked at?",
      },
      {
        name: "CTDB_NFS_SHARED_STATE_DIR",
        value: DIRECTORY,
        text: "Where state that all nodes need is kept, in the cluster file system.",
      },
      {
        name: "CTDB_NFS_EXPORTS_FILE",
        value: FILE,
        byDefault: "that of the server",
        text: "Where the call-out reads what is exported.",
      },
      {
        name: "CTDB_NFS_SERVICE",
        value: SERVICE,
        byDefault: "nfs-ganesha",
        text: "The service of NFS-Ganesha, for its call-out.",
      },
      {
        name: "CTDB_NFS_PID_FILE",
        value: FILE,
        byDefault: "/var/run/ganesha/ganesha.pid",
        text: "Where NFS-Ganesha writes the number of its process.",
      },
      {
        name: "CTDB_NFS_LOCAL_STATE_DIR",
        value: DIRECTORY,
        byDefault: "/var/lib/nfs",
        text: "Where NFS-Ganesha keeps its state; a link into the shared directory is made there.",
      },
      {
        name: "CTDB_NFS_CALLOUT_STATE_DIR",
        value: DIRECTORY,
        byDefault: "below the state of scripts",
        text: "Where call-outs keep what they note between two events.",
      },
      {
        name: "CTDB_NFS_DISTRO_STYLE",
        value: "STYLE",
        byDefault: "what is found",
        text: "How the kernel's server is started, for instance `systemd-debian` or `sysvinit-debian`.",
      },
      {
        name: "CTDB_RPCINFO_LOCALHOST",
        value: "HOST",
        byDefault: "127.0.0.1",
        text: "Where RPC services are asked over IPv4.",
      },
      {
        name: "CTDB_RPCINFO_LOCALHOST6",
        value: "HOST",
        byDefault: "::1",
        text: "Where RPC services are asked over IPv6.",
      },
      {
        name: "CTDB_STATD_CALLOUT_SHARED_STORAGE",
        value: "persistent_db[:DATABASE]|shared_dir[:DIRECTORY]|none",
        byDefault: "persistent_db",
        text: "Where it is kept which clients hold NFSv3 locks: in a persistent database, or in a directory of the cluster file system.",
      },
      {
        name: "CTDB_STATD_CALLOUT_CONFIG_FILE",
        value: FILE,
        byDefault: "in /var/lib/ctdb/scripts",
        text: "Where the call-out of rpc.statd, which does not run as root, is told what it needs.",
      },
    ],
  },
  {
    title: "70.iscsi",
    text: "iSCSI targets of tgtd.",
    variables: [
      {
        name: "CTDB_START_ISCSI_SCRIPTS",
        value: DIRECTORY,
        text: "Scripts, one for each public address, that start the targets of the address; in the cluster file system.",
      },
    ],
  },
];

const COMMON: readonly ScriptOptions[] = [
  {
    title: "debug-hung-script.sh",
    text: "What a script was doing that did not end in time; see `debug script` in ctdb.conf(5).",
    variables: [
      {
        name: "CTDB_DEBUG_HUNG_SCRIPT_STACKPAT",
        value: "NAME|NAME...",
        byDefault: "exportfs|rpcinfo",
        text: "Programs whose place in the kernel is shown: a regular expression without parentheses.",
      },
      {
        name: "CTDB_DEBUG_HUNG_SCRIPT_LOGFILE",
        value: FILE,
        byDefault: "the log",
        text: "Where it is written.",
      },
    ],
  },
  {
    title: "All scripts",
    text: "What is found out otherwise.",
    variables: [
      {
        name: "CTDB_PLATFORM_STYLE",
        value: "redhat|debian|suse|freebsd",
        byDefault: "from /etc/os-release",
        text: "What services and files are called.",
      },
      {
        name: "CTDB_INIT_STYLE",
        value: "redhat|debian|suse",
        text: "The old name of it, which scripts of others may read.",
      },
      {
        name: "CTDB_LOGGING",
        value: "LOCATION",
        byDefault: "that of ctdb.conf",
        text: "Where messages of scripts go; the daemon sets it.",
      },
      {
        name: "CTDB_DEBUGLEVEL",
        value: "LEVEL",
        byDefault: "that of ctdb.conf",
        text: "The level of messages; the daemon sets it.",
      },
    ],
  },
];

export const SCRIPT_OPTIONS: readonly ScriptOptions[] = [
  ...ADDRESS_SCRIPTS,
  ...SYSTEM_SCRIPTS,
  ...SERVICE_SCRIPTS,
  ...COMMON,
];
