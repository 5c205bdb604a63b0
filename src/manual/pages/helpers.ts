/** Programs that scripts or ctdbd call, and that an administrator looks up when something is stuck. */
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

const ADMIND: ManualPage = {
  name: "ctdb-admind",
  section: 1,
  summary: "keeps the journal of a node, and serves its HTTP API, metrics and page",
  synopsis: ["ctdb-admind [-P PID]"],
  sections: [
    {
      title: "Description",
      blocks: [
        "A child of `ctdbd`, which starts it and keeps it running where `enabled = true` stands in section [admin] of ctdb-appliance.conf(5). It is only a client of `ctdbd`: when it ends or hangs, nothing else does. It ends with its `ctdbd`.",
        "It keeps what happens on the node for `ctdb why`, `ctdb journal` and `ctdb state`, see ctdb(1), and answers HTTP at the unix socket `/run/ctdb/admind.socket`, where root may do everything that is on, and at the TCP port that `listen` names, where everybody needs a token or a client certificate.",
      ],
    },
    {
      title: "What it serves",
      blocks: [
        {
          terms: [
            [
              "/",
              "The page: nodes as they see each other, addresses, databases, what happened and why.",
            ],
            [
              "/livez, /readyz, /healthz",
              "`ok`, or status 503; `?verbose` names each check to those who may read.",
            ],
            ["/metrics", "For Prometheus; rules for alerts are in `/usr/share/ctdb/alerts`."],
            [
              "/api/v1/openapi.json",
              "The description of the API, of which everything else is a part.",
            ],
          ],
        },
      ],
    },
    {
      title: "Examples",
      blocks: [
        { screen: "# curl --unix-socket /run/ctdb/admind.socket http://node/readyz?verbose\n" },
      ],
    },
  ],
  seeAlso: ["ctdb(1)", "ctdbd(1)", "ctdb-appliance.conf(5)", "ctdb(7)"],
};

export const HELPER_PAGES: readonly ManualPage[] = [KILL, MUTEXES, ADMIND];
