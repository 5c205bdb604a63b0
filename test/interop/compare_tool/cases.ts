/**
 * The command lines that are compared: every command of the tool that the stock tool of Samba 4.17 knows
 * as well, healthy, with a dead peer, and with wrong arguments.
 *
 * A case that changes the cluster says how to undo it; each tool then gets the same cluster.
 */
import { COMMANDS } from "../../../src/cli/commands.ts";
import { ADDRESS_CASES, WRONG_ADDRESS_CASES } from "./address_cases.ts";

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

/** Arguments may hold the cluster's directory as DIRECTORY. */
const FILES = "DIRECTORY/node.0/db/persistent";
const VOLATILE = "DIRECTORY/node.0/db/volatile";

/** Attached before anything is compared, so that databases can be shown. */
export const PREPARATION: readonly (readonly string[])[] = [
  ["attach", "compare.tdb"],
  ["attach", "sticky.tdb", "sticky"],
  ["attach", "readonly.tdb"],
  ["attach", "wiped.tdb"],
  ["attach", "detached.tdb"],
  ["attach", "restored.tdb"],
  ["attach", "kept.tdb", "persistent"],
  ["attach", "replicated.tdb", "replicated"],
  ["writekey", "compare.tdb", "known", "value"],
  ["writekey", "compare.tdb", "0x0001ff", "0x410042"],
  ["attach", "persistent.tdb", "persistent"],
  ["pstore", "persistent.tdb", "known", "value"],
  ["pstore", "persistent.tdb", "0x0001ff", "0x410042"],
  ["pstore", "replicated.tdb", "known", "value"],
  ["writekey", "restored.tdb", "0x0001ff", "0x410042"],
  ["writekey", "restored.tdb", "second", "value"],
  ["backupdb", "restored.tdb", "DIRECTORY/backup"],
  ["tstore", `${FILES}/kept.tdb.0`, "stored", "0x00ff", "7", "0"],
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
  "catdb kept.tdb",
  "catdb replicated.tdb",
  "catdb restored.tdb",
  "cattdb compare.tdb",
  "cattdb kept.tdb",
  "cattdb restored.tdb",
  "getdbstatus kept.tdb",
  "getdbseqnum compare.tdb",
  "getdbseqnum kept.tdb",
  "-n 1 getdbseqnum kept.tdb",
  "-n 2 getdbseqnum kept.tdb",
  "stats",
  "stats 1",
  "-X stats 1",
  "-n 1 stats 2",
  "-n 2 stats",
  "dbstatistics compare.tdb",
  "-n 1 dbstatistics compare.tdb",
  "-n 2 dbstatistics compare.tdb",
  "dumpmemory",
  "-n 1 dumpmemory",
  "-n 2 dumpmemory",
  "rddumpmemory",
  "-n 1 rddumpmemory",
  `tfetch ${FILES}/kept.tdb.0 stored`,
  `tfetch ${FILES}/kept.tdb.0 stored DIRECTORY/fetched`,
  `tfetch ${FILES}/kept.tdb.0 absent`,
  "dumpdbbackup DIRECTORY/backup",
  "backupdb compare.tdb DIRECTORY/compared",
  "backupdb kept.tdb DIRECTORY/compared",
);

/** By the event daemon of the node: what the script that both have came to. */
const EVENTS = all(
  "scriptstatus startup",
  "scriptstatus init",
  "scriptstatus frobnicate",
  "event status legacy startup",
  "event status frobnicate startup",
  "event script list legacy",
  "event run 10 legacy ipreallocated",
);

const CHANGING: readonly Case[] = [
  change("sync"),
  change("-n 1 sync"),
  change("event script disable legacy 00.test", "event script enable legacy 00.test"),
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
  change(`tstore ${FILES}/kept.tdb.0 stored 0x00ff 7 0`),
  change("setdbreadonly readonly.tdb"),
  change("setdbsticky sticky.tdb"),
  change("wipedb wiped.tdb"),
  change("wipedb kept.tdb", `tstore ${FILES}/kept.tdb.0 stored 0x00ff 7 0`),
  change("restoredb DIRECTORY/backup"),
  change("restoredb DIRECTORY/backup restored.tdb"),
  change("detach detached.tdb"),
];

