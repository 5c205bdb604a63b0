import { expect, test } from "bun:test";
import { type Happening, STORY_START_US, Story } from "../../../test/support/journal_story.ts";
import type { JournalEventOf } from "../../base/journal_event.ts";
import { NODE_FLAGS } from "../../wire/constants.ts";
import type { ClusterState } from "../types.ts";
import { readState } from "./read_state.ts";

const { DISCONNECTED, UNHEALTHY, BANNED } = NODE_FLAGS;
const ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];

function whole(host: readonly (number | null)[]): JournalEventOf<"state"> {
  return {
    kind: "state",
    runstate: "RUNNING",
    generation: 7,
    recovering: false,
    leader: 0,
    nodes: [0, 1, 2].map((node) => ({ node, address: `192.168.0.${node}`, flags: 0 })),
    addresses: ADDRESSES.map((address, at) => ({ address, node: host[at] ?? null })),
    databases: [{ name: "a.tdb", id: 1, kind: "volatile" }],
  };
}

const START: readonly Happening[] = [0, 1, 2].map((node): Happening => [node, 0, whole([0, 1, 2])]);

/** Node 2 is killed at 20 and started anew at 60; its address moves to node 0 at 22 and back at 70. */
const KILLED: readonly Happening[] = [
  ...START,
  [2, 10, { kind: "database_attached", name: "b.tdb", id: 2, type: "persistent" }],
  ...[0, 1].map((node): Happening => [node, 20, { kind: "link_down", peer: 2, reason: "reset" }]),
  ...[0, 1].map(
    (node): Happening => [
      node,
      20.1,
      {
        kind: "flags",
        target: 2,
        before: 0,
        after: DISCONNECTED | UNHEALTHY,
        reason: "",
        by: { node },
      },
    ],
  ),
  [0, 21, { kind: "recovery_mode", active: true, generation: 7, reason: "" }],
  [0, 21.5, { kind: "recovery_mode", active: false, generation: 8, reason: "" }],
  [1, 21.5, { kind: "recovery_mode", active: false, generation: 8, reason: "" }],
  [0, 22, { kind: "address_assigned", address: "10.0.0.3", from: 2, to: 0, reason: "" }],
  [
    0,
    22.1,
    { kind: "address_taken", address: "10.0.0.3", interface: "e", duration_ms: 1, failure: null },
  ],
  [2, 60, { kind: "process_started", process: "ctdbd", pid: 1, version: "1" }],
  [2, 60.1, { ...whole([null, null, null]), leader: null, recovering: true }],
  [2, 69, { kind: "leader", before: null, after: 0, reason: "" }],
  ...[0, 1].map(
    (node): Happening => [
      node,
      61,
      {
        kind: "flags",
        target: 2,
        before: DISCONNECTED | UNHEALTHY,
        after: 0,
        reason: "",
        by: { node },
      },
    ],
  ),
  [
    0,
    70,
    {
      kind: "address_released",
      address: "10.0.0.3",
      interface: "e",
      duration_ms: 1,
      failure: null,
    },
  ],
  [
    2,
    70.1,
    { kind: "address_taken", address: "10.0.0.3", interface: "e", duration_ms: 1, failure: null },
  ],
];

async function at(story: Story, seconds: number): Promise<ClusterState> {
  return await readState(STORY_START_US + seconds * 1_000_000, story);
}

function shortly({ nodes, addresses, leader, generation, recovering, databases }: ClusterState) {
  return {
    nodes: nodes.map(({ flags, running }) => `${flags} ${running}`),
    hosts: addresses.map(({ node }) => node),
    leader,
    generation,
    recovering,
    databases: databases.map(({ name }) => name).join(" "),
  };
}

test("readState() rebuilds a night from the journals of all nodes", async () => {
  const story = new Story(KILLED);
  const calm = {
    nodes: ["0 true", "0 true", "0 true"],
    hosts: [0, 1, 2],
    leader: 0,
    generation: 7,
    recovering: false,
    databases: "a.tdb",
  };
  expect(shortly(await at(story, 5))).toEqual(calm);
  expect(shortly(await at(story, 15))).toEqual({ ...calm, databases: "a.tdb b.tdb" });
  const gone = ["0 true", "0 true", "3 false"];
  expect(shortly(await at(story, 21.2))).toEqual({
    ...calm,
    nodes: gone,
    hosts: [0, 1, null],
    recovering: true,
  });
  expect(shortly(await at(story, 40))).toEqual({
    ...calm,
    nodes: gone,
    hosts: [0, 1, 0],
    generation: 8,
  });
  expect(shortly(await at(story, 80))).toMatchObject({ nodes: calm.nodes, hosts: [0, 1, 2] });
  const one = await at(story, 5);
  expect(one.nodes[1]).toEqual({ node: 1, address: "192.168.0.1", flags: 0, running: true });
  expect(one.caveats).toEqual([]);
});

