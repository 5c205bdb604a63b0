import { expect, test } from "bun:test";
import { readCluster } from "./read_cluster.ts";
import { verdictOf } from "./verdict.ts";

function verdict(flags: readonly (readonly string[])[], more: object = {}) {
  const cluster = readCluster({
    time: "2026-11-29T00:00:00Z",
    node: 0,
    leader: 0,
    nodes: flags.map((each, node) => ({ node, flags: each })),
    ...more,
  });
  if (cluster === undefined) throw new Error("expected a cluster");
  return verdictOf(cluster);
}

test("verdictOf() names the one that is not well, or counts them", () => {
  expect(verdict([[], [], []])).toEqual({
    level: "good",
    text: "All 3 nodes are well",
    brief: "ok",
  });
  expect(verdict([[]]).text).toBe("The one node is well");
  expect(verdict([[], ["BANNED"], []])).toMatchObject({
    level: "critical",
    text: "Node 1 is banned",
  });
  expect(verdict([["STOPPED"], ["BANNED"], []]).text).toBe("2 of 3 nodes are not well");
  expect(verdict([[], ["STOPPED"]]).level).toBe("warning");
  expect(verdict([]).text).toBe("No nodes are known");
});

test("verdictOf() says what is wrong with the whole", () => {
  expect(verdict([[], []], { leader: null })).toMatchObject({
    level: "critical",
    text: "All 2 nodes are well · there is no leader",
  });
  expect(verdict([[], []], { recovering: true }).level).toBe("warning");
  const condition = { id: "address-unassigned", severity: "critical", text: "t", advice: "a" };
  expect(verdict([[], []], { conditions: [condition] })).toMatchObject({
    level: "critical",
    text: "All 2 nodes are well · 1 condition to look at",
  });
});

test("a deleted node is no node that is not well", () => {
  expect(verdict([[], ["DELETED", "DISCONNECTED"], []]).text).toBe("All 2 nodes are well");
});
