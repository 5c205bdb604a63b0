/** Stories, and what is said of them: each rule of causes has one. */
import { expect, test } from "bun:test";
import {
  explainWhole,
  type Happening,
  STORY_START_US,
  Story,
  type StoryOptions,
  treeText,
} from "../../../test/support/journal_story.ts";
import type { JournalActor, JournalEvent } from "../../base/journal_event.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { WhyQuestion } from "../types.ts";
import { answerWhy } from "./answer_why.ts";

const { DISCONNECTED, UNHEALTHY, BANNED, STOPPED, PERMANENTLY_DISABLED } = NODE_FLAGS;
const own = (node: number): JournalActor => ({ node });
const admin: JournalActor = { node: 1, pid: 4711, program: "ctdb" };

type Question = WhyQuestion;

async function why(question: Question, story: Story): Promise<string> {
  const { answer, caveats } = await answerWhy(question, story);
  const text = answer === undefined ? "nothing is known\n" : treeText(answer);
  // What is read in pieces says the same as what is there as a whole.
  const whole = explainWhole(question, await story.events());
  if (question.atUs === undefined && story.options.clockAhead === undefined) {
    expect(whole === undefined ? "nothing is known\n" : treeText(whole)).toBe(text);
  }
  return [`\n${text}`, ...caveats.map((caveat) => `! ${caveat}\n`)].join("");
}

function flags(target: number, before: number, after: number, reason: string, by = own(target)) {
  return { kind: "flags", target, before, after, reason, by } as const;
}

function story(happenings: readonly Happening[], options?: StoryOptions): Story {
  return new Story(happenings, options);
}

const DISK_FULL: readonly Happening[] = [
  [
    2,
    10,
    {
      kind: "script_failed",
      event: "monitor",
      script: "05.system",
      result: 1,
      line: "ERROR: File system /data utilization 100% >= threshold 95%\n",
      duration_ms: 210,
    },
  ],
  [
    2,
    10.1,
    { kind: "event_failed", event: "monitor", status: "05.system failed", duration_ms: 230 },
  ],
  [2, 10.2, flags(2, 0, UNHEALTHY, "its monitor event failed")],
  [0, 10.3, flags(2, 0, UNHEALTHY, "it says so")],
  [1, 10.3, flags(2, 0, UNHEALTHY, "it says so")],
  [0, 11, { kind: "takeover_started", reason: "flags of node 2 changed" }, "recoverd"],
  [
    0,
    11.1,
    {
      kind: "address_assigned",
      address: "10.0.0.5",
      from: 2,
      to: 1,
      reason: "node 2 may not host it",
    },
    "takeover_helper",
  ],
  [
    2,
    11.2,
    {
      kind: "address_released",
      address: "10.0.0.5",
      interface: "eth1",
      duration_ms: 90,
      failure: null,
    },
  ],
  [
    1,
    11.4,
    {
      kind: "address_taken",
      address: "10.0.0.5",
      interface: "eth1",
      duration_ms: 110,
      failure: null,
    },
  ],
  [
    0,
    11.5,
    { kind: "takeover_ended", succeeded: true, reason: null, duration_ms: 500 },
    "recoverd",
  ],
];

test("an address moved because a script failed", async () => {
  expect(await why({ subject: "address", address: "10.0.0.5" }, story(DISK_FULL))).toBe(`
Node 0 moved address 10.0.0.5 from node 2 to node 1: node 2 may not host it
  Node 2 became UNHEALTHY: its monitor event failed
    On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
`);
});

test("a node is unhealthy because a script failed, also by a journal of another node", async () => {
  const question: Question = { subject: "flags", node: 2, flag: UNHEALTHY };
  const expected = `
Node 2 became UNHEALTHY: its monitor event failed
  On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
`;
  expect(await why(question, story(DISK_FULL))).toBe(expected);
  const silent = story(
    DISK_FULL.filter(([node]) => node !== 2),
    { silent: { 2: "it has no journal" } },
  );
  expect(await why(question, silent)).toBe(`
Node 1 saw node 2 become UNHEALTHY: it says so
! Nothing is known from node 2 itself: it has no journal
`);
});

