/** Questions of other nodes, over messages to a scripted ctdbd, and the journals of all nodes that are asked so. */
import { expect, test } from "bun:test";
import { NodesJournal, sourcesOf } from "../../src/admin/journal/nodes_journal.ts";
import { ApiMessageServer } from "../../src/admin/messages/api_message_server.ts";
import { err, ok } from "../../src/base/result.ts";
import { u64 } from "../../src/base/u64.ts";
import type { ApiOutcome } from "../../src/client/api_request.ts";
import {
  API_PART_CHARACTERS,
  type ApiAnswerPart,
  decodeApiAnswerPart,
  encodeApiRequest,
} from "../../src/wire/api_messages.ts";
import { textBytes } from "../../src/wire/codec.ts";
import { SRVID } from "../../src/wire/constants.ts";
import { settle } from "../support/manual_time.ts";
import { must } from "../support/must.ts";
import { AdminBench } from "./bench.ts";

const ANSWER = u64(SRVID.OUR_ANSWERS.hi, 7);
const PEER = 3;

async function serving(bench: AdminBench) {
  const sent: { readonly pnn: number; readonly part: ApiAnswerPart }[] = [];
  const state: { deliver: (data: Uint8Array, from: number) => void } = { deliver: () => {} };
  await new ApiMessageServer(bench.api, bench.time).serve({
    registerSrvid: async (srvid, handler) => {
      expect(srvid).toEqual(SRVID.API_REQUEST);
      state.deliver = (data, from) => handler(data, from, srvid);
      return ok({ remove() {} });
    },
    sendMessage: (pnn, srvid, data) => {
      expect(srvid).toEqual(ANSWER);
      sent.push({ pnn, part: must(decodeApiAnswerPart(data)) });
    },
  });
  const ask = (path: string, id = 1) =>
    state.deliver(encodeApiRequest({ id, answer: ANSWER, path }), PEER);
  return { sent, ask, deliver: state };
}

test("a question is answered to the node that asked, in parts that are one text", async () => {
  const bench = new AdminBench();
  for (let i = 0; i < 900; i++) bench.happen({ kind: "election", reason: `é😀${i}`.repeat(20) });
  const { sent, ask } = await serving(bench);
  ask("/api/v1/journal?limit=900&order=asc", 42);
  await bench.time.advance(5);
  expect(sent.length).toBeGreaterThan(1);
  const whole = sent.map(({ part }) => part.text).join("");
  expect(sent.every(({ pnn, part }) => pnn === PEER && part.id === 42)).toBe(true);
  expect(sent.map(({ part }) => part.part)).toEqual(sent.map((_, i) => i));
  expect(Math.max(...sent.map(({ part }) => part.text.length))).toBe(API_PART_CHARACTERS);
  expect(JSON.parse(whole).events).toHaveLength(900);
});

test("only what reads is answered, and paths that are none are problems", async () => {
  const bench = new AdminBench({ actions: true });
  const { sent, ask } = await serving(bench);
  for (const path of ["/api/v1/session", "/api/v1/actions/recover", "/%zz", "/api/v1/events"]) {
    ask(path);
    await bench.time.advance(5);
  }
  expect(sent.map(({ part }) => [part.status, part.content_type])).toEqual([
    [200, "application/json"],
    [405, "application/problem+json"],
    [404, "application/problem+json"],
    [400, "application/problem+json"],
  ]);
  expect(sent[0]?.part.text).toContain('"right":"read"');
});

test("what is no request is dropped, and too many at once are told so", async () => {
  const bench = new AdminBench({ run: () => new Promise(() => {}) });
  const { sent, ask, deliver } = await serving(bench);
  for (const text of ["", "{}", "[]", '{"id":1,"answer":"x","path":"/"}', '{"id":1,"path":"/"}']) {
    deliver.deliver(textBytes(text), PEER);
  }
  for (let id = 0; id < 20; id++) ask("/api/v1/tool/pnn", id);
  await settle();
  expect(sent.map(({ part }) => [part.id, part.status])).toEqual([
    [16, 503],
    [17, 503],
    [18, 503],
    [19, 503],
  ]);
  await bench.time.advance(16_000);
  expect(sent).toHaveLength(20);
});

const EVENT = { kind: "link_up", peer: 1 } as const;
const KEPT = {
  id: 5,
  node: 1,
  ring: "r",
  number: 5,
  time_us: 1_000_000,
  monotonic_ms: 1,
  process: "ctdbd",
  event: EVENT,
} as const;

function answered(document: unknown, status = 200): ApiOutcome {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  const clock = { aheadUs: 2000, errorUs: 500 };
  return ok({ node: 1, status, contentType: "application/json", text, clock });
}

async function askAll(outcome: ApiOutcome, paths: string[] = []) {
  const journal = new NodesJournal({
    store: { query: () => ok([]) },
    ownNode: () => 0,
    nodes: async () => [
      { node: 0, connected: true },
      { node: 1, connected: true },
      { node: 2, connected: false },
    ],
    ask: async (node, path) => {
      expect(node).toBe(1);
      paths.push(path);
      return outcome;
    },
  });
  const query = { kinds: ["link_up", "gap"], sinceUs: 1_500_000, newestFirst: true, limit: 9 };
  return await journal.ask(query as never);
}

test("NodesJournal asks every connected node, and says why others are missing", async () => {
  const paths: string[] = [];
  const answers = await askAll(answered({ kept: [KEPT] }), paths);
  expect(paths).toEqual([
    "/api/v1/journal?form=kept&limit=9&order=desc&since=1.500000&kind=link_up%2Cgap",
  ]);
  expect(answers.map(({ node, events }) => [node, events.ok])).toEqual([
    [0, true],
    [1, true],
    [2, false],
  ]);
  expect(answers[1]).toEqual({
    node: 1,
    events: ok([KEPT]),
    clockAheadUs: 2000,
    clockErrorUs: 500,
  });
  expect(
    sourcesOf(answers).map(({ journal, clock_ahead_ms }) => [journal, clock_ahead_ms]),
  ).toEqual([
    ["kept", 0],
    ["kept", 2],
    ["silent", null],
  ]);
});

test.each<[string, ApiOutcome, string]>([
  ["no JSON", answered("<html>"), "silent"],
  ["another document", answered({ events: [] }), "silent"],
  ["an event without times", answered({ kept: [{ ...KEPT, time_us: "x" }] }), "silent"],
  ["a refusal", answered({}, 503), "silent"],
  ["no journal", err({ kind: "no journal", reason: "no journal on node 1: none" }), "none"],
  ["silence", err({ kind: "timeout", reason: "node 1 did not answer in time" }), "silent"],
])("NodesJournal takes %s for no answer", async (_name, outcome, journal) => {
  const answers = await askAll(outcome);
  expect(answers[1]?.events.ok).toBe(false);
  expect(sourcesOf(answers)[1]?.journal).toBe(journal as "silent");
});

test("NodesJournal believes a node what it says of itself only, and keeps what it cannot read as gaps", async () => {
  const kept = [
    { ...KEPT, node: 0 },
    { ...KEPT, id: 6, event: { kind: "of a later release", more: 1 } },
    { ...KEPT, id: 7, more: "fields" },
  ];
  const [, answer] = await askAll(answered({ kept }));
  const events = answer?.events.ok ? answer.events.value : [];
  expect(events.map(({ id, event }) => [id, event.kind])).toEqual([
    [6, "gap"],
    [7, "link_up"],
  ]);
});
