/** What is done to the stock cluster while its traffic is captured: `[pnn, arguments of ctdb]`. */

export type Step =
  | { readonly kind: "ctdb"; readonly pnn: number; readonly args: readonly string[] }
  /** A program of upstream's test suite on all nodes at once, where its directory was given. */
  | { readonly kind: "program"; readonly argv: readonly string[] };

function on(pnn: number, ...lines: readonly string[]): readonly Step[] {
  return lines.map((line) => ({ kind: "ctdb", pnn, args: line.split(" ") }));
}

function program(line: string): Step {
  return { kind: "program", argv: line.split(" ") };
}

/** `file`: where a backup may be written. */
export function steps(file: string): readonly Step[] {
  return [
    ...on(0, "attach one.tdb", "attach two.tdb persistent", "attach three.tdb replicated"),
    ...on(0, "writekey one.tdb apple red", "writekey one.tdb pear green", "readkey one.tdb apple"),
    ...on(1, "readkey one.tdb apple", "writekey one.tdb apple yellow", "deletekey one.tdb pear"),
    ...on(2, "readkey one.tdb apple", "writekey one.tdb plum blue", "catdb one.tdb"),
    ...on(0, "pstore two.tdb key value", "pfetch two.tdb key", "pdelete two.tdb key"),
    ...on(0, "pstore three.tdb key value", "pfetch three.tdb key", "getdbseqnum three.tdb"),
    ...on(0, "status", "status -X", "nodestatus all", "pnn", "leader", "uptime -n 1", "ping -n 2"),
    ...on(0, "runstate -n 1", "getvar MonitorInterval -n 1", "getvar NoSuch", "listvars -n 2"),
    ...on(0, "setvar MonitorInterval 14 -n 1", "statistics -n 1", "stats 5 -n 1"),
    ...on(0, "statisticsreset -n 1", "dbstatistics one.tdb -n 1", "ip all -v", "ip -n 1"),
    ...on(0, "ipinfo 10.99.99.1 -n 1", "ifaces -n 1", "setifacelink lo up -n 1"),
    ...on(0, "process-exists 1 -n 1", "process-exists 1 0xae00000000001234", "getdbmap -n 1"),
    ...on(0, "getdbstatus one.tdb -n 1", "cattdb one.tdb", "getcapabilities -n 1"),
    ...on(0, "setdebug INFO -n 1", "getdebug -n 1", "getpid -n 1", "getreclock -n 1"),
    ...on(0, "setdbreadonly one.tdb", "setdbsticky one.tdb", "readkey one.tdb apple readonly"),
    ...on(1, "readkey one.tdb plum readonly"),
    ...on(2, "readkey one.tdb plum readonly"),
    ...on(0, "writekey one.tdb plum black", "rddumpmemory"),
    program("message_ring -n 3 -t 2"),
    program("fetch_ring -n 3 -t 2 -D one.tdb -k ring"),
    program("transaction_loop -n 3 -t 2 -D two.tdb -T persistent -k count"),
    program("tunnel_test -t 8 -n 3"),
    ...on(0, "addtickle 10.99.98.1:5000 10.99.99.1:445 -n 1", "gettickles 10.99.99.1 -n 1"),
    ...on(0, "deltickle 10.99.98.1:5000 10.99.99.1:445 -n 1", "gratarp 10.99.99.1 lo"),
    ...on(0, "moveip 10.99.99.1 2", "addip 10.99.99.9/24 lo", "delip 10.99.99.9", "reloadips all"),
    ...on(0, "ipreallocate", "reloadnodes", `backupdb two.tdb ${file}`, `restoredb ${file}`),
    ...on(0, "wipedb two.tdb", "disable -n 1", "enable -n 1", "stop -n 2", "continue -n 2"),
    ...on(0, "ban 60 -n 2", "unban -n 2", "recover", "setlmasterrole off -n 2", "recover"),
    ...on(0, "setlmasterrole on -n 2", "setleaderrole off -n 2", "setleaderrole on -n 2"),
    ...on(0, "setvar AllowClientDBAttach 0 -n 0", "setvar AllowClientDBAttach 0 -n 1"),
    ...on(0, "setvar AllowClientDBAttach 0 -n 2", "dumpmemory", "detach one.tdb", "shutdown -n 2"),
  ];
}
