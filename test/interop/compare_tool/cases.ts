/**
 * The command lines that are compared: every command of the tool that the stock tool of Samba 4.17 knows
 * as well, healthy, with a dead peer, and with wrong arguments.
 *
 * A case that changes the cluster says how to undo it; each tool then gets the same cluster.
 */

export type Situation = "healthy" | "peer dead";

export interface Case {
  readonly args: readonly string[];
  /** Commands of the stock tool on the same node that bring back what was. */
  readonly undo?: readonly (readonly string[])[];
  /** Commands of the stock tool on the same node that make the situation. */
  readonly before?: readonly (readonly string[])[];
  readonly situations?: readonly Situation[];
  /** The node that is down afterwards and has to be started again. */
  readonly restart?: number;
  /** Node whose daemon is asked; 0 when left out. */
  readonly on?: number;
}

/** Attached before anything is compared, so that databases can be shown. */
export const PREPARATION: readonly (readonly string[])[] = [
  ["attach", "compare.tdb"],
  ["attach", "sticky.tdb", "sticky"],
  ["writekey", "compare.tdb", "known", "value"],
  ["writekey", "compare.tdb", "0x0001ff", "0x410042"],
  ["attach", "persistent.tdb", "persistent"],
  ["attach", "replicated.tdb", "replicated"],
  ["pstore", "persistent.tdb", "known", "value"],
  ["pstore", "persistent.tdb", "0x0001ff", "0x410042"],
  ["pstore", "replicated.tdb", "known", "value"],
];

export const DEAD_PEER = 2;

const HEALTHY: readonly Situation[] = ["healthy"];

function all(...lines: readonly string[]): readonly Case[] {
  return lines.map((line) => ({ args: line.split(" ") }));
}
function healthy(...lines: readonly string[]): readonly Case[] {
  return lines.map((line) => ({ args: line.split(" "), situations: HEALTHY }));
}
function change(line: string, ...undo: readonly string[]): Case {
  return { args: line.split(" "), undo: undo.map((text) => text.split(" ")) };
}
/** Changes that take seconds and are refused when the peer is dead, or the same then. */
function deadOnly(line: string): Case {
  return { ...change(line), situations: ["peer dead"] };
}
function healthyOnly(entry: Case): Case {
  return { ...entry, situations: HEALTHY };
}

/** Shown state; each also names a node that is there, and the one that may be dead. */
const SHOWING = all(
  "version",
  "status",
  "-X status",
  "-Y -x : status",
  "-n 1 status",
  "-n 2 status",
  "nodestatus",
  "nodestatus all",
  "nodestatus 0,1",
  "nodestatus 2",
  "-X nodestatus all",
  "-n 1 nodestatus",
  "listnodes",
  "-X listnodes",
  "pnn",
  "leader",
  "-n 1 leader",
  "uptime",
  "-n 1 uptime",
  "-n 2 uptime",
  "ping",
  "-n 1 ping",
  "-n 2 ping",
  "runstate",
  "runstate running",
  "runstate init startup running",
  "runstate init",
  "-n 2 runstate",
  "getvar MonitorInterval",
  "getvar monitorinterval",
  "-n 1 getvar KeepaliveLimit",
  "-n 2 getvar KeepaliveLimit",
  "listvars",
  "-n 1 listvars",
  "statistics",
  "-X statistics",
  "-n 1 statistics",
  "-n 2 statistics",
  "process-exists 1",
  "process-exists 1 0x1234",
  "-n 1 process-exists 99999999",
  "-n 2 process-exists 1",
  "getdbmap",
  "-X getdbmap",
  "-n 1 getdbmap",
  "-n 2 getdbmap",
  "getdbstatus compare.tdb",
  "getdbstatus sticky.tdb",
  "-n 1 getdbstatus compare.tdb",
  "catdb compare.tdb",
  "getdebug",
  "-n 1 getdebug",
  "-n 2 getdebug",
  "getpid",
  "-n 1 getpid",
  "-n 2 getpid",
  "getcapabilities",
  "-X getcapabilities",
  "-n 1 getcapabilities",
  "-n 2 getcapabilities",
  "getreclock",
  "-n 2 getreclock",
  "readkey compare.tdb known",
  "readkey compare.tdb unknown",
  "readkey compare.tdb 0x0001ff",
  "readkey compare.tdb known readonly",
  "reloadnodes",
  "pfetch persistent.tdb known",
  "pfetch persistent.tdb unknown",
  "pfetch persistent.tdb 0x0001ff",
  "pfetch replicated.tdb known",
  "getdbstatus persistent.tdb",
  "getdbstatus replicated.tdb",
  "catdb persistent.tdb",
  "cattdb replicated.tdb",
  "getdbseqnum persistent.tdb",
  "getdbseqnum replicated.tdb",
  "-n 1 getdbseqnum persistent.tdb",
  "-n 2 getdbseqnum persistent.tdb",
);

