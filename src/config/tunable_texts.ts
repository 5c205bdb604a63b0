/** What ctdb-tunables(7) says of each tunable that has an effect or once had one; obsolete ones have none. */

export interface TunableText {
  /** Of its value: seconds, milliseconds, bytes, a number of something, or 0 and 1 for no and yes. */
  readonly unit: string;
  readonly text: string;
}

const SECONDS = "seconds";
const MILLISECONDS = "milliseconds";
const BYTES = "bytes";
const NO_OR_YES = "0 or 1";

export const TUNABLE_TEXTS: Readonly<Record<string, TunableText>> = {
  AllowClientDBAttach: {
    unit: NO_OR_YES,
    text: "Whether programs may attach databases. With 0 on all nodes nobody new comes, which `ctdb detach` demands.",
  },
  AllowMixedVersions: {
    unit: NO_OR_YES,
    text: "Whether nodes with different Samba versions (major and minor number) stay in one cluster. With 0 the younger of two daemons shuts down when it hears another version. Nodes of ours tell each node its own version, so that Samba's own nodes from 4.17 on stay beside them with 0; set it to 1 on all nodes where different versions of Samba's own ctdbd meet.",
  },
  AllowUnhealthyDBRead: {
    unit: NO_OR_YES,
    text: "Whether unhealthy databases may be traversed, for instance by `ctdb catdb`, to look at what is left of them.",
  },
  ControlTimeout: {
    unit: SECONDS,
    text: "How long the daemon waits for another node to do what it was asked, where nothing else is said.",
  },
  DatabaseHashSize: {
    unit: "number of chains",
    text: "Size of the hash table of a database file that is made new. Many records in few chains are found slowly.",
  },
  DatabaseMaxDead: {
    unit: "number of records",
    text: "How many deleted records a chain keeps for its next new ones, instead of giving their space back at once.",
  },
  DBRecordCountWarn: {
    unit: "number of records",
    text: "A recovery logs a warning of a database that has more records. 0 for never.",
  },
  DBRecordSizeWarn: {
    unit: BYTES,
    text: "A recovery logs a warning of a record that is larger. 0 for never.",
  },
  DBSizeWarn: {
    unit: BYTES,
    text: "A recovery logs a warning of a database whose records are larger together. 0 for never.",
  },
  DeferredAttachTO: {
    unit: SECONDS,
    text: "How long a program that attaches a database waits while a recovery runs, before it is refused.",
  },
  ElectionTimeout: {
    unit: SECONDS,
    text: "How long a node hears nothing of an election before the election is over.",
  },
  EnableBans: {
    unit: NO_OR_YES,
    text: "Whether the cluster bans a node that spoils recoveries or takeovers again and again. With 0 such a node can keep the cluster from working.",
  },
  EventScriptTimeout: {
    unit: SECONDS,
    text: "How long all scripts of one event may take together. A script that takes longer is killed, and the event has failed.",
  },
  FetchCollapse: {
    unit: NO_OR_YES,
    text: "Whether requests of one node for the same record wait for the first of them, instead of each asking for the record.",
  },
  HopcountMakeSticky: {
    unit: "number of hops",
    text: "In a sticky database (`ctdb setdbsticky`) a record that took more hops to arrive becomes sticky.",
  },
  IPAllocAlgorithm: {
    unit: "0, 1 or 2",
    text: "How public addresses are placed. 0: each address has a node that it returns to; quick, moves more than needed. 1: addresses move as little as possible, and are evened out a little. 2 (LCP2): as 1, and evened out within each network. Another value is taken for 2.",
  },
  KeepaliveInterval: {
    unit: SECONDS,
    text: "How often nodes show each other that they are there.",
  },
  KeepaliveLimit: {
    unit: "number of intervals",
    text: "After so many intervals without a sign of it a node counts as disconnected. A node that hangs is noticed after `KeepaliveInterval` * (`KeepaliveLimit` + 1) seconds.",
  },
  LockProcessesPerDB: {
    unit: "number of locks",
    text: "How many locks of records the daemon waits for at once in each database; others stand in line. Samba's daemon has a process for each.",
  },
  LogLatencyMs: {
    unit: MILLISECONDS,
    text: "A turn of the daemon that takes longer is logged with what it was busy with. 0 stands for three seconds.",
  },
  MaxQueueDropMsg: {
    unit: "number of messages",
    text: "A program for which more messages wait does not read them any more, and is disconnected.",
  },
  MonitorInterval: {
    unit: SECONDS,
    text: "How long after a `monitor` event the next one runs.",
  },
  MonitorTimeoutCount: {
    unit: "number of events",
    text: "After so many `monitor` events in a row that took too long a node is unhealthy.",
  },
  NoIPFailback: {
    unit: NO_OR_YES,
    text: "With 1 addresses do not move to a node because it has become fit again; they stay until their host fails or somebody moves them (`ctdb moveip`).",
  },
  NoIPTakeover: {
    unit: NO_OR_YES,
    text: "With 1 no address moves to another node: those of fit nodes stay, those of others are nowhere until their node is fit again.",
  },
  PullDBPreallocation: {
    unit: BYTES,
    text: "How much memory Samba's daemon takes at first for the records of a recovery. No effect here: memory is taken as needed.",
  },
  QueueBufferSize: {
    unit: BYTES,
    text: "How much Samba's daemon reads from a connection at once. No effect here: the amount is fixed.",
  },
  RecBufferSizeLimit: {
    unit: BYTES,
    text: "How large a packet of records may become that nodes send each other in recoveries and when they clean up.",
  },
  RecdFailCount: {
    unit: "number of intervals",
    text: "After so many times `RecdPingTimeout` without a sign of it the recovery daemon counts as hung, and is started anew.",
  },
  RecdPingTimeout: {
    unit: SECONDS,
    text: "How long the recovery daemon may say nothing before that is logged and counted.",
  },
  RecLockLatencyMs: {
    unit: MILLISECONDS,
    text: "In Samba's daemon, a check of the cluster lock that takes longer is logged. No effect here.",
  },
  RecoverInterval: {
    unit: SECONDS,
    text: "How often the recovery daemon looks whether the nodes agree.",
  },
  RecoverTimeout: {
    unit: SECONDS,
    text: "How long a recovery waits for a node to do one step.",
  },
  RecoveryBanPeriod: {
    unit: SECONDS,
    text: "For how long a node is banned that has spoiled recoveries. After that it joins again by itself.",
  },
  RecoveryDropAllIPs: {
    unit: SECONDS,
    text: "A node that has been in recovery, stopped or banned for so long releases all its public addresses.",
  },
  RecoveryGracePeriod: {
    unit: SECONDS,
    text: "What a node has spoiled is forgotten after so long without another fault.",
  },
  RepackLimit: {
    unit: "number of free blocks",
    text: "A database whose file has more of them is packed when it is cleaned up.",
  },
  RerecoveryTimeout: {
    unit: SECONDS,
    text: "How long after a recovery the next one may begin at the earliest.",
  },
  SeqnumInterval: {
    unit: MILLISECONDS,
    text: "How often nodes are told that a database with sequence numbers has changed.",
  },
  StatHistoryInterval: {
    unit: SECONDS,
    text: "How long one entry of `ctdb stats` is.",
  },
  StickyDuration: {
    unit: SECONDS,
    text: "How long a record stays sticky.",
  },
  StickyPindown: {
    unit: MILLISECONDS,
    text: "How long a sticky record stays on a node that has got it, whoever asks for it.",
  },
  TakeoverTimeout: {
    unit: SECONDS,
    text: "How long nodes may take to release and to take addresses in a takeover run.",
  },
  TickleUpdateInterval: {
    unit: SECONDS,
    text: "How often nodes tell each other of the connections to their addresses.",
  },
  TraverseTimeout: {
    unit: SECONDS,
    text: "How long a traverse of a database may take before it is given up.",
  },
  VacuumFastPathCount: {
    unit: "number of runs",
    text: "After so many runs that clean up what is known to be deleted comes one that looks through the whole database.",
  },
  VacuumInterval: {
    unit: SECONDS,
    text: "How often volatile databases are cleaned up.",
  },
  VacuumMaxRunTime: {
    unit: SECONDS,
    text: "How long cleaning up one database may take before it is broken off.",
  },
  VerboseMemoryNames: {
    unit: NO_OR_YES,
    text: "In Samba's daemon, names memory more precisely in `ctdb dumpmemory`. No effect here.",
  },
};