test("clocks that differ by an hour change nothing", async () => {
  const question: Question = { subject: "address", address: "10.0.0.5/24" };
  const shifted = story(DISK_FULL, { clockAhead: { 1: 3600, 2: -7200 } });
  expect(await why(question, shifted)).toBe(`
Node 0 moved address 10.0.0.5 from node 2 to node 1: node 2 may not host it
  Node 2 became UNHEALTHY: its monitor event failed
    On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
! The clock of node 1 is 3600 s ahead: times here are corrected
! The clock of node 2 is 7200 s behind: times here are corrected
`);
});

test("a node holds an address, or gave it up, because a run gave it", async () => {
  const taken: Question = { subject: "event", node: 1, id: 2 };
  expect(await why(taken, story(DISK_FULL))).toBe(`
Node 1 has address 10.0.0.5 on eth1, after 110 ms
  Node 0 moved address 10.0.0.5 from node 2 to node 1: node 2 may not host it
    Node 2 became UNHEALTHY: its monitor event failed
      On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
`);
  const run: Question = { subject: "event", node: 0, id: 4 };
  expect(await why(run, story(DISK_FULL))).toBe(`
Node 0 placed the public addresses within 500 ms
  Node 0 began to place the public addresses: flags of node 2 changed
    Node 0 saw node 2 become UNHEALTHY: it says so
      Node 2 became UNHEALTHY: its monitor event failed
        On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
`);
});

test("an address goes back to a node that is healthy again", async () => {
  const again: readonly Happening[] = [
    ...DISK_FULL,
    [2, 100, { kind: "event_recovered", event: "monitor" }],
    [2, 100.1, flags(2, UNHEALTHY, 0, "its monitor event succeeded")],
    [0, 100.2, flags(2, UNHEALTHY, 0, "it says so")],
    [
      0,
      101,
      {
        kind: "address_assigned",
        address: "10.0.0.5",
        from: 1,
        to: 2,
        reason: "to spread addresses evenly",
      },
    ],
  ];
  expect(await why({ subject: "address", address: "10.0.0.5" }, story(again))).toBe(`
Node 0 moved address 10.0.0.5 from node 1 to node 2: to spread addresses evenly
  Node 2 is no longer UNHEALTHY: its monitor event succeeded
    On node 2, the event "monitor" succeeds again
      On node 2, the event "monitor" failed after 230 ms: 05.system failed
        On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
`);
  const before: Question = {
    subject: "address",
    address: "10.0.0.5",
    atUs: STORY_START_US + 50e6,
  };
  expect(await why(before, story(again))).toContain("from node 2 to node 1");
});

test("a flag that is over, or from before a restart, is said to be", async () => {
  const question: Question = { subject: "flags", node: 2, flag: UNHEALTHY };
  const over: Happening = [2, 100, flags(2, UNHEALTHY, 0, "its monitor event succeeded")];
  expect(await why(question, story([...DISK_FULL, over]))).toEndWith(
    "\n! Node 2 is no longer UNHEALTHY since 2026-11-29 03:01:40 UTC\n",
  );
  const anew: Happening = [
    2,
    700,
    { kind: "process_started", process: "ctdbd", pid: 1, version: "" },
  ];
  expect(await why(question, story([...DISK_FULL, anew]))).toEndWith(
    "\n! ctdbd of node 2 was started anew at 2026-11-29 03:11:40 UTC, after this\n",
  );
  const before: Question = { ...question, atUs: STORY_START_US + 50e6 };
  expect(await why(before, story([...DISK_FULL, over, anew]))).not.toContain("!");
});

test("an address moved because an administrator said so", async () => {
  const moved: readonly Happening[] = [
    [0, 5, { kind: "takeover_started", reason: "node 1 asks for its addresses to be read anew" }],
    [
      0,
      5.1,
      { kind: "address_assigned", address: "10.0.0.7", from: null, to: 1, reason: "nobody has it" },
    ],
    [
      1,
      4.8,
      {
        kind: "configuration",
        changes: [{ option: "public_addresses", before: null, after: "10.0.0.7/24 eth1" }],
        by: admin,
      },
    ],
  ];
  expect(await why({ subject: "address", address: "10.0.0.7" }, story(moved))).toBe(`
Node 0 gave address 10.0.0.7, which nobody had, to node 1: nobody has it
  Node 0 began to place the public addresses: node 1 asks for its addresses to be read anew
    The configuration of node 1 changed (by process 4711 (ctdb) on node 1): public_addresses from its default to "10.0.0.7/24 eth1"
`);
});

