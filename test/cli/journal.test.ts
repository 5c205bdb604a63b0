/** `ctdb why`, `ctdb journal`, `ctdb state`: what they ask, of whom, and what they print. */
import { expect, test } from "bun:test";
import { parseRfc3339 } from "../../src/base/rfc3339.ts";
import { shownTime } from "../../src/cli/journal/lines.ts";
import type { EventDocument } from "../../src/wire/journal_documents.ts";
import { ManualTime } from "../support/manual_time.ts";
import {
  type AnswerOf,
  eventAt,
  journalOf,
  STATE,
  TIME,
  WHY_BANNED,
  withJournals,
} from "./journal_world.ts";
import { daemon, GONE, nodeAt, runCtdb, type ToolWorld } from "./tool_harness.ts";

const NODES = [nodeAt(0), nodeAt(1), nodeAt(2)];

function world(hasJournal: readonly number[], answer: AnswerOf, nodes = NODES) {
  const ctdbd = daemon(nodes);
  const time = new ManualTime();
  const asked = withJournals(ctdbd, hasJournal, answer, time);
  return { ctdbd, asked, time };
}

const banned: AnswerOf = () => ({ document: WHY_BANNED });
const at = (time: string) => shownTime(parseRfc3339(time));

test("ctdb why prints the chain of causes, further in each, with notes on standard error", async () => {
  const { ctdbd, asked } = world([0, 1], banned);
  const run = await runCtdb({ ctdbd }, "why", "node", "2", "banned");
  expect(run.out).toBe(
    `${at(TIME)}  Node 2 was banned for 300 s by node 0: 3 credits
${at("2026-11-29T03:12:41.118Z")}    because: Recovery 7 failed
${at("2026-11-29T03:12:40Z")}      because: A script hung?[2J
`,
  );
  expect(run.err).toBe(
    `Note: 7 events of node 1 are missing
Note: the clock of node 2 is 1.500 s ahead: its times are shown by ours
`,
  );
  expect(run.status).toBe(0);
  expect(asked).toEqual([
    { node: 0, path: "/api/v1/why", parameters: { subject: "ban", node: "2" } },
  ]);
});

test.each<[string, Readonly<Record<string, string>>]>([
  ["node 1 unhealthy", { subject: "flags", node: "1", flag: "UNHEALTHY" }],
  ["node 1 disconnected", { subject: "flags", node: "1", flag: "DISCONNECTED" }],
  ["node 1 stopped", { subject: "flags", node: "1", flag: "STOPPED" }],
  ["node 1 disabled", { subject: "flags", node: "1", flag: "DISABLED" }],
  ["recovery", { subject: "recovery" }],
  ["leader", { subject: "leader" }],
  ["address 10.0.0.5", { subject: "address", address: "10.0.0.5" }],
  ["address fd00::0:5", { subject: "address", address: "fd00::5" }],
  ["event 2 17", { subject: "event", node: "2", event: "17" }],
])("ctdb why %s asks for it", async (line, parameters) => {
  const { ctdbd, asked } = world([0], banned);
  await runCtdb({ ctdbd }, "why", ...line.split(" "), "--at", "2026-11-29T04:00:00Z");
  expect(asked.map((each) => each.parameters)).toEqual([
    { ...parameters, at: "2026-11-29T04:00:00.000000Z" },
  ]);
});

test.each([
  "why node 2",
  "why node two banned",
  "why node 2 sad",
  "why weather",
  "why",
  "why recovery now",
  "why address 10.0.0.300",
  "why leader --at yesterday",
  "state 2",
  "journal --since x",
  "journal --limit 0",
  "journal --follow --until now",
])("ctdb %s is a wrong command line", async (line) => {
  const { ctdbd, asked } = world([0], banned);
  const run = await runCtdb({ ctdbd }, ...line.split(" "));
  expect([run.status, asked]).toEqual([64, []]);
});

test("ctdb why says that the journal knows of no such thing, with a status of its own", async () => {
  const { ctdbd } = world([0], () => ({ document: { ...WHY_BANNED, answer: null } }));
  const run = await runCtdb({ ctdbd }, "why", "node", "2", "banned", "--at", TIME);
  expect(run.err).toContain(`The journal knows of no ban of node 2 up to ${at(TIME)}\n`);
  expect([run.out, run.status]).toEqual(["", 1]);
});

test("ctdb why asks another node where the own one keeps no journal, but not when -n names one", async () => {
  const { ctdbd, asked } = world([2], banned);
  expect((await runCtdb({ ctdbd }, "why", "recovery")).status).toBe(0);
  expect(asked.map(({ node }) => node)).toEqual([2]);
  const named = await runCtdb({ ctdbd }, "-n", "1", "why", "recovery");
  expect(named.err).toContain("no journal on node 1");
  expect(named.status).toBe(78);
});