const EVERYWHERE = ["", "-n 1 ", "-n 2 "];
const [FORBID, ALLOW] = [0, 1].map((value) =>
  EVERYWHERE.map((node) => `${node}setvar AllowClientDBAttach ${value}`.split(" ")),
) as [string[][], string[][]];

/** What is already so, after the stock tool made it so. */
const ALREADY: readonly Case[] = [
  healthyOnly({
    args: ["detach", "detached.tdb"],
    before: FORBID,
    undo: [...ALLOW, ["attach", "detached.tdb"]],
  }),
  healthyOnly({ args: ["detach", "kept.tdb"], before: FORBID, undo: ALLOW }),
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
  "catdb compare.tdb extra",
  "cattdb",
  "cattdb absent.tdb",
  "-n 1 cattdb compare.tdb",
  "getdbseqnum",
  "getdbseqnum absent.tdb",
  "stats x",
  "stats 1 2",
  "dbstatistics",
  "dbstatistics absent.tdb",
  "setdbreadonly",
  "setdbreadonly absent.tdb",
  "setdbreadonly kept.tdb",
  "setdbsticky",
  "setdbsticky replicated.tdb",
  "wipedb",
  "wipedb absent.tdb",
  "-n 1 wipedb wiped.tdb",
  "detach",
  "detach absent.tdb",
  "-n 1 detach detached.tdb",
  "backupdb",
  "backupdb compare.tdb",
  "backupdb absent.tdb DIRECTORY/compared",
  "backupdb compare.tdb DIRECTORY/absent/backup",
  "-n 1 backupdb compare.tdb DIRECTORY/compared",
  "restoredb",
  "restoredb a b c",
  "restoredb DIRECTORY/absent",
  "-n 1 restoredb DIRECTORY/backup",
  "dumpdbbackup DIRECTORY/absent",
  "-n 1 dumpdbbackup DIRECTORY/backup",
  "tfetch",
  "tfetch DIRECTORY/absent key",
  "tstore",
  `tstore ${VOLATILE}/compare.tdb.0`,
  "tstore DIRECTORY/absent key value",
  "sync extra",
  "uptime extra",
  "dumpmemory extra",
  "rddumpmemory extra",
  "getpid extra",
  "leader extra",
  "event",
  "event frobnicate",
  "event status legacy",
  "-n 1 event status legacy startup",
);

/** One command line of each command that shows facts, in both forms for programs: many have none, and show their text. */
const MACHINE: readonly Case[] = COMMANDS.filter(({ json }) => json !== "acted").flatMap(
  ({ name }) => {
    const plain = [...SHOWING, ...EVENTS].find(({ args }) => args[0] === name);
    return plain === undefined ? [] : ["-X", "-Y"].map((form) => formOf(plain, form));
  },
);

function formOf({ args }: Case, form: string): Case {
  return { args: [form, ...args], situations: HEALTHY };
}

function withoutBlanks(cases: readonly Case[]): readonly Case[] {
  return cases.map((entry) => ({ ...entry, args: entry.args.filter((word) => word !== "") }));
}

export const WRONG_CASES = withoutBlanks([...WRONG, ...WRONG_ADDRESS_CASES]);
export const CASES = [
  ...withoutBlanks([...SHOWING, ...EVENTS, ...MACHINE, ...ADDRESS_CASES, ...CHANGING, ...ALREADY]),
  ...WRONG_CASES,
  ...withoutBlanks(ENDING),
];

export function casesFor(situation: Situation): readonly Case[] {
  return CASES.filter((entry) => entry.situations?.includes(situation) ?? true);
}