test("an address has no node since the only one lost its link", async () => {
  const cut: readonly Happening[] = [
    [1, 3, { kind: "interface_link", interface: "eth1", up: false }],
    [
      0,
      5.1,
      {
        kind: "address_assigned",
        address: "10.0.0.7",
        from: 1,
        to: null,
        reason: "no node may host it",
      },
    ],
  ];
  expect(await why({ subject: "address", address: "10.0.0.7" }, story(cut))).toBe(`
Node 0 took address 10.0.0.7 from node 1 and found no other node for it: no node may host it
  On node 1, the interface eth1 lost its link
`);
});

const KILLED: readonly Happening[] = [
  [0, 0, { kind: "leader", before: null, after: 2, reason: "it says so" }, "recoverd"],
  [0, 20, { kind: "link_down", peer: 2, reason: "connection reset by peer" }],
  [0, 20.01, flags(2, 0, DISCONNECTED | UNHEALTHY, "its link is lost", own(0))],
  [1, 20.02, { kind: "link_down", peer: 2, reason: "connection reset by peer" }],
  [0, 25, { kind: "election", reason: "the leader is silent" }, "recoverd"],
  [0, 26, { kind: "lock_taken", lock: "/shared/lock", duration_ms: 12 }, "recoverd"],
  [0, 27, { kind: "leader", before: 2, after: 0, reason: "it has the cluster lock" }, "recoverd"],
  [1, 27.1, { kind: "leader", before: 2, after: 0, reason: "it says so" }, "recoverd"],
  [
    0,
    27.5,
    {
      kind: "recovery_started",
      generation: 77,
      reason: "the vnn map has 3 nodes, expected the 2 active lmasters",
      nodes: [0, 1],
      culprit: null,
    },
    "recoverd",
  ],
  [1, 27.6, { kind: "recovery_mode", active: true, generation: 5, reason: "a recovery began" }],
  [
    1,
    27.9,
    { kind: "recovery_mode", active: false, generation: 77, reason: "the recovery is over" },
  ],
  [
    0,
    28,
    { kind: "recovery_ended", generation: 77, succeeded: true, reason: null, duration_ms: 500 },
    "recoverd",
  ],
  [2, 60, { kind: "gap", missing: null, reason: "ctdbd ended before all was kept" }],
  [2, 60.01, { kind: "process_started", process: "ctdbd", pid: 900, version: "0.1.0" }],
];

test("a new leader, since the one before was killed", async () => {
  expect(await why({ subject: "leader" }, story(KILLED))).toBe(`
Node 0 became the leader of the cluster after node 2: it has the cluster lock
  On node 2, ctdbd had ended without a word: it was started anew at 2026-11-29 03:01:00 UTC
  Node 0 took the cluster lock "/shared/lock" within 12 ms
    Node 0 called for the election of a leader: the leader is silent
! Events of node 2 may be missing before 2026-11-29 03:01:00 UTC: ctdbd ended before all was kept
`);
});

test("a recovery, since a node went and another began to lead", async () => {
  expect(await why({ subject: "recovery" }, story(KILLED))).toBe(`
Node 0 began a recovery of the databases with nodes 0 and 1: the vnn map has 3 nodes, expected the 2 active lmasters
  Node 0 became the leader of the cluster after node 2: it has the cluster lock
    On node 2, ctdbd had ended without a word: it was started anew at 2026-11-29 03:01:00 UTC
    Node 0 took the cluster lock "/shared/lock" within 12 ms
      Node 0 called for the election of a leader: the leader is silent
  Node 0 saw node 2 become DISCONNECTED: its link is lost
    Node 0 lost its connection to node 2: connection reset by peer
! Events of node 2 may be missing before 2026-11-29 03:01:00 UTC: ctdbd ended before all was kept
`);
  const mode: Question = { subject: "event", node: 1, id: 3 };
  expect(await why(mode, story(KILLED))).toContain("Node 0 began a recovery");
});

