/** Small programs that event scripts call, and that an administrator calls when something is stuck. */
import type { ManualPage } from "../page.ts";

const KILL: ManualPage = {
  name: "ctdb_killtcp",
  section: 1,
  summary: "ends TCP connections of other hosts and of this one",
  synopsis: ["ctdb_killtcp INTERFACE SOURCE:PORT DESTINATION:PORT", "ctdb_killtcp INTERFACE <LIST"],
  sections: [
    {
      title: "Description",
      blocks: [
        "Ends connections as if their other end had: event scripts do this to the connections of a public address before it moves, so that clients notice at once. Without a connection on the command line a list is read from standard input, a connection `SOURCE:PORT DESTINATION:PORT` each line. SOURCE is whose end is feigned, DESTINATION who is told.",
        "It needs root. INTERFACE is taken for scripts that name one: all interfaces are looked at.",
      ],
    },
    {
      title: "Exit status",
      blocks: [
        "0 if it worked, 1 for a wrong command line, 255 for an address that is none, a list with wrong lines, or a failure. The right lines of a list are done nevertheless.",
      ],
    },
    {
      title: "Examples",
      blocks: [{ screen: "# ctdb_killtcp eth1 10.9.9.9:50001 10.1.0.1:445\n" }],
    },
  ],
  seeAlso: ["ctdb(1)", "ctdb(7)"],
};

const MUTEXES: ManualPage = {
  name: "tdb_mutex_check",
  section: 1,
  summary: "shows who holds the mutexes of a database file",
  synopsis: ["tdb_mutex_check FILE [KEY...]"],
  sections: [
    {
      title: "Description",
      blocks: [
        "Volatile databases have robust mutexes as locks, see `tdb mutexes` in ctdb.conf(5). This prints which chains of a file are locked and the thread that holds each; with keys, in hexadecimal, only of the chains of these. A mutex whose owner has died is repaired; nothing else is changed.",
      ],
    },
    {
      title: "Examples",
      blocks: [{ screen: "# tdb_mutex_check /var/lib/ctdb/volatile/locking.tdb.0\n" }],
    },
  ],
  seeAlso: ["ctdb(1)", "ctdb.conf(5)", "ctdb(7)"],
};

export const HELPER_PAGES: readonly ManualPage[] = [KILL, MUTEXES];
