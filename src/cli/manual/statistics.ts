/** What ctdb-statistics(7) says of each counter, by its name in `ctdb -X statistics`. */

export const COUNTER_TEXTS: Readonly<Record<string, string>> = {
  num_clients:
    "Programs that are connected to the daemon: smbd and winbindd, the recovery daemon, this tool.",
  frozen:
    "1 while databases are frozen, which they are in a recovery and on a node that takes no part.",
  recovering: "1 while a recovery runs.",
  num_recoveries: "Recoveries in which the node took part.",
  client_packets_sent: "Packets to programs of this node.",
  client_packets_recv: "Packets from programs of this node.",
  node_packets_sent: "Packets to other nodes.",
  node_packets_recv: "Packets from other nodes.",
  keepalive_packets_sent: "Signs of life to other nodes.",
  keepalive_packets_recv: "Signs of life from other nodes.",
  "node.req_call": "Requests of other nodes for a record.",
  "node.reply_call": "Answers of other nodes to such requests.",
  "node.req_dmaster": "Requests of other nodes to give a record to a third one.",
  "node.reply_dmaster": "Records that have come to this node.",
  "node.reply_error": "Errors that other nodes answered with.",
  "node.req_message": "Messages between programs, from other nodes.",
  "node.req_control": "Requests of other nodes to the daemon.",
  "node.reply_control": "Answers of other nodes to such requests.",
  "node.req_tunnel": "Packets of tunnels between programs, from other nodes.",
  "client.req_call": "Requests of programs for a record.",
  "client.req_message": "Messages that programs sent.",
  "client.req_control": "Requests of programs to the daemon.",
  "client.req_tunnel": "Packets of tunnels that programs sent.",
  "timeouts.call": "Requests for a record that nobody answered in time.",
  "timeouts.control": "Requests to a daemon that nobody answered in time.",
  "timeouts.traverse": "Traverses of a database that did not end in time.",
  "locks.num_calls": "Locks of records and databases that were asked for.",
  "locks.num_current": "Locks that are waited for now.",
  "locks.num_pending": "Locks that stand in line until others have been had.",
  "locks.num_failed": "Locks that could not be had.",
  total_calls: "Requests of programs for a record, as `client.req_call`.",
  pending_calls:
    "Requests for a record that are under way: how many records travel to this node now.",
  childwrite_calls: "Updates of records in persistent databases.",
  pending_childwrite_calls: "Such updates that are under way.",
  memory_used: "Bytes of memory that the daemon uses, without the databases.",
  max_hop_count:
    "Over how many nodes a request for a record went at most. High numbers speak of a record that everybody wants.",
  total_ro_delegations: "Read-only copies of records that were given to other nodes.",
  total_ro_revokes: "Those that were taken back. The difference is what is out now.",
  reclock_ctdbd: "How long the daemon took to look whether the cluster lock is held.",
  reclock_recd: "How long the recovery daemon took for the same.",
  call: "How long requests of programs for a record took, travel included. In text `call_latency`.",
  lockwait: "How long locks took to be had. In text `locks_latency`.",
  childwrite: "How long updates of persistent databases took. In text `childwrite_latency`.",
};

/** Of `ctdb dbstatistics`, and of the text form of both. */
export const DATABASE_COUNTER_TEXTS: Readonly<Record<string, string>> = {
  db_ro_delegations: "Read-only copies of its records that were given to other nodes.",
  db_ro_revokes: "Those that were taken back.",
  locks: "`num_calls`, `num_current`, `num_pending`, `num_failed`: as above, of this database.",
  hop_count_buckets:
    "How many requests for a record went over how many nodes: none, one, then up to 3, 7, 15 and so on, twice as many from one number to the next.",
  lock_buckets:
    "How many locks took how long: less than 1 ms, 10 ms, 100 ms, 1 s, then 2 s, 4 s and so on, twice as long from one number to the next.",
  locks_latency: "How long locks took to be had.",
  vacuum_latency: "How long cleaning up took.",
  "Num Hot Keys":
    "The records that travelled over the most nodes: how many, then each with its count and its key in hexadecimal.",
};