test("a node is disconnected: it shut down, or it is busy, or an interface lost its link", async () => {
  const down: Happening = [0, 20, { kind: "link_down", peer: 2, reason: "no reply for 15 s" }];
  const seen: Happening = [
    0,
    20.01,
    flags(2, 0, DISCONNECTED | UNHEALTHY, "its link is lost", own(0)),
  ];
  const question: Question = { subject: "flags", node: 2 };
  const causes: readonly Happening[] = [
    [2, 19, { kind: "shutdown", reason: "asked for by process 4711 (ctdb) of this node" }],
    [
      2,
      25,
      {
        kind: "long_turn",
        duration_ms: 20_000,
        busy_ms: 19_000,
        spans: [
          { name: "turn", depth: 0, duration_ms: 20_000 },
          { name: "traverse", depth: 1, duration_ms: 19_500 },
        ],
      },
    ],
    [2, 19, { kind: "interface_link", interface: "eth0", up: false }],
    [0, 19, { kind: "nodes_file", added: [], removed: [2] }],
  ];
  const texts = await Promise.all(
    causes.map(async (cause) =>
      (await why(question, story([down, seen, cause]))).split("\n").at(3),
    ),
  );
  expect(texts.map((text) => text?.trim())).toEqual([
    "Node 2 shut down: asked for by process 4711 (ctdb) of node 2",
    "On node 2, ctdbd did nothing else for 20 s, of which 19.5 s for traverse",
    "On node 2, the interface eth0 lost its link",
    "Node 0 read its list of nodes anew, without node 2",
  ]);
});

const BAN: readonly Happening[] = [
  [
    0,
    1,
    {
      kind: "recovery_started",
      generation: 1,
      reason: "node 2 is in recovery mode",
      nodes: [0, 1, 2],
      culprit: null,
    },
    "recoverd",
  ],
  [
    0,
    5,
    {
      kind: "recovery_ended",
      generation: 1,
      succeeded: false,
      reason: "database 0x1234: node 2 does not answer",
      duration_ms: 4000,
    },
    "recoverd",
  ],
  [
    0,
    5.1,
    {
      kind: "blame",
      target: 2,
      credits: 2,
      total: 2,
      limit: 4,
      reason: "the recovery failed at it",
    },
    "recoverd",
  ],
  [
    0,
    7,
    {
      kind: "recovery_started",
      generation: 2,
      reason: "node 2 is in recovery mode",
      nodes: [0, 1, 2],
      culprit: 2,
    },
    "recoverd",
  ],
  [2, 8, { kind: "long_turn", duration_ms: 6000, busy_ms: 100, spans: [] }],
  [
    0,
    12,
    {
      kind: "recovery_ended",
      generation: 2,
      succeeded: false,
      reason: "database 0x1234: node 2 does not answer",
      duration_ms: 5000,
    },
    "recoverd",
  ],
  [
    0,
    12.1,
    {
      kind: "blame",
      target: 2,
      credits: 2,
      total: 4,
      limit: 4,
      reason: "the recovery failed at it",
    },
    "recoverd",
  ],
  [
    0,
    12.2,
    { kind: "ban", target: 2, seconds: 300, reason: "it has 4 points", by: own(0) },
    "recoverd",
  ],
  [2, 12.3, { kind: "ban", target: 2, seconds: 300, reason: "asked for by node 0", by: own(0) }],
  [2, 12.31, flags(2, 0, BANNED, "banned for 300 s: asked for by node 0", own(0))],
  [0, 12.4, flags(2, 0, BANNED, "it says so")],
  [
    2,
    12.5,
    {
      kind: "address_released",
      address: "10.0.0.5",
      interface: "eth1",
      duration_ms: 10,
      failure: null,
    },
  ],
];

test("a node was banned because recoveries failed at it", async () => {
  expect(await why({ subject: "ban", node: 2 }, story(BAN))).toBe(`
Node 2 was banned for 5 min: asked for by node 0
  Node 0 banned node 2 for 5 min: it has 4 points
    Node 0 blamed node 2 with 2 points, which makes 4 of the 4 that get a node banned: the recovery failed at it
      The recovery by node 0 failed after 5 s: database 0x1234: node 2 does not answer
        On node 2, ctdbd did nothing else for 6 s, mostly waiting for the processor or a disk
        Node 0 began a recovery of the databases with nodes 0, 1 and 2, after trouble with node 2: node 2 is in recovery mode
          The recovery by node 0 failed after 4 s: database 0x1234: node 2 does not answer
            Node 0 began a recovery of the databases with nodes 0, 1 and 2: node 2 is in recovery mode
    Node 0 blamed node 2 with 2 points, which makes 2 of the 4 that get a node banned: the recovery failed at it
`);
});

