/**
 * Programs beside the tool whose options are few: those of scripts are what `--help` of the script lists (a test holds
 * them against it).
 */
import type { Grammar } from "./grammar.ts";

export const DAEMON: Grammar = {
  program: "ctdbd",
  options: [
    { names: ["-i", "--interactive"], help: "stays in the foreground, and logs to standard error" },
    {
      names: ["--samba-version"],
      value: "<version>",
      help: "the Samba version X.Y that is announced to other nodes; nodes of different versions do not stay together, see `AllowMixedVersions` in ctdb-tunables(7)",
    },
    {
      names: ["--check-config"],
      help: "checks all files that a start would read, and starts nothing; the status is 0, or 22 if there are problems, which are told",
    },
    { names: ["--help"], help: "prints the options" },
    { names: ["--version"], help: "prints the release" },
  ],
  commands: [{ name: "", args: "", summary: "the CTDB daemon of a node" }],
};

export const ONNODE: Grammar = {
  program: "onnode",
  options: [
    {
      names: ["-c"],
      help: "changes to the current directory on each node before the command runs there",
    },
    {
      names: ["-f"],
      value: "<file>",
      help: "the nodes file to use; a name without a directory is also looked for in `/etc/ctdb`",
    },
    {
      names: ["-i"],
      help: "keeps standard input open for the command, which is closed otherwise; not with `-p`",
    },
    {
      names: ["-n"],
      help: "nodes may be given as host names, which need not be in the nodes file",
    },
    { names: ["-p"], help: "runs the command on all of the nodes at the same time" },
    {
      names: ["-P"],
      help: "copies the named files to the nodes, under the same paths, in place of running a command; names must have no blanks",
    },
    { names: ["-q"], help: "prints no addresses of nodes, whatever `-v` says" },
    {
      names: ["-v"],
      help: "prints the address of a single node, too; those of several are printed anyway",
    },
    { names: ["--help"], help: "prints help" },
  ],
  commands: [
    {
      name: "",
      args: "<nodes> <program> <file> ...",
      summary: "runs a command on nodes of the cluster",
    },
  ],
};

export const DIAGNOSTICS: Grammar = {
  program: "ctdb_diagnostics",
  options: [
    {
      names: ["-n"],
      value: "<pnn-list>",
      help: "only these nodes, with commas between them; all without it",
    },
    { names: ["-l"], help: "only this machine, whether or not it can reach the others" },
    { names: ["-c"], help: "lines that begin with `#` make no difference between files" },
    { names: ["-w"], help: "white space makes none" },
    { names: ["--no-ads"], help: "runs nothing that needs an Active Directory server" },
    {
      names: ["--bundle"],
      value: "<file>",
      help: "also packs everything into a file, a tar.gz, with a list of the secrets that were taken out",
    },
    { names: ["--help"], help: "prints help" },
  ],
  commands: [{ name: "", args: "", summary: "gathers what a report of a problem needs" }],
};

export const CHECK: Grammar = {
  program: "check_ctdb",
  options: [
    {
      names: ["-i", "--info"],
      value: "ping|scriptstatus",
      help: "what to look at: how many nodes answer, or which scripts of the last monitor event failed",
    },
    {
      names: ["-w", "--warning"],
      value: "<range>",
      help: "warns outside of this range; without any range `ping` warns when a node does not answer",
    },
    {
      names: ["-c", "--critical"],
      value: "<range>",
      help: "critical outside of this range; of `scriptstatus` above 0 when it is left out",
    },
    { names: ["-H", "--hostname"], value: "<host>", help: "asks this host, over ssh" },
    { names: ["-l", "--login"], value: "<user>", help: "the user there" },
    {
      names: ["-s", "--sudo"],
      help: "runs `ctdb` by sudo, for an account that has no access to the daemon's socket",
    },
    {
      names: ["-t", "--timeout"],
      value: "<seconds>",
      help: "how many seconds until nothing is known; 30 without it",
    },
    { names: ["-v", "--verbose"], help: "shows what is run, and its output" },
    { names: ["-V", "--version"], help: "prints the version" },
    { names: ["-h", "--help"], help: "prints help" },
  ],
  commands: [{ name: "", args: "", summary: "a plugin for Nagios" }],
};

const HEADER = "0|32|64";

export const LTDBTOOL: Grammar = {
  program: "ltdbtool",
  options: [
    { names: ["-s"], value: HEADER, help: "the header of the file" },
    { names: ["-S"], value: "<count>", help: "its size in bytes" },
    { names: ["-o"], value: HEADER, help: "the header of the new file", commands: ["convert"] },
    { names: ["-O"], value: "<count>", help: "its size in bytes", commands: ["convert"] },
    { names: ["-e"], help: "records that are a header and nothing else, too" },
    { names: ["-p"], help: "prints the fields of headers", commands: ["dump"] },
    { names: ["-h"], help: "prints help" },
  ],
  commands: [
    { name: "dump", args: "<file>", summary: "prints the records of a database file" },
    { name: "convert", args: "<file> <file>", summary: "copies them into a file with others" },
    { name: "help", args: "", summary: "prints help" },
  ],
};

export const PING_PONG: Grammar = {
  program: "ping_pong",
  options: [
    { names: ["-r"], help: "reads under each lock" },
    { names: ["-w"], help: "writes there" },
    { names: ["-m"], help: "reads and writes through a shared mapping" },
    { names: ["-c"], help: "looks whether somebody else holds a lock that is its own" },
    { names: ["-l"], help: "locks the whole file until a key is pressed" },
  ],
  commands: [{ name: "", args: "<file> <count>", summary: "tests locks of a cluster file system" }],
};
