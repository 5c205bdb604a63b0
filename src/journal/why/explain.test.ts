/** What an explanation says beside its causes, and what bounds it. */
import { expect, test } from "bun:test";
import { type Happening, treeText } from "../../../test/support/journal_story.ts";
import { admin, DISK_FULL, flags, own, story, why } from "../../../test/support/why_stories.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { WhyQuestion } from "../types.ts";
import { answerWhy } from "./answer_why.ts";

const { DISCONNECTED, UNHEALTHY, STOPPED, PERMANENTLY_DISABLED } = NODE_FLAGS;

test("clocks that differ by an hour change nothing", async () => {
  const question: WhyQuestion = { subject: "address", address: "10.0.0.5/24" };
  const shifted = story(DISK_FULL, { clockAhead: { 1: 3600, 2: -7200 } });
  expect(await why(question, shifted)).toBe(`
Node 0 moved address 10.0.0.5 from node 2 to node 1: node 2 may not host it
  Node 2 became UNHEALTHY: its monitor event failed
    On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
! The clock of node 1 is 3600 s ahead: times here are corrected
! The clock of node 2 is 7200 s behind: times here are corrected
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
