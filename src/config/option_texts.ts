/** What ctdb.conf(5) says of each option: the form of its value, and what it does. */
import type { OPTIONS } from "./options.ts";

export interface OptionText {
  readonly value: string;
  readonly text: string;
  /** Where the table has no default: what is so without the option. */
  readonly byDefault?: string;
}

const TRUTH = "true|false";
const SECONDS = "SECONDS";
const LEVEL = "ERROR|WARNING|NOTICE|INFO|DEBUG";

const PATH = "PATH";

/** Of ctdb-appliance.conf(5), by the names of options. */
export const APPLIANCE_OPTION_TEXTS: Readonly<Record<string, OptionText>> = {
  "announced samba version": {
    value: "X.Y",
    text: "One version that keepalives announce to every node. Left out, each node hears its own from us, so that nodes of Samba's own ctdbd, which refuse another version, stay. `ctdbd --samba-version` and the variable `CTDB_SAMBA_VERSION` go first.",
    byDefault: "that of the other node, from 4.17 to that of the release",
  },
  transport: {
    value: "tcp|tls",
    text: "How nodes talk to each other. `tls`: each node proves by a certificate to be of its address, and what they say is encrypted. It must be the same on all nodes, so all of them must be ours; `ctdb-appliance ca` makes what each needs.",
  },
  "tls directory": {
    value: PATH,
    text: "Where `transport = tls` finds `node.crt`, `node.key`, `ca.crt` and `revoked`. New files are taken within seconds, without a restart.",
  },
  enabled: {
    value: TRUTH,
    text: "Whether `ctdbd` starts ctdb-admind(1) and keeps it running: it keeps the journal, and serves the API, the metrics and the page.",
  },
  listen: {
    value: "ADDRESS:PORT",
    text: "A TCP port to serve beside the unix socket, such as `127.0.0.1:4380` or `[::1]:4380`. Everybody who comes there needs a token or a client certificate.",
    byDefault: "the unix socket only",
  },
  "token file": {
    value: PATH,
    text: "A file that only root reads, with a line for each token: `TOKEN read` or `TOKEN act`. A token has 16 characters or more. A change is taken within seconds.",
    byDefault: "no token is known",
  },
  "tls certificate": {
    value: PATH,
    text: "The certificate that the TCP port shows, in PEM; with `tls key`.",
    byDefault: "no TLS",
  },
  "tls key": { value: PATH, text: "The key of `tls certificate`, in PEM.", byDefault: "no TLS" },
  "tls client ca": {
    value: PATH,
    text: "Who shows a certificate that this authority has signed may read; nobody else is let in by TLS.",
    byDefault: "no client certificates",
  },
  actions: {
    value: TRUTH,
    text: "Whether tokens with the right `act`, and root at the unix socket, may change something over HTTP: disable, ban, moveip and the like.",
  },
  webhooks: {
    value: "URL...",
    text: "Addresses that are told of changes of the cluster, with spaces between, at most 16.",
    byDefault: "nobody is told",
  },
  metrics: { value: TRUTH, text: "Whether `/metrics` is served, for Prometheus." },
  directory: {
    value: PATH,
    text: "Where the journal is. It is made with the mode 0700; it should be on a disk that stays.",
  },
  "keep days": { value: "DAYS", text: "Events that are older go. 1 to 3650." },
  "keep megabytes": {
    value: "MB",
    text: "Beyond this size of the journal the oldest events go. 16 to 1048576.",
  },
};

export const CONF_OPTION_TEXTS: Readonly<Record<keyof typeof OPTIONS, OptionText>> = {
  location: {
    value: "LOCATION",
    text: "Where messages go. `file:PATH`: into a file, whose directory must exist; `file:` alone is standard error. `syslog`: to the system's log, which is waited for. `syslog:nonblocking`: to the same, but what it does not take at once is dropped and counted. `syslog:udp`, `syslog:udp-rfc5424`: to the port for syslog of this machine. After SIGHUP a file is opened anew, as logrotate wants it.",
  },
  logLevel: {
    value: LEVEL,
    text: "Messages of this level and above are written. A number from 0 to 10 will do, too.",
  },
  transport: { value: "tcp", text: "How nodes talk to each other. There is only TCP." },
  nodeAddress: {
    value: "ADDRESS",
    text: "Which line of the nodes file is this node. Without it each address of the file is tried until one can be bound.",
  },
  clusterLock: {
    value: "FILE|!COMMAND",
    text: "What only one node can have, so that two halves of a divided cluster do not both go on: a file in a cluster file system with working locks, or a command behind `!` that holds a lock of another kind and speaks the protocol of mutex helpers. It must be the same on all nodes. Without one a divided cluster corrupts databases.",
  },
  recoveryLock: { value: "FILE|!COMMAND", text: "The old name of `cluster lock`." },
  nodesList: {
    value: "FILE|!COMMAND",
    text: "The nodes file, or a command behind `!` that prints one. The nodes must be the same, in the same order, everywhere.",
  },
  leaderTimeoutSec: {
    value: SECONDS,
    text: "How long the leader may say nothing before there is an election.",
  },
  leaderCapability: {
    value: TRUTH,
    text: "May this node lead the cluster? At least one must.",
  },
  volatileDirectory: {
    value: "DIRECTORY",
    text: "Where the files of volatile databases are. It must exist. Best in memory or on a fast local disk.",
  },
  persistentDirectory: {
    value: "DIRECTORY",
    text: "Where the files of persistent databases are. It must exist, on a local disk that survives a restart, and never in the cluster file system.",
  },
  stateDirectory: {
    value: "DIRECTORY",
    text: "Where the health of persistent databases is kept. It must exist.",
  },
  lockDebugScript: {
    value: "SCRIPT",
    text: "Called when a lock of a database is not to be had for long, with the process, what is locked, the file, and the kind of lock. It is looked for in the configuration directory, whatever directory is named.",
  },
  tdbMutexes: {
    value: TRUTH,
    text: "Robust mutexes in volatile databases instead of file locks, where the system has them. They are much quicker.",
  },
  eventDebugScript: {
    value: "SCRIPT",
    text: "Called when an event script does not end in time, with its process and the event. It is looked for in the configuration directory, whatever directory is named.",
  },
  failoverDisabled: {
    value: TRUTH,
    text: "No public addresses are moved, for instance because something else does that.",
  },
  shutdownExtraTimeoutSec: {
    value: SECONDS,
    text: "How long a shutdown waits after its addresses have moved, for those who take longer to notice.",
  },
  shutdownFailoverTimeoutSec: {
    value: SECONDS,
    text: "How long a shutdown waits until its addresses have moved.",
  },
  realtimeScheduling: {
    value: TRUTH,
    text: "Accepted, and not used yet, which the log says.",
  },
  lmasterCapability: {
    value: TRUTH,
    text: "May this node be responsible for a share of the records (lmaster)? A node behind a slow line better is not.",
  },
  startAsStopped: {
    value: TRUTH,
    text: "The node begins as after `ctdb stop`, and waits for `ctdb continue`.",
  },
  startAsDisabled: {
    value: TRUTH,
    text: "The node begins as after `ctdb disable`, and waits for `ctdb enable`.",
  },
  scriptLogLevel: { value: LEVEL, text: "The level of what event scripts print." },
};