test("a node is banned by the journals of the others alone", async () => {
  const others = story(
    BAN.filter(([node]) => node !== 2),
    { silent: { 2: "it did not answer within 2 s" } },
  );
  expect(await why({ subject: "ban", node: 2 }, others)).toBe(`
Node 0 banned node 2 for 5 min: it has 4 points
  Node 0 blamed node 2 with 2 points, which makes 4 of the 4 that get a node banned: the recovery failed at it
    The recovery by node 0 failed after 5 s: database 0x1234: node 2 does not answer
      Node 0 began a recovery of the databases with nodes 0, 1 and 2, after trouble with node 2: node 2 is in recovery mode
        The recovery by node 0 failed after 4 s: database 0x1234: node 2 does not answer
          Node 0 began a recovery of the databases with nodes 0, 1 and 2: node 2 is in recovery mode
  Node 0 blamed node 2 with 2 points, which makes 2 of the 4 that get a node banned: the recovery failed at it
! Nothing is known from node 2 itself: it did not answer within 2 s
`);
  const onlyFlags = story([[1, 3, flags(2, 0, BANNED, "it says so")]]);
  expect(await why({ subject: "ban", node: 2 }, onlyFlags)).toBe(`
Node 1 saw node 2 become BANNED: it says so
`);
});

test("a node banned itself, and its ban is over", async () => {
  const self: readonly Happening[] = [
    [1, 1, { kind: "lock_refused", lock: "/shared/lock", reason: "node 0 has it" }, "recoverd"],
    [0, 0, { kind: "lock_taken", lock: "/shared/lock", duration_ms: 3 }, "recoverd"],
    [
      1,
      2,
      { kind: "ban", target: 1, seconds: 300, reason: "the lock could not be checked", by: own(1) },
    ],
    [1, 302, { kind: "unban", target: 1, how: "expired", by: own(1) }],
    [1, 302.1, flags(1, BANNED, 0, "its ban is over")],
  ];
  expect(await why({ subject: "flags", node: 1 }, story(self))).toBe(`
Node 1 is no longer BANNED: its ban is over
  The ban of node 1 was over
    Node 1 banned itself for 5 min: the lock could not be checked
      Node 1 did not get the cluster lock "/shared/lock": node 0 has it
        Node 0 took the cluster lock "/shared/lock" within 3 ms
`);
});

test("what an administrator did has no further cause", async () => {
  const asked: readonly Happening[] = [
    [1, 1, { kind: "blame", target: 1, credits: 1, total: 1, limit: 4, reason: "old" }],
    [
      1,
      2,
      {
        kind: "ban",
        target: 1,
        seconds: 60,
        reason: "asked for by process 4711 (ctdb) of this node",
        by: admin,
      },
    ],
    [1, 5, flags(1, 0, STOPPED, "asked for by process 4711 (ctdb) of this node", admin)],
    [1, 6, flags(1, STOPPED, STOPPED | PERMANENTLY_DISABLED, "asked for by node 0", own(0))],
    [1, 7, { kind: "tunable", name: "MonitorInterval", before: 15, after: 5, by: admin }],
  ];
  expect(await why({ subject: "ban", node: 1 }, story(asked))).toBe(`
Node 1 was banned for 1 min: asked for by process 4711 (ctdb) of node 1
`);
  expect(await why({ subject: "flags", node: 1, flag: STOPPED }, story(asked))).toBe(`
Node 1 became STOPPED: asked for by process 4711 (ctdb) of node 1
`);
  expect(await why({ subject: "flags", node: 1 }, story(asked))).toBe(`
Node 1 became DISABLED: asked for by node 0
`);
  expect(await why({ subject: "event", node: 1, id: 5 }, story(asked))).toBe(`
The tunable MonitorInterval of node 1 was set from 15 to 5 by process 4711 (ctdb) on node 1
`);
});

