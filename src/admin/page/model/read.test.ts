import { expect, test } from "bun:test";
import { readCluster } from "./read_cluster.ts";
import { readEntry, readExplanation, readJournal, readPast } from "./read_journal.ts";

const TIME = "2026-11-29T03:12:44.000000Z";
const EVENT = {
  id: 7,
  node: 1,
  time: TIME,
  common_time: TIME,
  process: "ctdbd",
  text: "up",
  event: { kind: "link_up", peer: 2 },
};

test("readCluster() of a document with nothing in it is a cluster without anything", () => {
  expect(readCluster({ time: TIME, node: 3 })).toMatchObject({
    node: 3,
    leader: null,
    nodes: [],
    views: [],
    databases: [],
  });
  expect(readCluster({ time: TIME, node: 3, actions: true })?.actions).toBe(true);
  expect(readCluster({ time: TIME, node: 3 })).not.toHaveProperty("actions");
});

test("readers take nothing of a wrong type", () => {
  for (const value of [undefined, null, 1, "x", [], {}, { time: "now", node: 1 }, { time: TIME }]) {
    expect(readCluster(value)).toBeUndefined();
  }
  const odd = {
    time: TIME,
    node: 0,
    nodes: [null, 1, "x", { node: "1" }, { node: 1, flags: [1, "BANNED"], address: 5 }],
    conditions: "many",
    leader: "0",
  };
  const cluster = readCluster(odd);
  expect(cluster?.leader).toBeNull();
  expect(cluster?.conditions).toEqual([]);
  expect(cluster?.nodes).toEqual([
    { node: 1, address: "", flags: ["BANNED"], why: null, version: "", ownJournal: "" },
  ]);
});

test("readCluster() of views: who did not answer is null, not nobody", () => {
  const cluster = readCluster({
    time: TIME,
    node: 0,
    views: [
      { by: 0, sees: [{ node: 1, flags: [], connected: true, heard_ms: 12 }] },
      { by: 1, sees: null },
    ],
  });
  expect(cluster?.views).toEqual([
    { by: 0, sees: [{ node: 1, flags: [], connected: true, heardMs: 12 }] },
    { by: 1, sees: null },
  ]);
});

test("readEntry() takes the common time, and events of kinds that are new", () => {
  const later = { ...EVENT, common_time: "2026-11-29T03:12:45.000000Z" };
  expect((readEntry(later)?.timeUs ?? 0) - (readEntry(EVENT)?.timeUs ?? 0)).toBe(1_000_000);
  expect(readEntry({ ...EVENT, event: { kind: "frobbed" } })?.event).toEqual({
    kind: "unknown",
    name: "frobbed",
  });
  expect(readEntry({ ...EVENT, event: {} })).toBeUndefined();
  expect(readEntry({ ...EVENT, id: null })).toBeUndefined();
});

test("readJournal() says which journals are missing, and which clocks are wrong", () => {
  const sources = [
    { node: 0, journal: "kept", reason: null, clock_ahead_ms: 0.2, clock_error_ms: 0.1 },
    { node: 1, journal: "kept", reason: null, clock_ahead_ms: -1720, clock_error_ms: 1 },
    { node: 2, journal: "none", reason: "no journal", clock_ahead_ms: null, clock_error_ms: null },
    { node: 3, journal: "silent", reason: "no answer", clock_ahead_ms: null, clock_error_ms: null },
  ];
  const { entries, caveats } = readJournal({ events: [EVENT, null], sources });
  expect(entries.map(({ id }) => id)).toEqual([7]);
  expect(caveats).toEqual([
    "The clock of node 1 is 1.7 s behind; its times are corrected here.",
    "Node 2 keeps no journal.",
    "Node 3 did not answer: no answer.",
  ]);
});

test("readExplanation() goes down a chain of causes, but not for ever", () => {
  const chain = {
    event: EVENT,
    text: "it broke",
    because: [{ event: EVENT, text: "somebody pulled", because: [] }],
  };
  const { answer } = readExplanation({ answer: chain, caveats: ["a gap"] });
  expect(answer?.because[0]?.text).toBe("somebody pulled");
  let deep: object = chain;
  for (let i = 0; i < 1000; i += 1) deep = { event: EVENT, text: "again", because: [deep] };
  let depth = 0;
  for (let at = readExplanation({ answer: deep }).answer; at !== null; at = at.because[0] ?? null) {
    depth += 1;
  }
  expect(depth).toBe(17);
  expect(readExplanation({ answer: null }).answer).toBeNull();
});

test("readPast() of a state", () => {
  const past = readPast({
    at: TIME,
    leader: 1,
    nodes: [{ node: 0, address: "10.0.0.1", flags: ["STOPPED"], running: false }],
    databases: [{ name: "x.tdb", id: 17, kind: "volatile" }],
  });
  expect(past).toMatchObject({
    leader: 1,
    nodes: [{ node: 0, flags: ["STOPPED"], running: false }],
    databases: [{ id: "17" }],
  });
  expect(readPast({ at: "then" })).toBeUndefined();
});
