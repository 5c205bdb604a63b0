/** Commands about databases as wholes. */
import type { Subject } from "./manual.ts";

export const DATABASES: Subject = {
  title: "Databases",
  commands: {
    getdbmap: {
      about: [
        "Lists the databases that the node has attached: id, name, path, and words for what is particular. `PERSISTENT` survives the end of the daemon, `REPLICATED` is whole on every node but begins empty, `STICKY` and `READONLY` ease the load of records that everybody wants, `UNHEALTHY` is a persistent database that cannot be used as it is on this node.",
      ],
      examples: [
        {
          line: "ctdb getdbmap",
          output: `Number of databases:2
dbid:0x42fe72c5 name:locking.tdb path:/var/lib/ctdb/volatile/locking.tdb.0
dbid:0xb775fff6 name:secrets.tdb path:/var/lib/ctdb/persistent/secrets.tdb.0 PERSISTENT`,
        },
        {
          line: "ctdb -X getdbmap",
          output: `|ID|Name|Path|Persistent|Sticky|Unhealthy|Readonly|Replicated|
|0x42FE72C5|locking.tdb|/var/lib/ctdb/volatile/locking.tdb.0|0|0|0|0|0|`,
        },
      ],
    },
    db: {
      about: [
        "With `repack` all active nodes write a database anew, with the steps of a recovery: its free space is in one piece then. The file does not shrink, since other processes have it mapped. A volatile database takes a recovery of the whole cluster. When a step fails a recovery follows; no record is lost.",
      ],
      examples: [
        { line: "ctdb db repack secrets.tdb --dry-run" },
        { line: "ctdb db repack secrets.tdb --yes" },
      ],
    },
    snapshot: {
      about: [
        "Keeps sets of copies of persistent databases, each a folder named by its time. `create` copies all of them or those that are named, and reads back what it wrote; `list` shows the sets; `verify` reads one (the newest without a name) or `all`; `restore` with a name or `latest` verifies and then restores all databases or those that are named, and with `--dry-run` counts what would change; `prune` removes what neither `--keep` nor `--keep-days` keeps, but never the newest that is sound. The files are those of `ctdb backupdb`.",
      ],
      status: "1 if something is not sound or was not done, 64 for wrong arguments.",
      examples: [
        { line: "ctdb snapshot create" },
        { line: "ctdb snapshot restore latest --dry-run" },
        { line: "ctdb snapshot prune --keep 14" },
      ],
    },
    getdbstatus: {
      about: ["Shows one database with its flags and its health, one a line."],
      examples: [
        {
          line: "ctdb getdbstatus secrets.tdb",
          output: `dbid: 0xb775fff6
name: secrets.tdb
path: /var/lib/ctdb/persistent/secrets.tdb.0
PERSISTENT: yes
REPLICATED: no
STICKY: no
READONLY: no
HEALTH: OK`,
        },
      ],
    },
    getdbseqnum: {
      about: [
        "Prints the sequence number of a database, in hexadecimal. A persistent or replicated one counts its transactions with it; of a volatile one it tells programs that something has changed.",
      ],
      examples: [{ line: "ctdb getdbseqnum secrets.tdb", output: "0x1c" }],
    },
    dbstatistics: {
      about: [
        "Shows the counters of one database on the node: delegations, locks and how long they took, migrations, and the records that travel most (hot keys, in hexadecimal). See ctdb-statistics(7).",
      ],
      examples: [{ line: "ctdb dbstatistics locking.tdb" }],
    },
    attach: {
      about: [
        "Makes a database and attaches it on all nodes, or attaches one that is there. Without a second word it is volatile. Programs attach what they need by themselves.",
      ],
      examples: [{ line: "ctdb attach test.tdb" }, { line: "ctdb attach test.tdb persistent" }],
    },
    detach: {
      about: [
        "Takes volatile databases away from all nodes; their files stay. All connected nodes must be active, no recovery may run, and the tunable `AllowClientDBAttach` must be 0 on each of them, so that nobody attaches meanwhile. Who still uses one of them loses it.",
      ],
      status: "Of the last database that could not be detached.",
      examples: [{ line: "ctdb detach test.tdb" }, { line: "ctdb detach one.tdb two.tdb" }],
    },
    backupdb: {
      about: [
        "Writes the records that this node has into a file, which is replaced. For a persistent database these are all records.",
      ],
      examples: [
        {
          line: "ctdb backupdb secrets.tdb /root/secrets.backup",
          output: "Database backed up to /root/secrets.backup",
        },
      ],
    },
    restoredb: {
      about: [
        "Empties a database on all active nodes and gives it the records of a backup, into the database that the backup is of, or into another. One that does not exist is made. Databases are frozen meanwhile.",
      ],
      examples: [
        {
          line: "ctdb restoredb /root/secrets.backup",
          output:
            "Restoring database secrets.tdb from backup @ 2026/10/29 10:38:54\nDatabase secrets.tdb restored",
        },
        { line: "ctdb restoredb /root/secrets.backup copy.tdb" },
      ],
    },
    dumpdbbackup: {
      about: ["Prints the records of a backup as `ctdb catdb` does. No daemon is asked."],
      examples: [{ line: "ctdb dumpdbbackup /root/secrets.backup" }],
    },
    wipedb: {
      about: ["Removes all records of a database, on all active nodes. There is no way back."],
      examples: [{ line: "ctdb wipedb test.tdb", output: "Database test.tdb wiped" }],
    },
    catdb: {
      about: [
        "Prints all records of a database in the cluster, each from the node that has it last: key, node that has it (dmaster), sequence number of the record (rsn), flags and data. Bytes that cannot be printed are in hexadecimal.",
      ],
      examples: [
        {
          line: "ctdb catdb test.tdb",
          output: `key(3) = "one"
dmaster: 0
rsn: 7
flags: 0x00000000
data(5) = "value"

Dumped 1 records`,
        },
      ],
    },
    cattdb: {
      about: [
        "Prints the records in this node's copy of a database, old copies and deleted records too, in the form of `ctdb catdb`.",
      ],
      examples: [{ line: "ctdb cattdb test.tdb" }],
    },
    setdbreadonly: {
      about: [
        "Lets nodes have read-only copies of a volatile database's records, which helps where many read what few write. It cannot be taken back while the database is attached. Call it on every node.",
      ],
      examples: [{ line: "ctdb setdbreadonly locking.tdb" }],
    },
    setdbsticky: {
      about: [
        "Keeps records of a volatile database that travel a lot for a moment on each node that they reach; see `HopcountMakeSticky`, `StickyDuration` and `StickyPindown` in ctdb-tunables(7). Call it on every node.",
      ],
      examples: [{ line: "ctdb setdbsticky locking.tdb" }],
    },
  },
};
