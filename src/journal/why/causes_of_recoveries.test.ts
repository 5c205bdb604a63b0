/** Stories of recoveries and bans: each rule of their causes has one. */
import { expect, test } from "bun:test";
import type { Happening } from "../../../test/support/journal_story.ts";
import { flags, KILLED, own, story, why } from "../../../test/support/why_stories.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { WhyQuestion } from "../types.ts";
import { answerWhy } from "./answer_why.ts";

const { BANNED } = NODE_FLAGS;

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
  const mode: WhyQuestion = { subject: "event", node: 1, id: 3 };
  expect(await why(mode, story(KILLED))).toContain("Node 0 began a recovery");
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

test("a recovery that somebody asked for is not for a node that the one before has taken in", async () => {
  const { answer } = await answerWhy(
    { subject: "recovery" },
    story([
      [
        2,
        20.8,
        { kind: "recovery_started", generation: 1, reason: "r", nodes: [0, 2], culprit: null },
      ],
      [2, 20.801, { kind: "flags", target: 0, before: BANNED, after: 0, reason: "", by: own(0) }],
      [
        2,
        22.6,
        { kind: "recovery_ended", generation: 1, succeeded: true, reason: null, duration_ms: 1800 },
      ],
      [
        0,
        26.5,
        {
          kind: "recovery_mode",
          active: true,
          generation: 1,
          reason: "process 7 (ctdb) of node 0 asked for it",
        },
      ],
      [
        2,
        32.6,
        { kind: "recovery_started", generation: 2, reason: "r", nodes: [0, 2], culprit: null },
      ],
    ]),
  );
  expect(answer?.because.map(({ event }) => event.event.kind)).toEqual(["recovery_mode"]);
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