test("a recovery because a client died in the middle of a commit", async () => {
  const died: readonly Happening[] = [
    [
      1,
      3,
      {
        kind: "client_died",
        pid: 99,
        program: "net",
        database: "secrets.tdb",
        during: "a commit of a transaction",
      },
    ],
    [
      1,
      3.01,
      {
        kind: "recovery_mode",
        active: true,
        generation: 4,
        reason: "client 99 ended with persistent updates in flight",
      },
    ],
    [
      0,
      4,
      {
        kind: "recovery_started",
        generation: 5,
        reason: "node 1 is in recovery mode",
        nodes: [0, 1],
        culprit: null,
      },
      "recoverd",
    ],
  ];
  expect(await why({ subject: "recovery" }, story(died))).toBe(`
Node 0 began a recovery of the databases with nodes 0 and 1: node 1 is in recovery mode
  Node 1 stopped serving its databases until a recovery: client 99 ended with persistent updates in flight
    On node 1, process 99 (net) ended in the middle of a commit of a transaction of secrets.tdb
`);
});

test("a leader that lost the cluster lock", async () => {
  const lost: readonly Happening[] = [
    [0, 1, { kind: "leader", before: null, after: 0, reason: "elected" }, "recoverd"],
    [0, 30, { kind: "long_turn", duration_ms: 30_000, busy_ms: 30_000, spans: [] }],
    [0, 31, { kind: "lock_lost", lock: "/shared/lock", reason: "its helper ended" }, "recoverd"],
    [
      0,
      31.1,
      { kind: "leader", before: 0, after: null, reason: "the cluster lock is lost" },
      "recoverd",
    ],
    [1, 31.2, { kind: "leader", before: 0, after: null, reason: "it says nothing" }, "recoverd"],
    [1, 36, { kind: "election", reason: "nobody leads" }, "recoverd"],
    [1, 37, { kind: "leader", before: null, after: 1, reason: "elected" }, "recoverd"],
  ];
  expect(await why({ subject: "leader" }, story(lost))).toBe(`
Node 1 became the leader of the cluster: elected
  Node 1 called for the election of a leader: nobody leads
    Node 1 has no leader any more (it was node 0): it says nothing
      Node 0 lost the cluster lock "/shared/lock": its helper ended
        On node 0, ctdbd did nothing else for 30 s
`);
});

test("nothing is known, and where nothing can be", async () => {
  const little = story([[0, 5, { kind: "election", reason: "x" }]], {
    silent: { 1: "it has no journal" },
  });
  expect(await why({ subject: "ban", node: 1 }, little)).toBe(`
nothing is known
! Nothing is known from node 1 itself: it has no journal
! The journal of node 0 begins at 2026-11-29 03:00:05 UTC
`);
  expect(await why({ subject: "event", node: 0, id: 99 }, little)).toContain("nothing is known");
});

test("a ban that a process of another node asked for is not for what the leader blamed the node for", async () => {
  const action = { before: null, after: null, failure: null, arguments: ["600"] };
  const { answer } = await answerWhy(
    { subject: "ban", node: 1 },
    story([
      [0, 1, { kind: "blame", target: 1, credits: 3, total: 3, limit: 6, reason: "takeover runs" }],
      [0, 9.9, { kind: "action", action: "ban", target: 1, who: "process 7 (ctdb)", ...action }],
      [1, 10, { kind: "ban", target: 1, seconds: 600, reason: "asked for by node 0", by: own(0) }],
    ]),
  );
  expect(answer?.because.map(({ text }) => text)).toEqual([
    "On node 0, process 7 (ctdb) asked for ban of node 1",
  ]);
});

test("an address moved because its node was cut off, which was banned a minute before", async () => {
  const by = own(1);
  const banned = { kind: "flags", target: 1, before: 0, after: NODE_FLAGS.BANNED, reason: "b", by };
  const fit = { kind: "flags", target: 1, before: NODE_FLAGS.BANNED, after: 0, reason: "over", by };
  const gone = { kind: "flags", target: 1, before: 0, after: NODE_FLAGS.DISCONNECTED, reason: "l" };
  const { answer } = await answerWhy(
    { subject: "address", address: "10.0.0.5" },
    story([
      [1, 1, banned as JournalEvent],
      [0, 1.1, banned as JournalEvent],
      [1, 40, fit as JournalEvent],
      [0, 40.1, fit as JournalEvent],
      [0, 60, { kind: "link_down", peer: 1, reason: "silent" }],
      [0, 60.1, { ...gone, by: own(0) } as JournalEvent],
      [0, 62, { kind: "address_assigned", address: "10.0.0.5", from: 1, to: 0, reason: "r" }],
    ]),
  );
  expect(answer?.because.map(({ event: { event } }) => event)).toMatchObject([
    { kind: "flags", after: NODE_FLAGS.DISCONNECTED },
  ]);
});

