/** Stories of nodes, what they can do and who leads: each rule of their causes has one. */
import { expect, test } from "bun:test";
import { type Happening, STORY_START_US } from "../../../test/support/journal_story.ts";
import { DISK_FULL, flags, KILLED, own, story, why } from "../../../test/support/why_stories.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { WhyQuestion } from "../types.ts";

const { DISCONNECTED, UNHEALTHY } = NODE_FLAGS;

test("a node is unhealthy because a script failed, also by a journal of another node", async () => {
  const question: WhyQuestion = { subject: "flags", node: 2, flag: UNHEALTHY };
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

test("a flag that is over, or from before a restart, is said to be", async () => {
  const question: WhyQuestion = { subject: "flags", node: 2, flag: UNHEALTHY };
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
  const before: WhyQuestion = { ...question, atUs: STORY_START_US + 50e6 };
  expect(await why(before, story([...DISK_FULL, over, anew]))).not.toContain("!");
});

test("a new leader, since the one before was killed", async () => {
  expect(await why({ subject: "leader" }, story(KILLED))).toBe(`
Node 0 became the leader of the cluster after node 2: it has the cluster lock
  On node 2, ctdbd had ended without a word: it was started anew at 2026-11-29 03:01:00 UTC
  Node 0 took the cluster lock "/shared/lock" within 12 ms
    Node 0 called for the election of a leader: the leader is silent
! Events of node 2 may be missing before 2026-11-29 03:01:00 UTC: ctdbd ended before all was kept
`);
});

test("a node is disconnected: it shut down, or it is busy, or an interface lost its link", async () => {
  const down: Happening = [0, 20, { kind: "link_down", peer: 2, reason: "no reply for 15 s" }];
  const seen: Happening = [
    0,
    20.01,
    flags(2, 0, DISCONNECTED | UNHEALTHY, "its link is lost", own(0)),
  ];
  const question: WhyQuestion = { subject: "flags", node: 2 };
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
