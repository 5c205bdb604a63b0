/** Stories of addresses that move: each rule of their causes has one. */
import { expect, test } from "bun:test";
import { type Happening, STORY_START_US } from "../../../test/support/journal_story.ts";
import { admin, DISK_FULL, flags, own, story, why } from "../../../test/support/why_stories.ts";
import type { JournalEvent } from "../../base/journal_event.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { WhyQuestion } from "../types.ts";
import { answerWhy } from "./answer_why.ts";

const { DISCONNECTED, UNHEALTHY } = NODE_FLAGS;

test("an address moved because a script failed", async () => {
  expect(await why({ subject: "address", address: "10.0.0.5" }, story(DISK_FULL))).toBe(`
Node 0 moved address 10.0.0.5 from node 2 to node 1: node 2 may not host it
  Node 2 became UNHEALTHY: its monitor event failed
    On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
`);
});

test("a node holds an address, or gave it up, because a run gave it", async () => {
  const taken: WhyQuestion = { subject: "event", node: 1, id: 2 };
  expect(await why(taken, story(DISK_FULL))).toBe(`
Node 1 has address 10.0.0.5 on eth1, after 110 ms
  Node 0 moved address 10.0.0.5 from node 2 to node 1: node 2 may not host it
    Node 2 became UNHEALTHY: its monitor event failed
      On node 2, the event script 05.system failed with exit status 1 after 210 ms in the event "monitor": "ERROR: File system /data utilization 100% >= threshold 95%"
`);
  const run: WhyQuestion = { subject: "event", node: 0, id: 4 };
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
  const before: WhyQuestion = {
    subject: "address",
    address: "10.0.0.5",
    atUs: STORY_START_US + 50e6,
  };
  expect(await why(before, story(again))).toContain("from node 2 to node 1");
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

test("an address moved to a node that is fit again, not since its own was away some time before", async () => {
  const flags = (target: number, before: number, after: number): JournalEvent => {
    return { kind: "flags", target, before, after, reason: "", by: own(target) };
  };
  const reason = "addresses are spread evenly";
  const { answer } = await answerWhy(
    { subject: "address", address: "10.0.0.5" },
    story([
      [0, 1, flags(1, 0, DISCONNECTED)],
      [0, 9, flags(1, DISCONNECTED, 0)],
      [2, 60, flags(2, UNHEALTHY, 0)],
      [0, 60.1, flags(2, UNHEALTHY, 0)],
      [0, 61, { kind: "address_assigned", address: "10.0.0.5", from: 1, to: 2, reason }],
    ]),
  );
  expect(answer?.because.map(({ event: { event } }) => event)).toMatchObject([
    { kind: "flags", target: 2, after: 0 },
  ]);
});