test.each(["why recovery", "journal", "state"])(
  "ctdb %s says how to record where nobody does, and ends with status 78",
  async (line) => {
    const { ctdbd } = world([], banned);
    const words = line.split(" ");
    const run = await runCtdb({ ctdbd }, ...words);
    expect(run.err).toContain("Nothing is recorded on any connected node");
    expect(run.err).toContain("[admin]");
    expect([run.out, run.status]).toEqual(["", 78]);
    const { ctdbd: other } = world([], banned);
    const json = await runCtdb({ ctdbd: other }, "--json", ...words);
    expect(JSON.parse(json.err)).toMatchObject({
      error: { kind: "nothing recorded", status: 78 },
    });
  },
);

test("ctdb why tells of an answer that is none, of a refusal, and of none at all", async () => {
  const broken = world([0], () => ({ document: { ...WHY_BANNED, answer: { text: 7 } } }), [
    nodeAt(0),
  ]);
  const malformed = await runCtdb({ ctdbd: broken.ctdbd }, "why", "recovery");
  expect([malformed.status, malformed.err]).toEqual([
    1,
    expect.stringContaining("Node 0 has sent an answer"),
  ]);
  const problem = { title: "Bad Request", detail: 'flag: expected a flag, got "x"' };
  const refusing = world([0, 1], () => ({ status: 400, problem }));
  const refused = await runCtdb({ ctdbd: refusing.ctdbd }, "why", "recovery");
  expect(refused.err).toBe(`Node 0 refuses: Bad Request: flag: expected a flag, got "x"\n`);
  expect([refused.status, refusing.asked.length]).toEqual([1, 1]);
  const silent = world([0], () => "silent", [nodeAt(0)]);
  const running = runCtdb(silent, "why", "recovery", "-t", "2");
  for (let i = 0; i < 5; i++) await silent.time.advance(500);
  expect(await running).toMatchObject({ status: 75, err: "Node 0 did not answer in time\n" });
});

test("ctdb state shows the cluster in the words of ctdb status", async () => {
  const { ctdbd, asked } = world([0], () => ({ document: STATE }));
  const run = await runCtdb({ ctdbd }, "state", "--at", TIME);
  expect(run.out).toBe(`At ${at(TIME)}
Number of nodes:3
pnn:0 10.0.0.1         OK
pnn:1 10.0.0.2         BANNED|UNHEALTHY
pnn:2 10.0.0.3         NOT RUNNING|DISCONNECTED
Generation:77
Recovery mode:RECOVERY (1)
Leader:0
Public IPs:2
10.0.0.31 0
10.0.0.32 -1
Number of databases:1
dbid:0x00000007 name:locking.tdb volatile
`);
  expect([run.err, run.status]).toEqual(["Note: node 1 keeps no journal\n", 0]);
  await runCtdb({ ctdbd }, "state");
  expect(asked.map(({ parameters }) => parameters)).toEqual([{ at: TIME }, {}]);
});

// --- journal

/** A node's events, as its API gives them. */
function pagesOf(
  events: Readonly<Record<number, readonly EventDocument[]>>,
  aheadUs = 0,
): AnswerOf {
  return (pnn, { searchParams }) => {
    const number = (name: string) =>
      searchParams.has(name) ? Number(searchParams.get(name)) : undefined;
    const [after, before, limit] = [number("after"), number("before"), number("limit")];
    const matching = (events[pnn] ?? []).filter(
      ({ id }) => id > (after ?? 0) && id < (before ?? Number.POSITIVE_INFINITY),
    );
    const ordered = searchParams.get("order") === "desc" ? matching.toReversed() : matching;
    const document = journalOf(pnn, ordered.slice(0, limit));
    return { document, aheadUs: pnn === 2 ? aheadUs : 0 };
  };
}

const second = (sec: number) => `2026-11-29T03:00:${String(sec).padStart(2, "0")}.000000Z`;

test("ctdb journal merges what nodes have, by our clock, and names those that have nothing", async () => {
  const events = {
    0: [eventAt(0, 5, second(1), "a"), eventAt(0, 6, second(4), "d")],
    // Ten seconds ahead.
    2: [eventAt(2, 1, second(12), "b"), eventAt(2, 2, second(13), "c")],
  };
  const nodes = [nodeAt(0), nodeAt(1), nodeAt(2), nodeAt(3, GONE)];
  const { ctdbd, asked } = world([0, 2], pagesOf(events, 10_000_000), nodes);
  const run = await runCtdb({ ctdbd }, "journal");
  expect(run.out).toBe(
    [
      [1, "[0] a"],
      [2, "[2] b"],
      [3, "[2] c"],
      [4, "[0] d"],
    ]
      .map(([sec, text]) => `${at(second(Number(sec)))} ${text}\n`)
      .join(""),
  );
  expect(run.err).toContain("Note: no journal on node 1");
  expect(run.err).toContain("Note: the clock of node 2 is 10.000 s ahead");
  expect(asked.map(({ node, parameters }) => [node, parameters])).toEqual([
    [0, { scope: "node", order: "desc", limit: "100" }],
    [2, { scope: "node", order: "desc", limit: "100" }],
  ]);
});

