/** Commands about a running daemon: tunables, counters, messages, its processes. */
import type { Subject } from "./manual.ts";

export const RUNNING: Subject = {
  title: "The running daemon",
  commands: {
    listvars: {
      about: [
        "Lists the tunables of the node with their values. What each means is in ctdb-tunables(7).",
      ],
      examples: [
        {
          line: "ctdb listvars",
          output: `SeqnumInterval             = 1000
ControlTimeout             = 60
TraverseTimeout            = 20`,
        },
      ],
    },
    getvar: {
      about: ["Prints one tunable of the node, whatever the case of the letters of its name."],
      status: "1 if there is no such tunable.",
      examples: [
        { line: "ctdb getvar MonitorInterval", output: "MonitorInterval            = 15" },
      ],
    },
    setvar: {
      about: [
        "Changes a tunable of the running node until its daemon ends. For good: ctdb.tunables, see ctdb-tunables(7). Most should be the same on all nodes.",
      ],
      status: "0 also for an obsolete one, which is told. 1 if there is no such tunable.",
      examples: [
        { line: "ctdb setvar MonitorInterval 20" },
        { line: "ctdb -n 1 setvar NoIPTakeover 1" },
        { line: "ctdb setvar MonitorInterval 20 --all" },
      ],
    },
    top: {
      about: [
        "Shows nodes, load and databases again and again, every two seconds or as often as it is told: calls and migrations a second, pending calls, mean latencies in the last interval, turns of the daemon's event loop that took more than 10 ms, databases whose locks are waited for, and the keys that move most. The first round has means since the counters began. A node that does not answer is `(silent)`; `-` is what a node does not tell. The leader has a `*`.",
        "On a terminal `q` ends it. Elsewhere it prints one block after the other, with `--json` one document a line.",
      ],
      status: "75 when the time of `-T` is over.",
      examples: [{ line: "ctdb top" }, { line: "ctdb top 10 --iterations 6 --json" }],
    },
    statistics: {
      about: [
        "Shows the counters of the node since its start or the last `ctdb statisticsreset`. What each means is in ctdb-statistics(7). With `-X` one line of names and one of values.",
      ],
      examples: [{ line: "ctdb statistics" }, { line: "ctdb -X statistics" }],
    },
    statisticsreset: {
      about: ["Sets the counters of the node to 0."],
      examples: [{ line: "ctdb statisticsreset" }],
    },
    stats: {
      about: [
        "Shows the counters of the last intervals, newest first, of which the daemon keeps a hundred. How long one is, is the tunable `StatHistoryInterval`. With a number it stops after one more than that, as the original tool does.",
      ],
      examples: [{ line: "ctdb stats 1" }],
    },
    getdebug: {
      about: ["Prints the level of the daemon's messages."],
      examples: [{ line: "ctdb getdebug", output: "NOTICE" }],
    },
    setdebug: {
      about: [
        "Changes the level of the daemon's messages until it ends: `ERROR`, `WARNING`, `NOTICE`, `INFO`, `DEBUG` or a number from 0 to 10. For good: `log level` in ctdb.conf(5).",
      ],
      examples: [{ line: "ctdb setdebug INFO" }],
    },
    getpid: {
      about: ["Prints the process number of the daemon."],
      examples: [{ line: "ctdb getpid", output: "1734" }],
    },
    "process-exists": {
      about: [
        "Looks whether a process runs on the node; with a service number (SRVID), whether that process has registered for it. Samba does so to clear up after lost processes.",
      ],
      status: "0 if it runs.",
      examples: [
        { line: "ctdb -n 1 process-exists 1734", output: "PID 1734 exists" },
        { line: "ctdb process-exists 1734 0x1234" },
      ],
    },
    schema: {
      about: [
        "Prints the JSON Schema of the document that a command gives with `--json`. No daemon is asked.",
      ],
      status: "64 for a command that does not exist.",
      examples: [{ line: "ctdb schema getdbmap" }],
    },
    dumpmemory: {
      about: ["Prints what the daemon uses memory for."],
      examples: [{ line: "ctdb dumpmemory" }],
    },
    rddumpmemory: {
      about: ["Prints what the recovery daemon of the node uses memory for."],
      examples: [{ line: "ctdb rddumpmemory" }],
    },
  },
};
