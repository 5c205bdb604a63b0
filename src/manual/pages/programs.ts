/** Pages of the small programs. */
import type { Grammar } from "../completion/grammar.ts";
import { CONFIG, EVENT, PATH } from "../completion/programs.ts";
import type { ManualPage } from "../page.ts";
import { commandTerms, optionTerms } from "./grammar_terms.ts";

interface ToolTexts {
  readonly summary: string;
  readonly about: string;
  readonly status: string;
  readonly example: string;
  readonly seeAlso: readonly string[];
}

/** Of a program that is its commands. */
function toolPage(grammar: Grammar, texts: ToolTexts): ManualPage {
  const { program } = grammar;
  return {
    name: program,
    section: 1,
    summary: texts.summary,
    synopsis: [`${program} [OPTION...] COMMAND [ARGUMENT...]`],
    sections: [
      { title: "Description", blocks: [texts.about] },
      { title: "Commands", blocks: [{ terms: commandTerms(grammar) }] },
      { title: "Options", blocks: [{ terms: optionTerms(grammar) }] },
      { title: "Exit status", blocks: [texts.status] },
      { title: "Examples", blocks: [{ screen: texts.example }] },
    ],
    seeAlso: texts.seeAlso,
  };
}

const EVENT_TEXTS: ToolTexts = {
  summary: "runs events, shows what came of them, enables and disables scripts",
  about:
    "It asks the event daemon of this node; `ctdb event` does the same. A component is a directory of scripts; that of CTDB's own scripts is `legacy`. Which events there are is in ctdb(7).",
  status:
    "0 if it worked, 1 for a wrong command line or without an event daemon. Of `run`: 8 for a script that failed, 110 for scripts that took too long, 125 if another event came first, 2 for a component that does not exist. Of `status`: how the event ended, or 22 if it has never run.",
  example:
    "# ctdb-event status legacy monitor\n# ctdb-event script enable legacy 50.samba\n# ctdb-event run 30 legacy monitor\n",
  seeAlso: ["ctdb(1)", "ctdb-script.options(5)", "ctdb(7)"],
};

const CONFIG_TEXTS: ToolTexts = {
  summary: "shows what ctdb.conf says, and whether it is valid",
  about:
    "It reads `ctdb.conf` in the configuration directory, and asks no daemon. `validate` also looks at ctdb-appliance.conf(5) and at the files of ctdb-script.options(5). Sections are found whatever their case, options as ctdb.conf(5) writes them.",
  status:
    "0 if it worked; 1 for a command, or an option of the program, that does not exist; 2 for a file or an option of `ctdb.conf` that does not exist; 22 for wrong arguments, and for a file with problems, which are printed to standard error.",
  example:
    '# ctdb-config validate\n# ctdb-config get cluster "cluster lock"\n/clusterfs/.ctdb/lock\n',
  seeAlso: ["ctdbd(1)", "ctdb.conf(5)", "ctdb-appliance.conf(5)", "ctdb.sysconfig(5)"],
};

const PATH_TEXTS: ToolTexts = {
  summary: "shows where the files of CTDB are",
  about:
    "It prints paths, for scripts that should not know them. Whether something is there it does not look. Daemons are `ctdbd` and `eventd`.",
  status:
    "0 if it worked, 1 for a command or an option that does not exist, 22 for wrong arguments.",
  example: "# ctdb-path vardir append scripts\n/var/lib/ctdb/scripts\n",
  seeAlso: ["ctdb(7)"],
};

const CONVERSION: ManualPage = {
  name: "ltdbtool",
  section: 1,
  summary: "shows and converts database files with CTDB's record headers",
  synopsis: [
    "ltdbtool dump [-e] [-p] [-s 0|32|64] [-S BYTES] DB",
    "ltdbtool convert [-e] [-s 0|32|64] [-o 0|32|64] [-S BYTES] [-O BYTES] IN OUT",
    "ltdbtool help",
  ],
  sections: [
    {
      title: "Description",
      blocks: [
        "Each record of a CTDB database begins with a header: 24 bytes, or 20 where a 32-bit system wrote it. Databases of Samba without clustering have none. `dump` prints the records of a file, `convert` copies them into a new one with other headers or none.",
        "It works on files of this machine, which nobody should be writing.",
      ],
    },
    {
      title: "Options",
      blocks: [
        {
          terms: [
            [
              "-s 0|32|64",
              "The header in DB or IN: none, that of a 32-bit system, that of a 64-bit system (the default).",
            ],
            ["-o 0|32|64", "The header in OUT, likewise."],
            ["-S BYTES", "Its size in DB or IN, from 0 to 24."],
            ["-O BYTES", "Its size in OUT, from 0 to 24."],
            ["-e", "Records that are a header and nothing else, too: deleted ones."],
            ["-p", "With `dump`, prints the fields of headers."],
            ["-h", "Prints help."],
          ],
        },
      ],
    },
    {
      title: "Exit status",
      blocks: ["0 if it worked; 1 otherwise, also for a record that is too short for its header."],
    },
    {
      title: "Examples",
      blocks: [
        "The persistent database of a cluster, for a Samba without one:",
        {
          screen: "# ltdbtool convert -o 0 /var/lib/ctdb/persistent/secrets.tdb.0 secrets.tdb\n",
        },
      ],
    },
  ],
  seeAlso: ["ctdb(1)", "ctdb(7)"],
};

const LOCK_TEST: ManualPage = {
  name: "ping_pong",
  section: 1,
  summary: "tests the locks of a cluster file system",
  synopsis: ["ping_pong [-rwmc] FILE LOCKS", "ping_pong -l FILE"],
  sections: [
    {
      title: "Description",
      blocks: [
        "Run on several nodes at once with the same file, it shows whether byte-range locks of the cluster file system exclude each other between nodes, whether what one node writes is what the other reads, and how quick that is. LOCKS is one more than there are nodes. Without that, a cluster file system suits neither the cluster lock nor Samba.",
        "It prints how many locks it gets in a second. The number must fall when a second node joins: if it does not, locks do not hold between nodes.",
      ],
    },
    {
      title: "Options",
      blocks: [
        {
          terms: [
            ["-r", "Reads the byte under each lock, and shows by how much it grows in a round."],
            [
              "-w",
              "Writes it, one more than was read. With `-rw` the growth must be the number of nodes.",
            ],
            ["-m", "Reads and writes through a shared mapping."],
            ["-c", "Looks whether somebody else holds a lock that is its own."],
            [
              "-l",
              "Locks the whole file until a key is pressed. On a second node it must say that the file is locked.",
            ],
          ],
        },
      ],
    },
    {
      title: "Examples",
      blocks: ["On each of two nodes:", { screen: "# ping_pong -rw /clusterfs/test.dat 3\n" }],
    },
  ],
  seeAlso: ["ctdb(7)", "fcntl(2)"],
};

export const PROGRAM_PAGES: readonly ManualPage[] = [
  CONVERSION,
  LOCK_TEST,
  toolPage(EVENT, EVENT_TEXTS),
  toolPage(CONFIG, CONFIG_TEXTS),
  toolPage(PATH, PATH_TEXTS),
];
