/** ctdbd(1). */
import { DAEMON } from "../completion/other_programs.ts";
import type { ManualPage } from "../page.ts";
import { optionTerms } from "./grammar_terms.ts";

export const DAEMON_PAGE: ManualPage = {
  name: "ctdbd",
  section: 1,
  summary: "the CTDB daemon of a node",
  synopsis: ["ctdbd [-i] [--samba-version=X.Y]", "ctdbd --check-config | --help | --version"],
  sections: [
    {
      title: "Description",
      blocks: [
        "`ctdbd` makes this machine a node of a cluster, see ctdb(7). It reads its configuration from `/etc/ctdb`, goes into the background and logs to where ctdb.conf(5) says. It needs root.",
        "Usually the system starts it: `systemctl start ctdb`. To end it, use `ctdb shutdown`, or SIGTERM: both give its addresses away first.",
      ],
    },
    { title: "Options", blocks: [{ terms: optionTerms(DAEMON) }] },
    {
      title: "Signals",
      blocks: [
        {
          terms: [
            ["SIGTERM, SIGINT", "Ends the daemon, as `ctdb shutdown`."],
            ["SIGHUP", "Opens the log anew, as logrotate wants it, in all its processes."],
          ],
        },
      ],
    },
    {
      title: "Environment",
      blocks: [
        {
          terms: [
            [
              "CTDB_BASE",
              "The configuration directory, where it is not `/etc/ctdb`; in test mode everything is below it.",
            ],
            ["CTDB_TEST_MODE", "Set to anything: many nodes on one machine, without root."],
            ["CTDB_SAMBA_VERSION", "As `--samba-version`."],
          ],
        },
      ],
    },
    {
      title: "Files",
      blocks: [
        "Those of its configuration are in ctdb(7). `/run/ctdb/ctdbd.pid` has the number of its process, which also keeps a second one from starting.",
      ],
    },
  ],
  seeAlso: ["ctdb(1)", "ctdb.conf(5)", "ctdb(7)", "ctdb-tunables(7)"],
};
