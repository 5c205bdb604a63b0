import { expect, test } from "bun:test";
import { JOURNAL_KINDS } from "../../base/journal_event.ts";
import type { KeptEvent } from "../types.ts";
import { sentenceOf } from "./sentences.ts";

type Event = KeptEvent["event"];
const node1 = { node: 1 };

/** Of node 1's journal. */
const SENTENCES: readonly (readonly [event: Event, text: string])[] = [
  [
    { kind: "process_started", process: "recoverd", pid: 7, version: "" },
    "On node 1, the recovery daemon was started (process 7)",
  ],
  [
    { kind: "process_ended", process: "eventd", pid: null, how: "killed by signal 9" },
    "On node 1, the event daemon ended: killed by signal 9",
  ],
  [{ kind: "runstate", runstate: "RUNNING" }, "Node 1 went into the run state RUNNING"],
  [{ kind: "shutdown", reason: "SIGTERM." }, "Node 1 shut down: SIGTERM"],
  [
    {
      kind: "state",
      runstate: "RUNNING",
      generation: 1,
      recovering: false,
      leader: 0,
      nodes: [],
      addresses: [],
      databases: [],
    },
    "Node 1 noted how it saw the cluster: itself RUNNING, led by node 0",
  ],
  [{ kind: "link_up", peer: 0 }, "Node 1 is connected to node 0"],
  [{ kind: "link_down", peer: 0, reason: "" }, "Node 1 lost its connection to node 0"],
  [
    { kind: "link_missing", peer: 0, seen_by: [2, 3] },
    "Node 1 and node 0 cannot reach each other, and nodes 2 and 3 can reach both",
  ],
  [
    { kind: "flags", target: 1, before: 2, after: 8, reason: "r", by: node1 },
    "Node 1 became BANNED and is no longer UNHEALTHY: r",
  ],
  [
    { kind: "flags", target: 0, before: 0x22, after: 3, reason: "r", by: node1 },
    "Node 1 saw node 0 become DISCONNECTED and be no longer STOPPED: r",
  ],
  [
    { kind: "flags", target: 0, before: 0, after: 0, reason: "", by: node1 },
    "Node 1 saw node 0 keep its flags",
  ],
  [
    { kind: "nodes_file", added: [2, 3, 4], removed: [0] },
    "Node 1 read its list of nodes anew, with nodes 2, 3 and 4 new and without node 0",
  ],
  [
    { kind: "nodes_file", added: [], removed: [] },
    "Node 1 read its list of nodes anew, with no change",
  ],
  [
    { kind: "election", reason: "nobody leads" },
    "Node 1 called for the election of a leader: nobody leads",
  ],
  [
    { kind: "leader", before: 0, after: null, reason: "" },
    "Node 1 has no leader any more (it was node 0)",
  ],
  [
    { kind: "leader", before: null, after: 2, reason: "it says so" },
    "Node 1 follows node 2 as the leader of the cluster: it says so",
  ],
  [
    { kind: "leader", before: 2, after: 1, reason: "" },
    "Node 1 became the leader of the cluster after node 2",
  ],
  [
    { kind: "lock_taken", lock: "/l", duration_ms: 0.2 },
    'Node 1 took the cluster lock "/l" within less than 1 ms',
  ],
  [
    { kind: "lock_refused", lock: "/l", reason: "r" },
    'Node 1 did not get the cluster lock "/l": r',
  ],
  [{ kind: "lock_lost", lock: "/l", reason: "r" }, 'Node 1 lost the cluster lock "/l": r'],
  [{ kind: "lock_released", lock: "/l" }, 'Node 1 gave up the cluster lock "/l"'],
  [
    { kind: "recovery_started", generation: 1, reason: "r", nodes: [1], culprit: 0 },
    "Node 1 began a recovery of the databases with node 1, after trouble with node 0: r",
  ],
  [
    { kind: "recovery_step", generation: 1, step: "freeze", duration_ms: 12 },
    'The recovery by node 1 took 12 ms for the step "freeze"',
  ],
  [
    {
      kind: "recovery_database",
      generation: 1,
      database: "a.tdb",
      records: 3,
      duration_ms: 61_000,
    },
    "The recovery by node 1 brought 3 records of a.tdb together in 1 min 1 s",
  ],
  [
    { kind: "recovery_ended", generation: 1, succeeded: false, reason: "r", duration_ms: 1234 },
    "The recovery by node 1 failed after 1.2 s: r",
  ],
  [
    { kind: "recovery_mode", active: true, generation: 1, reason: "r" },
    "Node 1 stopped serving its databases until a recovery: r",
  ],
  [
    { kind: "recovery_mode", active: false, generation: 1, reason: "" },
    "Node 1 serves its databases again",
  ],
  [
    { kind: "blame", target: 0, credits: 1, total: 2, limit: 5, reason: "r" },
    "Node 1 blamed node 0 with 1 point, which makes 2 of the 5 that get a node banned: r",
  ],
  [
    { kind: "ban", target: 1, seconds: 300, reason: "r", by: { node: 0 } },
    "Node 1 was banned for 5 min by node 0: r",
  ],
  [
    { kind: "ban", target: 1, seconds: 30, reason: "r", by: node1 },
    "Node 1 banned itself for 30 s: r",
  ],
  [
    { kind: "ban", target: 0, seconds: 7200, reason: "r", by: node1 },
    "Node 1 banned node 0 for 2 h: r",
  ],
  [{ kind: "unban", target: 1, how: "expired", by: node1 }, "The ban of node 1 was over"],
  [
    { kind: "unban", target: 1, how: "asked", by: { node: 1, pid: 5 } },
    "The ban of node 1 was lifted by process 5 on node 1",
  ],
  [{ kind: "takeover_started", reason: "r" }, "Node 1 began to place the public addresses: r"],
  [
    { kind: "address_assigned", address: "::1", from: 0, to: 1, reason: "r" },
    "Node 1 moved address ::1 from node 0 to node 1: r",
  ],
  [
    { kind: "address_assigned", address: "::1", from: null, to: null, reason: "" },
    "Node 1 found no node for address ::1",
  ],
  [
    { kind: "address_assigned", address: "::1", from: 2, to: 2, reason: "" },
    "Node 1 left address ::1 with node 2",
  ],
  [
    { kind: "takeover_ended", succeeded: false, reason: "r", duration_ms: 1000 },
    "Node 1 could not place the public addresses within 1 s: r",
  ],
  [
    {
      kind: "address_taken",
      address: "::1",
      interface: "eth1",
      duration_ms: 1,
      failure: "no such interface",
    },
    "Node 1 could not take address ::1 on eth1: no such interface",
  ],
  [
    { kind: "address_released", address: "::1", interface: "eth1", duration_ms: 1, failure: null },
    "Node 1 gave up address ::1 on eth1, after 1 ms",
  ],
  [
    { kind: "interface_link", interface: "eth1", up: true },
    "On node 1, the interface eth1 has a link again",
  ],
  [
    {
      kind: "script_failed",
      event: "monitor",
      script: "50.samba",
      result: -62,
      line: null,
      duration_ms: null,
    },
    'On node 1, the event script 50.samba did not end in time and was given up in the event "monitor" and printed nothing',
  ],
  [
    {
      kind: "script_failed",
      event: "startup",
      script: "50.samba",
      result: -8,
      line: "a\nb\u001b[31m",
      duration_ms: 3,
    },
    'On node 1, the event script 50.samba could not be run (Exec format error) after 3 ms in the event "startup": "a b [31m"',
  ],
  [
    { kind: "event_failed", event: "monitor", status: "timed out", duration_ms: 30_000 },
    'On node 1, the event "monitor" failed after 30 s: timed out',
  ],
  [{ kind: "event_recovered", event: "monitor" }, 'On node 1, the event "monitor" succeeds again'],
  [
    { kind: "database_attached", name: "a.tdb", id: 1, type: "volatile" },
    "Node 1 opened the volatile database a.tdb",
  ],
  [{ kind: "database_detached", name: "a.tdb", id: 1 }, "Node 1 closed the database a.tdb"],
  [
    { kind: "database_unhealthy", name: "a.tdb", reason: "r" },
    "On node 1, the database a.tdb is damaged: r",
  ],
  [
    { kind: "database_warning", name: "a.tdb", warning: "w" },
    "On node 1, the database a.tdb needs a look: w",
  ],
  [
    { kind: "client_died", pid: 5, program: "", database: null, during: "an update" },
    "On node 1, process 5 ended in the middle of an update",
  ],
  [
    {
      kind: "long_turn",
      duration_ms: 900,
      busy_ms: 100,
      spans: [{ name: "vacuum", depth: 1, duration_ms: 890 }],
    },
    "On node 1, ctdbd did nothing else for 900 ms, of which 890 ms for vacuum, mostly waiting for the processor or a disk",
  ],
  [
    { kind: "paused", duration_ms: 9000 },
    "On node 1, ctdbd did not run for 9 s: it was stopped, or the machine was",
  ],
  [{ kind: "clock_set", by_ms: -9000 }, "The clock of node 1 was set 9 s back"],
  [{ kind: "clock_set", by_ms: 4000 }, "The clock of node 1 was set 4 s forward"],
  [
    { kind: "tunable", name: "T", before: 1, after: 2, by: { node: null } },
    "The tunable T of node 1 was set from 1 to 2",
  ],
  [
    {
      kind: "configuration",
      changes: [{ option: "a:b", before: null, after: "c" }],
      by: { node: 1, pid: 5, program: "ctdb" },
    },
    'The configuration of node 1 changed (by process 5 (ctdb) on node 1): a:b from its default to "c"',
  ],
  [
    {
      kind: "action",
      action: "ban",
      target: 2,
      arguments: ["60"],
      who: "token ops",
      before: "OK",
      after: "BANNED",
      failure: null,
    },
    'On node 1, token ops asked for ban of node 2: from "OK" to "BANNED"',
  ],
  [{ kind: "gap", missing: 1, reason: "r" }, "1 event of node 1 is missing before this: r"],
  [{ kind: "gap", missing: null, reason: "r" }, "Events of node 1 may be missing before this: r"],
];

test("sentenceOf() says each kind of event in plain words", () => {
  const said = SENTENCES.map(([event]) => sentenceOf({ node: 1, event }));
  expect(said).toEqual(SENTENCES.map(([, text]) => text));
  const kinds = new Set(SENTENCES.map(([{ kind }]) => kind));
  expect([...kinds].sort()).toEqual([...JOURNAL_KINDS, "gap" as const].sort());
});
