/** onnode(1), ctdb_diagnostics(1) and check_ctdb(1): what the package has for many nodes. */
import { CHECK, DIAGNOSTICS, ONNODE } from "../completion/other_programs.ts";
import type { ManualPage } from "../page.ts";
import { optionTerms } from "./grammar_terms.ts";

const ON_NODES: ManualPage = {
  name: "onnode",
  section: 1,
  summary: "runs a command on nodes of the cluster",
  synopsis: ["onnode [OPTION...] NODES COMMAND...", "onnode -P [OPTION...] NODES FILE..."],
  sections: [
    {
      title: "Description",
      blocks: [
        "Runs a command of the shell on one node, several or all, over ssh, one node after the other. Words behind NODES are joined with blanks and read by the shell there: what is for that shell needs quotes.",
        "Where there are several nodes, each output comes behind a line with the address of its node; with `-p` the address is in front of each line.",
      ],
    },
    {
      title: "Nodes",
      blocks: [
        "NODES is a list with commas between its parts, in the order in which the nodes are taken; what is named twice is taken twice. A part is one of:",
        {
          terms: [
            ["all", "All nodes of the nodes file."],
            ["any", "One whose `ctdbd` answers."],
            [
              "ok, healthy",
              "Those that are connected and neither banned, stopped, disabled nor unhealthy.",
            ],
            ["con, connected", "Those that are connected."],
            [
              "NUMBER",
              "The node of that number, which is that of its line in the nodes file, from 0. Lines of deleted nodes count, empty ones do not.",
            ],
            ["FIRST-LAST", "All from one number to another."],
            ["NAME", "With `-n`, a host name."],
          ],
        },
        "For `ok` and `con` this node is asked (`ctdb status`).",
      ],
    },
    { title: "Options", blocks: [{ terms: optionTerms(ONNODE) }] },
    {
      title: "Environment",
      blocks: [
        {
          terms: [
            ["CTDB_BASE", "The configuration directory, where it is not `/etc/ctdb`."],
            [
              "ONNODE_SSH",
              "What is called in place of ssh, with an address and the command. It may also stand in `/etc/ctdb/onnode.conf`.",
            ],
            ["EXTRA_SSH_OPTS", "More options for ssh; another program does not get them."],
          ],
        },
      ],
    },
    {
      title: "Exit status",
      blocks: [
        "0, or that of the last node on which the command failed; 1 for a wrong command line, or for a node that does not exist, before anything is run. A signal ends the commands on the nodes first.",
      ],
    },
    {
      title: "Files",
      blocks: [
        {
          terms: [
            ["/etc/ctdb/nodes", "The nodes, where `-f` names no other file."],
            ["/etc/ctdb/onnode.conf", "Read by the shell: settings of the variables above."],
          ],
        },
      ],
    },
    {
      title: "Examples",
      blocks: [
        "The state of each node as itself sees it:",
        { screen: "# onnode all ctdb runstate\n" },
        "The end of the log of nodes 0, 2 and 3, at the same time:",
        { screen: '# onnode -p 0,2-3 "tail -n 5 /var/log/ctdb/log.ctdb"\n' },
        "The nodes file of this node on all others:",
        { screen: "# onnode -P all /etc/ctdb/nodes\n" },
      ],
    },
  ],
  seeAlso: ["ctdb(1)", "ctdb(7)", "ctdb_diagnostics(1)"],
};

const DIAGNOSIS: ManualPage = {
  name: "ctdb_diagnostics",
  section: 1,
  summary: "gathers what a report of a problem needs, and compares nodes",
  synopsis: ["ctdb_diagnostics [OPTION...]"],
  sections: [
    {
      title: "Description",
      blocks: [
        "Asks each node once, over onnode(1), for its configuration, logs, versions and state, compares files that should be the same everywhere, looks at the clocks, and prints it all. `--bundle` also packs it into a file that can be sent along with a report.",
        "Passwords, keys, tokens and hashes that it recognizes are replaced by `[REDACTED]`, in what is printed, too; the bundle has a list of where that was. It cannot know every secret: look before you send.",
        "To find out what is wrong, and what to do, `ctdb doctor` is the shorter way, see ctdb(1).",
      ],
    },
    { title: "Options", blocks: [{ terms: optionTerms(DIAGNOSTICS) }] },
    {
      title: "Exit status",
      blocks: [
        "How many errors were found, 255 at most: a file that differs or is missing, a clock that is off, a node whose answer is incomplete. 1 also for a wrong command line.",
      ],
    },
    {
      title: "Examples",
      blocks: [
        {
          screen: "# ctdb_diagnostics >report\n# ctdb_diagnostics -n 0,1 --bundle=report.tar.gz\n",
        },
      ],
    },
  ],
  seeAlso: ["ctdb(1)", "onnode(1)", "ctdb(7)"],
};

const MONITOR: ManualPage = {
  name: "check_ctdb",
  section: 1,
  summary: "a plugin of Nagios that looks at a CTDB cluster",
  synopsis: ["check_ctdb -i ping|scriptstatus [OPTION...]"],
  sections: [
    {
      title: "Description",
      blocks: [
        "Prints one line with a state, and figures for what draws curves, and ends with a status that Nagios and its relatives understand. It is in `/usr/libexec/ctdb`: link it into the directory of the monitor's plugins.",
        {
          terms: [
            ["ping", "How many nodes answer; ranges are about their number."],
            [
              "scriptstatus",
              "The last run of the monitor event; ranges are about the number of scripts that failed.",
            ],
          ],
        },
      ],
    },
    { title: "Options", blocks: [{ terms: optionTerms(CHECK) }] },
    {
      title: "Ranges",
      blocks: [
        {
          terms: [
            ["N", "0 to N is well."],
            ["N:", "N or more."],
            ["M:N", "M to N."],
            ["~:N", "N or less."],
            ["@M:N", "Anything but M to N."],
          ],
        },
        "With `%` behind a number it is a share of the nodes.",
      ],
    },
    {
      title: "Exit status",
      blocks: [
        {
          terms: [
            ["0", "OK."],
            ["1", "WARNING."],
            ["2", "CRITICAL."],
            [
              "3",
              "UNKNOWN: a wrong command line, a request for help, no answer in time, no way to the host.",
            ],
          ],
        },
      ],
    },
    {
      title: "Examples",
      blocks: [
        "Warns when not all nodes answer, critical when less than half of them do:",
        { screen: "$ check_ctdb -i ping -w 100%: -c 50%: -s\n" },
        "The scripts of another host:",
        { screen: "$ check_ctdb -i scriptstatus -H node1 -l monitor -s\n" },
      ],
    },
  ],
  seeAlso: ["ctdb(1)", "ctdb(7)"],
};

export const SCRIPT_PAGES: readonly ManualPage[] = [ON_NODES, DIAGNOSIS, MONITOR];