test("a node that bans itself for a script does so whoever blames it", async () => {
  const { answer } = await answerWhy(
    { subject: "ban", node: 1 },
    story([
      [0, 1, { kind: "blame", target: 1, credits: 3, total: 3, limit: 6, reason: "takeover runs" }],
      [
        1,
        9.9,
        {
          kind: "script_failed",
          event: "ipreallocated",
          script: "60.night",
          result: -110,
          line: null,
          duration_ms: 5000,
        },
      ],
      [
        1,
        10,
        {
          kind: "ban",
          target: 1,
          seconds: 20,
          reason: 'event "ipreallocated" timed out',
          by: own(1),
        },
      ],
    ]),
  );
  expect(answer?.because.map(({ event }) => event.event.kind)).toEqual(["script_failed"]);
});

test("an explanation is bounded, whatever the journals hold", async () => {
  const many: Happening[] = [];
  for (let round = 0; round < 3000; round++) {
    many.push([
      0,
      round,
      { kind: "recovery_started", generation: round, reason: "r", nodes: [0], culprit: 1 },
    ]);
    many.push([
      0,
      round + 0.3,
      { kind: "recovery_ended", generation: round, succeeded: false, reason: "f", duration_ms: 1 },
    ]);
    many.push([
      0,
      round + 0.4,
      { kind: "blame", target: 1, credits: 1, total: 9, limit: 9, reason: "b" },
    ]);
    many.push([1, round + 0.5, { kind: "ban", target: 1, seconds: 1, reason: "b", by: own(0) }]);
  }
  const long = story(many);
  const { answer, caveats } = await answerWhy({ subject: "ban", node: 1 }, long);
  const lines = answer === undefined ? [] : treeText(answer).trim().split("\n");
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.length).toBeLessThanOrEqual(60);
  expect(Math.max(...lines.map((line) => line.search(/\S/) / 2))).toBeLessThanOrEqual(8);
  expect(caveats.join()).toContain("Only the last 1000 events of node 0");
  expect(long.answered).toBeLessThan(5000);
});

test("events that come together in any order make no circle", async () => {
  const together: readonly Happening[] = [
    [0, 1, { kind: "election", reason: "e" }, "recoverd"],
    [0, 1, { kind: "leader", before: 1, after: null, reason: "l" }, "recoverd"],
    [1, 1, { kind: "leader", before: 0, after: null, reason: "l" }, "recoverd"],
    [1, 1, { kind: "election", reason: "e" }, "recoverd"],
    [0, 1, { kind: "lock_lost", lock: "k", reason: "" }, "recoverd"],
  ];
  for (let id = 1; id <= 3; id++) {
    expect(await why({ subject: "event", node: 0, id }, story(together))).toContain("Node 0");
  }
});

test("a leader without a journal: what it did is seen by its effects", async () => {
  const effects: readonly Happening[] = [
    [1, 10, { kind: "link_down", peer: 2, reason: "closed by the peer" }],
    [1, 10.01, flags(2, 0, DISCONNECTED | UNHEALTHY, "its link is lost", own(1))],
    [1, 11, { kind: "recovery_mode", active: true, generation: 3, reason: "node 0 asked for it" }],
    [1, 12, { kind: "recovery_mode", active: false, generation: 4, reason: "node 0 has ended it" }],
    [
      1,
      13,
      {
        kind: "address_taken",
        address: "10.0.0.5",
        interface: "eth1",
        duration_ms: 9,
        failure: null,
      },
    ],
  ];
  const stock = story(effects, { silent: { 0: "it has no journal" } });
  const cause = `
  Node 1 saw node 2 become DISCONNECTED: its link is lost
    Node 1 lost its connection to node 2: closed by the peer
! Nothing is known from node 0 itself: it has no journal
`;
  expect(await why({ subject: "recovery" }, stock)).toBe(
    `\nNode 1 stopped serving its databases until a recovery: node 0 asked for it${cause}`,
  );
  expect(await why({ subject: "address", address: "10.0.0.5" }, stock)).toBe(
    `\nNode 1 has address 10.0.0.5 on eth1, after 9 ms${cause}`,
  );
});
