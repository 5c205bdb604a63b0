import { expect, test } from "bun:test";
import { readCluster } from "./read_cluster.ts";
import { readPast } from "./read_journal.ts";
import { shownNow, shownPast } from "./shown.ts";

const TIME = "2026-11-29T03:00:00.000000Z";
const now = readCluster({
  time: TIME,
  node: 0,
  actions: true,
  nodes: [{ node: 0, flags: [] }],
  addresses: [{ address: "a", node: 0, may_be_on: [0, 1] }],
});
const past = readPast({
  at: TIME,
  nodes: [{ node: 0, flags: ["BANNED"], running: false }],
  addresses: [{ address: "a", node: null }],
  caveats: ["a gap"],
});

test("shownPast() never offers actions, nor what journals do not tell", () => {
  if (now === undefined || past === undefined) throw new Error("expected both");
  expect(shownNow(now)).toMatchObject({ past: false, actions: true, matrix: [{ by: 0 }] });
  expect(shownPast(past, now)).toMatchObject({
    past: true,
    actions: false,
    matrix: undefined,
    conditions: undefined,
    turns: undefined,
    caveats: ["a gap"],
    nodes: [{ flags: ["BANNED"], why: "was not running" }],
    addresses: [{ address: "a", node: null, mayBeOn: [0, 1] }],
    verdict: { level: "critical", text: "Node 0 is banned · there is no leader" },
  });
});