const CHANGING: readonly Case[] = [
  change("setvar MonitorInterval 16", "setvar MonitorInterval 15"),
  change("-n 1 setvar monitorinterval 0x10", "-n 1 setvar MonitorInterval 15"),
  change("-n 2 setvar MonitorInterval 15"),
  change("setvar TDBMutexEnabled 0"),
  change("statisticsreset"),
  change("-n 1 statisticsreset"),
  change("-n 2 statisticsreset"),
  change("setdebug NOTICE", "setdebug INFO"),
  change("setdebug 5"),
  change("-n 1 setdebug debug", "-n 1 setdebug INFO"),
  change("attach compare.tdb"),
  change("attach sticky.tdb sticky"),
  change("attach compare.tdb persistent"),
  change("writekey compare.tdb known value"),
  change("writekey compare.tdb temporary 0x00", "deletekey compare.tdb temporary"),
  change("deletekey compare.tdb absent"),
  change("attach persistent.tdb persistent"),
  change("attach replicated.tdb replicated"),
  change("attach persistent.tdb replicated"),
  change("pstore persistent.tdb temporary 0x00", "pdelete persistent.tdb temporary"),
  change("pstore persistent.tdb known value"),
  change("pdelete persistent.tdb absent"),
  change("pstore replicated.tdb temporary x", "pdelete replicated.tdb temporary"),
  change("pdelete replicated.tdb known", "pstore replicated.tdb known value"),
  change("ptrans persistent.tdb /dev/null"),
  change("setlmasterrole off", "setlmasterrole on"),
  change("-n 1 setlmasterrole on"),
  change("setleaderrole on"),
  change("-n 1 setleaderrole on"),
  change("disable", "enable"),
  change("enable"),
  healthyOnly(change("-n 1 disable", "-n 1 enable")),
  deadOnly("-n 2 disable"),
  change("-n 1 stop", "-n 1 continue"),
  change("continue"),
  deadOnly("-n 2 stop"),
  healthyOnly(change("-n 1 ban 60", "-n 1 unban")),
  deadOnly("-n 2 ban 60"),
  change("unban"),
  change("recover"),
  healthyOnly(change("-n 1 recover")),
  change("ipreallocate"),
];

/** What is already so, after the stock tool made it so. */
const ALREADY: readonly Case[] = [
  healthyOnly({ ...change("disable", "enable"), before: [["disable"]] }),
];

/** Last, because who leads afterwards depends on times. */
const ENDING: readonly Case[] = [
  { ...deadOnly("-n 1 shutdown"), restart: 1 },
  { ...deadOnly("shutdown"), restart: 0 },
];

const WRONG = healthy(
  "",
  "frobnicate",
  "--frobnicate",
  "-Z status",
  "-n abc status",
  "-n",
  "--node=1x status",
  "-n 99999999999 status",
  "-n 7 status",
  "-n -2 status",
  "-T abc ping",
  "-t 0 ping",
  "--usage",
  "--help",
  "-X=1 status",
  "--verbose=1 status",
  "status extra",
  "nodestatus 9",
  "nodestatus x",
  "nodestatus 0,x",
  "nodestatus 0 1",
  "-n 1 listnodes",
  "listnodes extra",
  "-n 1 pnn",
  "-n 1 version",
  "runstate nonsense",
  "getvar",
  "getvar NoSuchTunable",
  "setvar",
  "setvar MonitorInterval",
  "setvar NoSuchTunable 1",
  "setvar MonitorInterval abc",
  "setvar MonitorInterval -1",
  "listvars extra",
  "statistics extra",
  "statisticsreset extra",
  "process-exists",
  "process-exists abc",
  "process-exists 1 abc",
  "process-exists 1 2 3",
  "getdbmap extra",
  "getdbstatus",
  "getdbstatus absent.tdb",
  "getdbstatus 0x1234",
  "catdb",
  "catdb absent.tdb",
  "-n 1 catdb compare.tdb",
  "attach",
  "attach compare.tdb nonsense",
  "attach a b c",
  "-n 1 attach compare.tdb",
  "setdebug",
  "setdebug LOUD",
  "setdebug 11",
  "getdebug extra",
  "disable extra",
  "enable extra",
  "stop extra",
  "continue extra",
  "ban",
  "ban 0",
  "ban abc",
  "ban -1",
  "unban extra",
  "shutdown extra",
  "recover extra",
  "getcapabilities extra",
  "getreclock extra",
  "readkey compare.tdb",
  "readkey absent.tdb key",
  "readkey compare.tdb 0x123",
  "readkey compare.tdb 0xgg",
  "readkey compare.tdb known nonsense",
  "writekey compare.tdb known",
  "writekey absent.tdb key value",
  "writekey compare.tdb known 0x1",
  "deletekey compare.tdb",
  "deletekey absent.tdb key",
  "-n 1 readkey compare.tdb known",
  "setlmasterrole",
  "setlmasterrole maybe",
  "setleaderrole",
  "setleaderrole maybe",
  "-n 1 reloadnodes",
  "ipreallocate extra",
  "pfetch",
  "pfetch persistent.tdb",
  "pfetch absent.tdb key",
  "pfetch compare.tdb known",
  "pfetch persistent.tdb 0x1",
  "-n 1 pfetch persistent.tdb known",
  "pstore persistent.tdb known",
  "pstore compare.tdb known value",
  "pstore persistent.tdb known 0x1",
  "pstore persistent.tdb 0xgg value",
  "-n 1 pstore persistent.tdb known value",
  "pdelete persistent.tdb",
  "pdelete compare.tdb known",
  "ptrans",
  "ptrans compare.tdb",
  "ptrans persistent.tdb /absent",
  "ptrans persistent.tdb a b",
);

export const CASES: readonly Case[] = [
  ...SHOWING,
  ...CHANGING,
  ...ALREADY,
  ...WRONG,
  ...ENDING,
].map((entry) => ({
  ...entry,
  args: entry.args.filter((word) => word !== ""),
}));

export function casesFor(situation: Situation): readonly Case[] {
  return CASES.filter((entry) => entry.situations?.includes(situation) ?? true);
}