test("ctdb journal hands on what was asked for, to the node of -n alone", async () => {
  const { ctdbd, asked } = world([0, 1], pagesOf({}));
  const times = ["--since", "2026-11-29T03:00:00Z", "--until", "2026-11-29T04:00:00Z"];
  const run = await runCtdb({ ctdbd }, "-n", "1", "journal", "--kind", "ban,unban", ...times);
  expect([run.status, run.out, run.err]).toEqual([0, "", ""]);
  expect(asked).toEqual([
    {
      node: 1,
      path: "/api/v1/journal",
      parameters: {
        scope: "node",
        since: "2026-11-29T03:00:00.000000Z",
        until: "2026-11-29T04:00:00.000000Z",
        kind: "ban,unban",
        order: "desc",
        limit: "500",
      },
    },
  ]);
});

test("ctdb journal --limit takes the newest, page by page", async () => {
  const many = Array.from({ length: 1300 }, (_, i) => eventAt(0, i + 1, second(0), `n${i + 1}`));
  const { ctdbd, asked } = world([0], pagesOf({ 0: many }), [nodeAt(0)]);
  const run = await runCtdb({ ctdbd }, "journal", "--limit", "1200");
  const lines = run.out.trimEnd().split("\n");
  expect([lines.length, lines[0], lines.at(-1)]).toEqual([
    1200,
    expect.stringMatching(/ n101$/),
    expect.stringMatching(/ n1300$/),
  ]);
  expect(asked.map(({ parameters }) => [parameters["before"], parameters["limit"]])).toEqual([
    [undefined, "500"],
    ["801", "500"],
    ["301", "200"],
  ]);
});

test("ctdb -v journal shows kinds and numbers", async () => {
  const { ctdbd } = world([0], pagesOf({ 0: [eventAt(0, 5, second(1), "a")] }), [nodeAt(0)]);
  const run = await runCtdb({ ctdbd }, "-v", "journal");
  expect(run.out).toEndWith(" [0] a (link_up 5, ctdbd)\n");
});

function follow({ ctdbd, time }: ToolWorld & { readonly time: ManualTime }, ...args: string[]) {
  const terminal: string[] = [];
  const world = { ...(ctdbd === undefined ? {} : { ctdbd }), time, terminal };
  const run = runCtdb(world, "journal", "--follow", ...args);
  // In steps: an answer takes some turns.
  const pass = async (seconds: number) => {
    for (let ms = 0; ms < seconds * 1000; ms += 50) await time.advance(50);
  };
  return { terminal, pass, run };
}

test("ctdb journal --follow goes on where each node was, and ends with -T", async () => {
  const events: Record<number, EventDocument[]> = { 0: [eventAt(0, 5, second(1), "old")], 1: [] };
  const { asked, ...made } = world([0, 1], pagesOf(events), [nodeAt(0), nodeAt(1)]);
  const { pass, terminal, run } = follow(made, "-T", "4");
  await pass(1);
  events[0]?.push(eventAt(0, 6, second(2), "new"));
  events[1]?.push(eventAt(1, 1, second(3), "first"));
  await pass(2);
  expect(terminal.map((line) => line.slice(line.indexOf("[")))).toEqual([
    "[0] old\n",
    "[0] new\n",
    "[1] first\n",
  ]);
  await pass(2);
  expect(await run).toMatchObject({ status: 75 });
  expect(asked.filter(({ node }) => node === 0).at(-1)?.parameters["after"]).toBe("6");
});

test("ctdb journal --follow names a node once that answers no more, and once when it does again", async () => {
  let ofOne: "none" | "kept" = "kept";
  const pages = pagesOf({});
  const answer: AnswerOf = (pnn, url) =>
    pnn === 1 && ofOne === "none" ? { status: 503, problem: { title: "Busy" } } : pages(pnn, url);
  const made = world([0, 1], answer, [nodeAt(0), nodeAt(1)]);
  const { pass, terminal, run } = follow(made, "-T", "9");
  await pass(1);
  ofOne = "none";
  await pass(3);
  ofOne = "kept";
  await pass(6);
  await run;
  expect(terminal.filter((line) => line.startsWith("Note") && !line.includes("clock"))).toEqual([
    "Note: Node 1 refuses: Busy\n",
    "Note: node 1 answers\n",
  ]);
});
