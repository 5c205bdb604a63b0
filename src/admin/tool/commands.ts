/**
 * Commands of the tool whose documents the API gives: they only read, each of them ends soon, and none shows what is
 * in records, which not everybody who may look at a cluster may read.
 */
export const TOOL_COMMANDS: readonly string[] = [
  "dbstatistics",
  "doctor",
  "getcapabilities",
  "getdbmap",
  "getdbseqnum",
  "getdbstatus",
  "getdebug",
  "getpid",
  "getreclock",
  "gettickles",
  "getvar",
  "ifaces",
  "ip",
  "ipinfo",
  "leader",
  "listnodes",
  "listvars",
  "lvs",
  "natgw",
  "nodestatus",
  "ping",
  "pnn",
  "runstate",
  "scriptstatus",
  "statistics",
  "stats",
  "status",
  "uptime",
  "version",
];

/** Documents that cost more than a question or two may be older. */
export const SLOW_COMMANDS_MS_OLD: Readonly<Record<string, number>> = {
  doctor: 10_000,
  lvs: 2000,
  natgw: 2000,
};