test("readState() takes others' word for a node without a journal, and says so", async () => {
  const story = new Story(
    KILLED.filter(([node]) => node !== 2),
    { silent: { 2: "it has no journal" } },
  );
  const before = await at(story, 10);
  expect(shortly(before)).toMatchObject({
    nodes: ["0 true", "0 true", "0 true"],
    hosts: [0, 1, 2],
  });
  expect(before.caveats).toEqual(["Nothing is known from node 2 itself: it has no journal"]);
  const after = await at(story, 30);
  expect(shortly(after)).toMatchObject({ nodes: ["0 true", "0 true", "3 null"], hosts: [0, 1, 0] });
});

test("readState() believes a node about itself while it is cut off", async () => {
  const story = new Story([
    ...START,
    ...[0, 1].map(
      (node): Happening => [
        node,
        20,
        { kind: "flags", target: 2, before: 0, after: DISCONNECTED, reason: "", by: { node } },
      ],
    ),
    [2, 21, { kind: "leader", before: 0, after: 2, reason: "alone" }],
    [2, 22, { kind: "flags", target: 2, before: 0, after: BANNED, reason: "", by: { node: 2 } }],
    [2, 90, { kind: "link_up", peer: 0 }],
  ]);
  const cut = await at(story, 30);
  expect(shortly(cut)).toMatchObject({ nodes: ["0 true", "0 true", "9 true"], leader: 0 });
  expect(cut.caveats).toEqual([
    "The nodes did not agree who led: node 0 took node 0 for it, node 1 took node 0 for it and node 2 took node 2 for it",
  ]);
});

test("readState() has an address where the leader put it, while the node that had it is cut off", async () => {
  const { DISCONNECTED: gone } = NODE_FLAGS;
  const story = new Story([
    ...START,
    [0, 20, { kind: "flags", target: 2, before: 0, after: gone, reason: "", by: { node: 0 } }],
    [2, 20, { kind: "flags", target: 0, before: 0, after: gone, reason: "", by: { node: 2 } }],
    [2, 21, { kind: "leader", before: 0, after: null, reason: "silent" }],
    [0, 22, { kind: "address_assigned", address: "10.0.0.3", from: 2, to: 1, reason: "" }],
    [
      1,
      22.1,
      { kind: "address_taken", address: "10.0.0.3", interface: "e", duration_ms: 1, failure: null },
    ],
    [2, 90, { kind: "link_up", peer: 0 }],
  ]);
  const cut = await at(story, 30);
  expect(shortly(cut)).toMatchObject({
    nodes: ["0 true", "0 true", "1 true"],
    hosts: [0, 1, 1],
    leader: 0,
  });
  expect(cut.caveats).toContain("node 1 and node 2 each had address 10.0.0.3");
});

test("readState() says what it does not know", async () => {
  const story = new Story([
    [0, 1, { kind: "leader", before: null, after: 0, reason: "" }],
    [0, 2, { kind: "gap", missing: 4, reason: "overflow" }],
  ]);
  const state = await at(story, 10);
  expect(state).toMatchObject({ leader: 0, generation: null, addresses: [], databases: [] });
  expect(state.caveats).toEqual([
    "4 events of node 0 are missing before 2026-11-29 03:00:02 UTC: overflow",
    "The journal of node 0 has no note of the whole state before 2026-11-29 03:00:10 UTC: what did not change since its beginning is not known",
  ]);
  const nothing = await at(new Story([]), 10);
  expect([nothing.leader, nothing.nodes]).toEqual([null, []]);
});

test("readState() of nodes whose clocks differ is of one moment", async () => {
  const story = new Story(KILLED, { clockAhead: { 0: 3600, 2: -7200 } });
  expect(shortly(await at(story, 40))).toEqual(shortly(await at(new Story(KILLED), 40)));
});

test("readState() reads a bounded part of a journal", async () => {
  const many: Happening[] = [...START];
  for (let second = 1; second < 30_000; second++) {
    many.push([0, second, { kind: "leader", before: 0, after: 0, reason: "" }]);
    if (second % 600 === 0) many.push([0, second + 0.5, whole([0, 1, 2])]);
  }
  const story = new Story(many);
  expect((await at(story, 29_990)).leader).toBe(0);
  expect(story.answered).toBeLessThan(700);
});

test("two nodes that had the same address are named", async () => {
  const story = new Story([
    ...START,
    [
      1,
      5,
      { kind: "address_taken", address: "10.0.0.3", interface: "e", duration_ms: 1, failure: null },
    ],
  ]);
  expect((await at(story, 10)).caveats).toEqual(["node 1 and node 2 each had address 10.0.0.3"]);
});
