/** ctdb.sysconfig(5): what an administrator looks for who comes from a release that was configured there. */
import type { ManualPage } from "../page.ts";

export const SERVICE_PAGE: ManualPage = {
  name: "ctdb.sysconfig",
  section: 5,
  summary: "the file in which the service of CTDB was configured",
  sections: [
    {
      title: "Description",
      blocks: [
        "`/etc/sysconfig/ctdb` (Red Hat) and `/etc/default/ctdb` (Debian) are lines of the shell. Releases before 4.9 had all of the configuration there; since then it is in ctdb.conf(5), ctdb-tunables(7) and ctdb-script.options(5), and neither the daemon nor its service reads these files.",
        "`ctdb-config migrate` makes the new files of an old one, and says what has no place there, see ctdb-config(1).",
      ],
    },
    {
      title: "Style of the system",
      blocks: [
        "`CTDB_PLATFORM_STYLE`, how event scripts name services and files, is found out from `/etc/os-release`. Where that is wrong it belongs into `/etc/ctdb/script.options`.",
      ],
    },
    {
      title: "Limits",
      blocks: [
        "Limits are set by what starts the daemon. Under systemd they are in the unit; a drop-in changes them:",
        {
          screen: "# systemctl edit ctdb\n[Service]\nLimitNOFILE=2000000\nLimitCORE=0\n",
        },
        {
          terms: [
            [
              "LimitNOFILE",
              "Open files. Each smbd is a connection, and each database a few files: thousands are usual. The unit allows 1048576, and so does the script for systems without systemd.",
            ],
            ["LimitCORE", "Core files, which help with a report of a crash: `infinity` or `0`."],
          ],
        },
      ],
    },
    {
      title: "Files",
      blocks: [
        {
          terms: [
            ["/etc/sysconfig/ctdb, /etc/default/ctdb", "Read by `ctdb-config migrate` alone."],
            ["/lib/systemd/system/ctdb.service", "The service."],
          ],
        },
      ],
    },
  ],
  seeAlso: ["ctdbd(1)", "ctdb-config(1)", "ctdb.conf(5)", "ctdb-script.options(5)", "ctdb(7)"],
};
