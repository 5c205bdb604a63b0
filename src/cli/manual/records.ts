/** Commands about single records. */
import type { Subject } from "./manual.ts";

const BYTES =
  "Keys and values are text as it stands, or bytes as `0x` and an even number of hexadecimal digits.";

export const RECORDS: Subject = {
  title: "Records",
  commands: {
    pfetch: {
      about: [
        `Prints the value of a key in a persistent or replicated database, up to a first NUL. ${BYTES}`,
      ],
      examples: [{ line: "ctdb pfetch test.tdb one", output: "value" }],
    },
    pstore: {
      about: [
        `Writes one record into a persistent or replicated database, as a transaction on all nodes. ${BYTES}`,
      ],
      examples: [
        { line: "ctdb pstore test.tdb one value" },
        { line: "ctdb pstore test.tdb 0x6f6e6500 0x0102" },
      ],
    },
    pdelete: {
      about: [
        `Removes one record from a persistent or replicated database, as a transaction on all nodes. ${BYTES}`,
      ],
      examples: [{ line: "ctdb pdelete test.tdb one" }],
    },
    ptrans: {
      about: [
        "Writes records into a persistent or replicated database, all of them or none. They come from a file or standard input, a line each: key and value in double quotes, with blanks between them. An empty value removes the record. Other lines are told of and left out.",
      ],
      examples: [{ line: "ctdb ptrans test.tdb /root/records.txt" }],
    },
    readkey: {
      about: [
        `Fetches a record of a volatile database to this node and prints it, up to a first NUL. With \`readonly\` a copy suffices. It waits for the record, for as long as the command may run (\`-T\`). ${BYTES}`,
      ],
      examples: [
        { line: "ctdb readkey test.tdb one", output: "Data: size:5 ptr:[value]" },
        { line: "ctdb readkey test.tdb one readonly" },
      ],
    },
    writekey: {
      about: [`Fetches a record of a volatile database to this node and writes it. ${BYTES}`],
      examples: [{ line: "ctdb writekey test.tdb one value" }],
    },
    deletekey: {
      about: [`Fetches a record of a volatile database to this node and deletes it. ${BYTES}`],
      examples: [{ line: "ctdb deletekey test.tdb one" }],
    },
    pushrecord: {
      about: [
        `Writes a record of a volatile database into the copies of all active nodes, so that it outlives this one. Nodes of Samba 4.17 do not know how and keep theirs. ${BYTES}`,
      ],
      examples: [{ line: "ctdb pushrecord test.tdb one value" }],
    },
    tfetch: {
      about: [
        `Reads a record out of a file of this machine, past the cluster, and prints it with its header; into a third argument it writes header and value as bytes. ${BYTES}`,
      ],
      examples: [{ line: "ctdb tfetch /var/lib/ctdb/volatile/test.tdb.0 one" }],
    },
    tstore: {
      about: [
        `Writes a record into a file of this machine, past the cluster, with a header of the given fields (0). For repair and tests only: nodes that have another version do not learn of it. ${BYTES}`,
      ],
      examples: [
        { line: "ctdb tstore /var/lib/ctdb/volatile/test.tdb.0 one value" },
        { line: "ctdb tstore /var/lib/ctdb/volatile/test.tdb.0 one value 7 0 0" },
      ],
    },
  },
};
